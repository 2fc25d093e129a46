"""Fingerprints of what a target holds now, so that a plan notices when it moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from migrate.codecs import Codec
from migrate.model import JSON, Entity, EntityKey
from migrate.model.normalize import json_digest, normalize_entity, normalize_written_fields
from migrate.stages.estate import Estate

Fingerprints = dict[EntityKey, str]
"""(kind, parent, id) -> fingerprint of the compared form, including what it is called on the target."""


def target_fingerprints(target: Estate, threads: Iterable[str]) -> Fingerprints:
    """Every configuration object, and those threads that a plan touches. Threads of others may come
    and go while a plan waits for its review; nothing of them is changed."""
    found: Fingerprints = {}
    for kind in ("file", "vector_store", "assistant"):
        for entity in target.objects(kind).values():
            found[entity.key] = object_fingerprint(entity)
    for store in target.objects("vector_store"):
        for entity in target.members("vector_store_file", store):
            found[entity.key] = object_fingerprint(entity)
    touched = set(threads)
    for entity in target.iter_threads() if touched else ():
        if entity.id in touched:
            found[entity.key] = object_fingerprint(entity)
    return found


GROWING = frozenset({"assistant"})
"""Kinds of which a service shows more when they are read than in its answer to a write (recorded of agents):
an unknown key that is new there is no sign that others changed the object."""


def object_fingerprint(entity: Entity) -> str:
    """Of the compared form; a file's hash is left out, since only some readings learn it."""
    form = normalize_written_fields(entity) if entity.kind in GROWING else normalize_entity(entity)
    return json_digest([*entity.key, _without_hash(form)])


def _without_hash(form: Mapping[str, JSON]) -> dict[str, JSON]:
    return {k: v for k, v in form.items() if k != "sha256"}


def is_unchanged(archived: Entity, there: Entity) -> bool:
    """Whether what was archived from this very place is there as it was: its id and all that it says."""
    same = archived.key == there.key
    return same and _without_hash(normalize_entity(archived)) == _without_hash(normalize_entity(there))


def message_fingerprint(codec: Codec, body: Mapping[str, JSON], thread: str) -> str:
    """Fingerprint of a message as it stands on a target: its words where it is nothing else, else all that
    its owner may have written. It tells whether others changed it since."""
    words = codec.text_message(body)
    if words:
        return json_digest([words.role, *words.texts])
    return json_digest(normalize_written_fields(codec.decode("message", dict(body), thread, None)[0]))


def combined_fingerprint(found: Mapping[EntityKey, str]) -> str:
    """One fingerprint of many."""
    return json_digest(sorted([*key, state] for key, state in found.items()))
