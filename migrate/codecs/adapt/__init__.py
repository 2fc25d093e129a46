"""Makes an object fit its target, in canonical form, and tells every difference as a loss. Pure.

Adapting happens before writing and apart from it: what `adapt` returns is exactly what must read back,
so planning, writing and verifying share one truth. A rule that changed a field without telling is
caught here and told for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from pydantic_core import to_json

from migrate.codecs.adapt.assistant import adapt_assistant
from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.files import adapt_file, adapt_vector_store, adapt_vector_store_file
from migrate.codecs.adapt.message import adapt_assistants_message, adapt_thread, replace_unwritable
from migrate.codecs.adapt.write_form import BodyForms, RequestEncoder, check_request
from migrate.codecs.assistants import encode_create
from migrate.codecs.config_directory import CONFIG_TYPE as CONFIG
from migrate.codecs.write_forms import assistants
from migrate.model import JSON, Entity
from migrate.model.loss import Loss
from migrate.model.normalize import normalize_entity, normalize_field
from migrate.model.secrets import FIELDS_WITH_ADDRESSES, locate_credentials, remove_secret_fingerprints

AdaptRules = Mapping[str, Callable[[Entity, Target, LossCollector], Entity]]

# Of messages, which may be millions, nothing is told: what was said is sent as it was said.
KINDS_WITH_ADDRESSES = frozenset({"assistant", "vector_store", "thread"})
FIELDS_WITHOUT_ADDRESSES = frozenset({"name"})

ADAPT_RULES: AdaptRules = {
    "file": adapt_file,
    "vector_store": adapt_vector_store,
    "vector_store_file": adapt_vector_store_file,
    "assistant": adapt_assistant,
    "thread": adapt_thread,
    "message": adapt_assistants_message,
}


def adapt(
    entity: Entity,
    target: Target,
    rules: AdaptRules = ADAPT_RULES,
    encoder: RequestEncoder = encode_create,
    body_forms: BodyForms = assistants.assistants_body_form,
) -> tuple[Entity, list[Loss]]:
    """The object as the target will hold it (references still by source id), and what changed."""
    losses = LossCollector(entity)
    sendable = _sendable(entity, losses)
    if target.stamp_type == CONFIG:
        sendable = _without_fingerprints(sendable, losses)
    fitted = rules[entity.kind](sendable, target, losses)
    unknown = normalize_entity(Entity(entity.kind, entity.id, extras=entity.extras)) if entity.extras else {}
    for name in entity.extras:
        if name in unknown:
            losses.add_lost(name, "not known to this program, so it cannot be written", "kept in the archive")
    fitted = Entity(fitted.kind, fitted.id, fitted.parent, fitted.fields, fitted.facts)
    blocked = any(loss.grade == "blocked" for loss in losses.rows)
    if entity.kind != "file" and not blocked and not _is_in_place(entity, target):
        fits = check_request(fitted, target, losses, encoder, body_forms)
        if not fits and entity.kind == "message":
            fitted = replace_unwritable(fitted, losses)
    told = {loss.field.split(".")[0] for loss in losses.rows} | {"bytes", "sha256"}
    told |= {"tools", "tool_resources"} if "connections" in told else set()
    for name in _changed_fields(entity, fitted):
        if name not in told:
            losses.add_lost(name, "changed on the way to the target by no rule that says why")
    _report_credentials(fitted, losses)
    return fitted, losses.rows


def _is_in_place(entity: Entity, target: Target) -> bool:
    """Whether the object, or the store that it lies in, is used where it is: then nothing is written."""
    return target.in_place(entity.kind, entity.id) or target.in_place("vector_store", entity.parent)


def _report_credentials(fitted: Entity, losses: LossCollector) -> None:
    """Tell of credentials that travel within addresses: the tool would not work without them, and whoever may
    read the target can read them there."""
    if fitted.kind not in KINDS_WITH_ADDRESSES:
        return
    told: dict[tuple[str, str], None] = {}
    for name, value in fitted.fields.items():
        if name not in FIELDS_WITHOUT_ADDRESSES:
            told |= dict.fromkeys(locate_credentials(value, name))
    for field_, words in told:
        losses.add_adapted(
            field_,
            f"it holds a credential ({words}), which is sent to the target as it is",
            "give the tool a connection of the project instead, and renew the credential",
        )


def _same(one: JSON, other: JSON) -> bool:
    try:
        return one is other or to_json(one) == to_json(other)
    except ValueError:
        return False  # it is looked at more closely


def _changed_fields(entity: Entity, fitted: Entity) -> list[str]:
    """The fields of an object that are others in its fitted form; what is the very same needs no look."""
    names = [name for name, value in entity.fields.items() if not _same(value, fitted.fields.get(name))]
    if entity.kind == "assistant":
        before, after = normalize_entity(entity), normalize_entity(fitted)
    else:
        before, after = (
            {name: normalize_field(entity.kind, name, one.fields.get(name)) for name in names}
            for one in (entity, fitted)
        )
    return sorted(name for name in names if before.get(name) != after.get(name))


def _without_fingerprints(entity: Entity, losses: LossCollector) -> Entity:
    """The object without what only stands for a secret; headers of tools have a rule of their own."""
    fields = dict(entity.fields)
    for name in FIELDS_WITH_ADDRESSES:
        kept = remove_secret_fingerprints(fields.get(name))
        if kept != fields.get(name):
            fields[name] = kept
            losses.add_lost(
                f"{name}.secrets", "the files hold only fingerprints of its secrets", "set them by hand"
            )
    return entity.with_fields(**fields) if fields != entity.fields else entity


def _sendable(entity: Entity, losses: LossCollector) -> Entity:
    """The object without halves of character pairs: JSON can spell them, UTF-8 cannot."""
    try:
        to_json(entity.fields)
        return entity
    except ValueError:
        pass  # one of them cannot be sent, or is nested deeper than that can tell
    fields = dict(entity.fields)
    for name, value in entity.fields.items():
        text = json.dumps(value, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:
            losses.add_adapted(name, "half of a character pair cannot be sent; it arrives as a question mark")
            fields[name] = json.loads(text.encode("utf-8", "replace"))
    return entity.with_fields(**fields) if fields != entity.fields else entity


__all__ = ["RULES", "Rules", "Target", "adapt"]
