"""Fingerprints of objects on a target, by which a plan, an apply and a rollback notice changes of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from migrate.codecs import Codec
from migrate.model import JSON, Entity, EntityKey
from migrate.model.normalize import json_digest, normalize_entity, normalize_written_fields
from migrate.stages.estate import Estate

# (kind, parent, id) -> fingerprint of the compared form, which includes the key.
Fingerprints = dict[EntityKey, str]

# Kinds of which a service shows more keys on reading than in its answer to a write (recorded of agents). An
# unknown key that is new there does not mean that others changed the object.
KINDS_WITH_LATER_KEYS = frozenset({"assistant"})


def target_fingerprints(target: Estate, threads: Iterable[str]) -> Fingerprints:
    """The fingerprints of every configuration object, and of those threads that a plan changes.

    Other threads may be created and deleted while a plan waits for its review."""
    entities = [
        entity for kind in ("file", "vector_store", "assistant") for entity in target.objects(kind).values()
    ]
    for store in target.objects("vector_store"):
        entities += target.members("vector_store_file", store)
    changed = set(threads)
    entities += [thread for thread in target.iter_threads() if thread.id in changed] if changed else []
    return {entity.key: object_fingerprint(entity) for entity in entities}


def object_fingerprint(entity: Entity) -> str:
    """The fingerprint of the compared form, without a file's hash, which only some readings contain."""
    has_later_keys = entity.kind in KINDS_WITH_LATER_KEYS
    form = normalize_written_fields(entity) if has_later_keys else normalize_entity(entity)
    return json_digest([*entity.key, _without_hash(form)])


def is_unchanged(archived: Entity, existing: Entity) -> bool:
    """Whether an object that was archived from this very place still has the same id and content."""
    if archived.key != existing.key:
        return False
    return _without_hash(normalize_entity(archived)) == _without_hash(normalize_entity(existing))


def content_fingerprint(entity: Entity) -> str:
    """The fingerprint of the compared form without the key: equal for objects of equal content."""
    return json_digest(normalize_entity(entity))


def written_fingerprint(entity: Entity) -> str:
    """The same of what its owner wrote, without keys that only a service adds."""
    return json_digest(normalize_written_fields(entity))


def message_fingerprint(codec: Codec, body: Mapping[str, JSON], thread: str) -> str:
    """The fingerprint of a message on a target: of its texts if it contains nothing else, else of all that
    its owner may have written."""
    if text_message := codec.text_message(body):
        return json_digest([text_message.role, *text_message.texts])
    return written_fingerprint(codec.decode("message", dict(body), thread, None)[0])


def combined_fingerprint(fingerprints: Mapping[EntityKey, str]) -> str:
    """One fingerprint of many."""
    return json_digest(sorted([*key, fingerprint] for key, fingerprint in fingerprints.items()))


def _without_hash(form: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in form.items() if name != "sha256"}
