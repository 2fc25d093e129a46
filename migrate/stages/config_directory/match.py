"""Match the keys of a config directory with objects of the target, where that is unambiguous.

Pairs that are known from the journal or a stamp stay. Otherwise an id in the directory is the object with
that id, and a name is the only object with that name. Where several objects or keys have the same name, they
are reported as ambiguous and not matched. Copies of vector stores that this program created in the same place
are not considered.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping

from migrate.archive.id_map import uploaded_hashes
from migrate.codecs import CODECS
from migrate.codecs.adapt.models import target_model_name
from migrate.codecs.foundry.valid_names import valid_name_base
from migrate.model import Entity
from migrate.model.entity import usability
from migrate.model.file import BYTES_ABSENT
from migrate.model.first_of import first_of
from migrate.model.normalize import normalize_written_fields
from migrate.model.object_diff import diff_objects
from migrate.model.project_resources import (
    connections_in_other_project,
    replace_connections,
    short_connection_name,
)
from migrate.model.references import named_keys, remap_references
from migrate.stages.config_directory.select import unused_store_copies
from migrate.stages.estate import Estate
from migrate.stages.match.files import (
    HashReader,
    file_holders,
    match_same_name_files,
    name_and_size,
    same_id,
    same_name_groups,
)
from migrate.stages.match.pairs import BY_KEY, ObjectPairs

Lookup = Callable[[str, str], "str | None"]


def is_equal_on_target(
    entity: Entity,
    target_entity: Entity,
    models: Mapping[str, str],
    connections: Mapping[str, str],
    lookup: Lookup,
) -> bool:
    """Whether an object on the target is exactly as the files describe it. `lookup`: key -> id on the
    target."""
    if entity.kind == "assistant":
        fields = dict(
            replace_connections(
                entity.fields,
                lambda old: connections.get(old) or connections.get(short_connection_name(old)) or old,
            )
        )
        if isinstance(fields.get("model"), str):
            fields["model"] = target_model_name(fields["model"], models, connections)
        entity = entity.with_fields(**fields)
        if connections_in_other_project(entity.fields, target_entity.fields):
            return False
    return not diff_objects(
        normalize_written_fields(remap_references(entity, lookup)),
        normalize_written_fields(target_entity),
    )


_AmbiguousKey = tuple[tuple[str, str], tuple[str, str]]
# (kind, key) -> the reason, and what the user can do.
AmbiguousKeys = dict[tuple[str, str], tuple[str, str]]
# The largest number of keys or ids in one reason.
MAX_NAMES_IN_REASON = 8


def match_by_key(source: Estate, target: Estate, pairs: ObjectPairs, hashes: HashReader) -> AmbiguousKeys:
    """Add the matches of keys to `pairs`, and return the ambiguous keys. `hashes` reads the hashes of files
    of which several have the same name and size."""
    ambiguous: AmbiguousKeys = {}
    for kind in ("vector_store", "assistant"):
        ambiguous |= _match_by_name(kind, source, target, pairs)
    _match_files(source, target, pairs, hashes)
    for kind in ("vector_store", "assistant", "file"):
        for key in pairs.ids[kind]:
            pairs.matched_by.setdefault((kind, key), BY_KEY)
    return ambiguous


def _match_by_name(kind: str, source: Estate, target: Estate, pairs: ObjectPairs) -> AmbiguousKeys:
    known = pairs.ids.setdefault(kind, {})
    taken = set(known.values())
    free = {
        id_: e for id_, e in target.objects(kind).items() if id_ not in taken and usability(e) == "usable"
    }
    by_name: dict[str, list[str]] = {}
    for id_, entity in free.items():
        for name in dict.fromkeys([entity.name, id_ if target.names_are_ids and kind == "assistant" else ""]):
            by_name.setdefault(name, []).append(id_)
    unmatched = [entity for entity in source.objects(kind).values() if entity.id not in known]
    given_ids = {e.id for e in unmatched if e.id != e.name and e.id in free}
    known |= {id_: id_ for id_ in given_ids}
    ambiguous: AmbiguousKeys = {}
    claims: dict[str, list[str]] = {}
    names_are_addresses = kind == "assistant" and CODECS[target.type].assign_names is not None
    candidates: dict[str, list[str]] = {}
    copies = unused_store_copies(target) if kind == "vector_store" else frozenset()
    for entity in unmatched:
        if entity.id in given_ids:
            continue
        if entity.name not in candidates:
            names = [entity.name, valid_name_base(entity.name)] if names_are_addresses else [entity.name]
            named = (id_ for name in names if name for id_ in by_name.get(name, []))
            candidates[entity.name] = [id_ for id_ in dict.fromkeys(named) if id_ not in given_ids]
        several = candidates[entity.name]
        ids = [id_ for id_ in several if id_ not in copies] or several
        if len(ids) == 1:
            claims.setdefault(ids[0], []).append(entity.id)
        elif ids:
            reason = f"{len(ids):,} on the target have this name: {first_of(ids, MAX_NAMES_IN_REASON)}"
            way_out = "give it an `id:` line with the one that is meant, or rename the other"
            ambiguous[kind, entity.id] = (reason, way_out)
    return ambiguous | dict(_resolve_claims(kind, claims, known))


def _resolve_claims(
    kind: str, claims: Mapping[str, list[str]], known: dict[str, str]
) -> Iterator[_AmbiguousKey]:
    """Match each object of the target with the only key that claims it; several claims are ambiguous."""
    for id_, keys in claims.items():
        if len(keys) == 1:
            known[keys[0]] = id_
            continue
        names = first_of(keys, MAX_NAMES_IN_REASON)
        reason = f"{id_} on the target has the name of {len(keys):,} objects of the directory: {names}"
        way_out = f"give the one that is meant the line `id: {id_}`, or another name"
        for key in keys:
            yield (kind, key), (reason, way_out)


def _match_files(source: Estate, target: Estate, pairs: ObjectPairs, hashes: HashReader) -> None:
    """Match files by name and size. Of several, the one with the same bytes, or else one that the same store
    or assistant refers to on the target."""
    known = pairs.ids.setdefault("file", {})
    for key in [key for key in known if pairs.is_guess("file", key)]:
        del known[key], pairs.matched_by["file", key]  # the rules below are more exact
    outdated = _outdated_files(source, target)
    usable = (e for e in target.objects("file").values() if usability(e) == "usable")
    current = {e.id: e for e in usable if e.id not in outdated}
    for key, id_ in list(known.items()):
        if id_ not in current or name_and_size(current[id_]) != name_and_size(source.objects("file")[key]):
            del known[key]  # the directory has other bytes under this key now
            pairs.matched_by.pop(("file", key), None)
    free = {id_: e for id_, e in current.items() if id_ not in set(known.values())}
    skipped = _match_by_bytes(source, target, pairs, free, hashes)
    free = {id_: e for id_, e in free.items() if id_ not in set(known.values()) | skipped}
    by_size: dict[Hashable, dict[str, None]] = {}
    for id_, entity in free.items():
        by_size.setdefault(name_and_size(entity), {})[id_] = None
    near = _nearby_files(source, target, pairs)
    unmatched = [
        e
        for e in source.objects("file").values()
        if e.id not in known and e.id not in pairs.ambiguous_matches
    ]
    places = {id_: n for n, id_ in enumerate(free)}
    for only_nearby in (True, False):
        for entity in unmatched:
            candidates = by_size.get(name_and_size(entity), {})
            nearby = near.get(entity.id, [])
            first = _first_nearby(candidates, nearby, places) if only_nearby else next(iter(candidates), None)
            if entity.id not in known and first is not None:
                known[entity.id] = first
                del candidates[first]


def _match_by_bytes(
    source: Estate, target: Estate, pairs: ObjectPairs, free: Mapping[str, Entity], hashes: HashReader
) -> set[str]:
    """Match the files of which the directory has hash and bytes, where several have the same name and size. A
    wrong match would put one file in the place of another. Returns ids on the target that no other file of
    the directory may be matched with."""
    known = pairs.ids["file"]
    unmatched = [e for e in source.objects("file").values() if e.id not in known]
    alike = [
        group
        for group in same_name_groups(unmatched, free.values(), name_and_size)
        if all(e.fields.get("sha256") and e.facts.get("bytes_from") != BYTES_ABSENT for e in group[0])
    ]
    places = [
        (file_holders(source, pairs.right, closely), file_holders(target, same_id, closely))
        for closely in ((True, False) if alike else ())
    ]
    matches = match_same_name_files(alike, places, everywhere=True, hashes=hashes)
    known |= {key: id_ for key, id_, _ in matches.pairs}
    pairs.ambiguous_matches |= matches.ambiguous
    return matches.skip_ids & free.keys()


def _first_nearby(
    candidates: Mapping[str, None], near: list[frozenset[str]], places: Mapping[str, int]
) -> str | None:
    """The first candidate that is nearby. Both may be long: 10,000 files of one name, or in one store."""
    if len(candidates) <= sum(map(len, near)):
        return next((id_ for id_ in candidates if any(id_ in ids for ids in near)), None)
    return min(
        (id_ for ids in near for id_ in ids if id_ in candidates), key=places.__getitem__, default=None
    )


def _outdated_files(source: Estate, target: Estate) -> set[str]:
    """Files of the target with the bytes that the directory had under a key before. Name and size may be the
    same."""
    sent = uploaded_hashes(source.journal, source.side, target.side)
    hashes = {file.id: file.fields.get("sha256") for file in source.objects("file").values()}
    return {id_ for (key, id_), sha in sent.items() if sha and hashes.get(key) not in (None, sha)}


def _nearby_files(source: Estate, target: Estate, pairs: ObjectPairs) -> Mapping[str, list[frozenset[str]]]:
    """Key of a file -> ids of the files in the same vector stores and assistants on the target."""
    near: dict[str, list[frozenset[str]]] = {}
    for store, target_id in pairs.ids.get("vector_store", {}).items():
        for key in source.store_files[store]:
            near.setdefault(key, []).append(target.store_files.get(target_id, frozenset()))
    target_assistants = target.objects("assistant")
    for assistant, target_id in pairs.ids.get("assistant", {}).items():
        files: frozenset[str] = frozenset()
        if target_id in target_assistants:
            files = _file_refs(target_assistants[target_id])
        for key in _file_refs(source.objects("assistant")[assistant]):
            near.setdefault(key, []).append(files)
    return near


def _file_refs(assistant: Entity) -> frozenset[str]:
    return frozenset(id_ for kind, id_ in named_keys(assistant) if kind == "file")
