"""Adapt an object to its target, in canonical form, and report every difference as a loss. Pure.

Adapting comes before writing and is separate from it: what `adapt` returns must be read back exactly, so
planning, writing and verifying use one result. A field that a rule changed without a report is found and
reported here.
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
from migrate.codecs.config_directory import CONFIG_TYPE
from migrate.codecs.write_forms import assistants
from migrate.model import JSON, Entity
from migrate.model.loss import Loss
from migrate.model.normalize import normalize_entity, normalize_field
from migrate.model.secrets import FIELDS_WITH_ADDRESSES, locate_credentials, remove_secret_fingerprints

AdaptRules = Mapping[str, Callable[[Entity, Target, LossCollector], Entity]]

# Messages, which may be millions, are not searched for credentials: their text is sent unchanged.
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
    """The object as the target will store it (references still by source id), and its losses."""
    losses = LossCollector(entity)
    sendable = _sendable(entity, losses)
    if target.stamp_type == CONFIG_TYPE:
        sendable = _without_fingerprints(sendable, losses)
    fitted = rules[entity.kind](sendable, target, losses)
    unknown = normalize_entity(Entity(entity.kind, entity.id, extras=entity.extras)) if entity.extras else {}
    for name in entity.extras:
        if name in unknown:
            losses.add_lost(name, "not known to this program, so it cannot be written", "kept in the archive")
    fitted = Entity(fitted.kind, fitted.id, fitted.parent, fitted.fields, fitted.facts)
    blocked = any(loss.grade == "blocked" for loss in losses.rows)
    in_place = target.in_place(entity.kind, entity.id) or target.in_place("vector_store", entity.parent)
    if entity.kind != "file" and not blocked and not in_place:
        fits = check_request(fitted, target, losses, encoder, body_forms)
        if not fits and entity.kind == "message":
            fitted = replace_unwritable(fitted, losses)
    reported = {loss.field.split(".")[0] for loss in losses.rows} | {"bytes", "sha256"}
    if "connections" in reported:
        reported |= {"tools", "tool_resources"}
    for name in _changed_fields(entity, fitted):
        if name not in reported:
            losses.add_lost(name, "changed for the target without a reason from any rule")
    _report_credentials(fitted, losses)
    return fitted, losses.rows


def _report_credentials(fitted: Entity, losses: LossCollector) -> None:
    """Report credentials inside addresses. They are sent, because the tool would not work without them."""
    if fitted.kind not in KINDS_WITH_ADDRESSES:
        return
    credentials: dict[tuple[str, str], None] = {}
    for name, value in fitted.fields.items():
        if name not in FIELDS_WITHOUT_ADDRESSES:
            credentials |= dict.fromkeys(locate_credentials(value, name))
    for field_, label in credentials:
        losses.add_adapted(
            field_,
            f"it holds a credential ({label}), which is sent to the target as it is",
            "give the tool a connection of the project instead, and renew the credential",
        )


def _is_same(left: JSON, right: JSON) -> bool:
    """Whether two values are the same; False where a full comparison must decide."""
    try:
        return left is right or to_json(left) == to_json(right)
    except ValueError:
        return False


def _changed_fields(entity: Entity, fitted: Entity) -> list[str]:
    """The fields whose compared form differs after adapting."""
    names = [name for name, value in entity.fields.items() if not _is_same(value, fitted.fields.get(name))]
    if entity.kind == "assistant":  # one field of an assistant may replace another: compare it as a whole
        before, after = normalize_entity(entity), normalize_entity(fitted)
    else:
        before, after = (
            {name: normalize_field(entity.kind, name, version.fields.get(name)) for name in names}
            for version in (entity, fitted)
        )
    return sorted(name for name in names if before.get(name) != after.get(name))


def _without_fingerprints(entity: Entity, losses: LossCollector) -> Entity:
    """The object without fingerprints, which a config directory has in the place of secrets."""
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
    """The object without single surrogates: JSON can contain half of a character pair, UTF-8 cannot."""
    try:
        to_json(entity.fields)
        return entity
    except ValueError:
        pass  # a surrogate, or nested deeper than pydantic's limit: look at each field
    fields = dict(entity.fields)
    for name, value in entity.fields.items():
        text = json.dumps(value, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:
            losses.add_adapted(name, "half of a character pair cannot be sent; it arrives as a question mark")
            fields[name] = json.loads(text.encode("utf-8", "replace"))
    return entity.with_fields(**fields) if fields != entity.fields else entity
