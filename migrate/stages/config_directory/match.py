"""Match the keys of a config directory with objects of the target, where that is unambiguous.

Pairs known from the journal or a stamp stay. Else an id that the directory gives is that id, and a name is
the one object of that name: where there are two, here or there, nobody can say, and nothing is done. A copy
that we made beside a store of the same place is not meant.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping

from migrate.archive.id_map import uploaded_hashes
from migrate.codecs import CODECS
from migrate.codecs.adapt.models import target_model_name
from migrate.codecs.foundry.agent_names import valid_name_base
from migrate.model import KINDS, Entity
from migrate.model.entity import usability
from migrate.model.file import BYTES_ABSENT
from migrate.model.normalize import normalize_written_fields
from migrate.model.object_diff import diff_objects
from migrate.model.project_resources import (
    connections_in_other_project,
    replace_connections,
    short_connection_name,
)
from migrate.model.references import references_of, remap_references
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
    entity: Entity, there: Entity, models: Mapping[str, str], links: Mapping[str, str], lookup: Lookup
) -> bool:
    """Whether the target holds an object exactly as the files say it. `lookup`: key -> id there."""
    wanted = entity
    if entity.kind == "assistant":
        fields = dict(
            replace_connections(
                entity.fields, lambda old: links.get(old) or links.get(short_connection_name(old)) or old
            )
        )
        if isinstance(fields.get("model"), str):
            fields["model"] = target_model_name(fields["model"], models, links)
        wanted = entity.with_fields(**fields)
        if connections_in_other_project(wanted.fields, there.fields):
            return False
    return not diff_objects(
        normalize_written_fields(remap_references(KINDS[entity.kind], wanted, lookup)),
        normalize_written_fields(there),
    )


_AmbiguousKey = tuple[tuple[str, str], tuple[str, str]]
# (kind, key) -> why, and the way out.
AmbiguousKeys = dict[tuple[str, str], tuple[str, str]]
# Keys or ids that a reason names.
MAX_NAMES_IN_REASON = 8


def match_by_key(ours: Estate, theirs: Estate, pairs: ObjectPairs, hashes: HashReader) -> AmbiguousKeys:
    """Add to `pairs` what keys tell. What is unclear is given back. `hashes`: asked for the bytes of files of
    which several have a name and size."""
    unclear: AmbiguousKeys = {}
    for kind in ("vector_store", "assistant"):
        unclear |= _match_by_name(kind, ours, theirs, pairs)
    _match_files(ours, theirs, pairs, hashes)
    for kind in ("vector_store", "assistant", "file"):
        for key in pairs.ids[kind]:
            pairs.matched_by.setdefault((kind, key), BY_KEY)
    return unclear


def _match_by_name(kind: str, ours: Estate, theirs: Estate, pairs: ObjectPairs) -> AmbiguousKeys:
    found = pairs.ids.setdefault(kind, {})
    taken = set(found.values())
    free = {
        id_: e for id_, e in theirs.objects(kind).items() if id_ not in taken and usability(e) == "usable"
    }
    by_name: dict[str, list[str]] = {}
    for id_, entity in free.items():
        for name in dict.fromkeys([entity.name, id_ if theirs.names_are_ids and kind == "assistant" else ""]):
            by_name.setdefault(name, []).append(id_)
    waiting = [entity for entity in ours.objects(kind).values() if entity.id not in found]
    said = {e.id for e in waiting if e.id != e.name and e.id in free}
    found |= {id_: id_ for id_ in said}
    unclear: AmbiguousKeys = {}
    claims: dict[str, list[str]] = {}
    addressed = kind == "assistant" and CODECS[theirs.type].assign_names is not None
    fitting: dict[str, list[str]] = {}
    beside = unused_store_copies(theirs) if kind == "vector_store" else frozenset()
    for entity in waiting:
        if entity.id in said:
            continue
        if entity.name not in fitting:
            names = [entity.name, valid_name_base(entity.name)] if addressed else [entity.name]
            there = (id_ for name in names if name for id_ in by_name.get(name, []))
            fitting[entity.name] = [id_ for id_ in dict.fromkeys(there) if id_ not in said]
        several = fitting[entity.name]
        ids = [id_ for id_ in several if id_ not in beside] or several
        if len(ids) == 1:
            claims.setdefault(ids[0], []).append(entity.id)
        elif ids:
            reason = f"{len(ids):,} on the target have this name: {_first_names(ids)}"
            way_out = "give it an `id:` line with the one that is meant, or rename the other"
            unclear[kind, entity.id] = (reason, way_out)
    return unclear | dict(_resolve_claims(kind, claims, found))


def _resolve_claims(
    kind: str, claims: Mapping[str, list[str]], found: dict[str, str]
) -> Iterator[_AmbiguousKey]:
    """Each object of the target to the one key that means it; where two do, neither has it."""
    for id_, keys in claims.items():
        if len(keys) == 1:
            found[keys[0]] = id_
            continue
        names = _first_names(keys)
        reason = f"{id_} on the target has the name of {len(keys):,} objects of the directory: {names}"
        way_out = f"give the one that is meant the line `id: {id_}`, or another name"
        for key in keys:
            yield (kind, key), (reason, way_out)


def _first_names(names: list[str]) -> str:
    """The first of them: each of 10,000 objects may have as many to name."""
    more = f" and {len(names) - MAX_NAMES_IN_REASON:,} more" if len(names) > MAX_NAMES_IN_REASON else ""
    return f"{', '.join(names[:MAX_NAMES_IN_REASON])}{more}"


def _match_files(ours: Estate, theirs: Estate, pairs: ObjectPairs, hashes: HashReader) -> None:
    """By name and size; of several, the one of its bytes, or that its store or its assistant holds there."""
    known = pairs.ids.setdefault("file", {})
    for key in [key for key in known if pairs.is_guess("file", key)]:
        del known[key], pairs.matched_by["file", key]  # what follows knows more
    old = _outdated_files(ours, theirs)
    usable = (e for e in theirs.objects("file").values() if usability(e) == "usable")
    there = {e.id: e for e in usable if e.id not in old}
    for key, id_ in list(known.items()):
        if id_ not in there or name_and_size(there[id_]) != name_and_size(ours.objects("file")[key]):
            del known[key]  # the directory has other bytes under this key now
            pairs.matched_by.pop(("file", key), None)
    free = {id_: e for id_, e in there.items() if id_ not in set(known.values())}
    aside = _match_by_bytes(ours, theirs, pairs, free, hashes)
    free = {id_: e for id_, e in free.items() if id_ not in set(known.values()) | aside}
    shapes: dict[Hashable, dict[str, None]] = {}
    for id_, entity in free.items():
        shapes.setdefault(name_and_size(entity), {})[id_] = None
    near = _nearby_files(ours, theirs, pairs)
    waiting = [
        e for e in ours.objects("file").values() if e.id not in known and e.id not in pairs.ambiguous_matches
    ]
    places = {id_: n for n, id_ in enumerate(free)}
    for sure in (True, False):
        for entity in waiting:
            candidates = shapes.get(name_and_size(entity), {})
            held = near.get(entity.id, [])
            first = _first_nearby(candidates, held, places) if sure else next(iter(candidates), None)
            if entity.id not in known and first is not None:
                known[entity.id] = first
                del candidates[first]


def _match_by_bytes(
    ours: Estate, theirs: Estate, pairs: ObjectPairs, free: Mapping[str, Entity], hashes: HashReader
) -> set[str]:
    """Pair the files whose hash and bytes the directory has, where several have a name and size: one that was
    taken for another would give it the other's place. Of the target, those that none of the rest may be."""
    known = pairs.ids["file"]
    waiting = [e for e in ours.objects("file").values() if e.id not in known]
    alike = [
        group
        for group in same_name_groups(waiting, free.values(), name_and_size)
        if all(e.fields.get("sha256") and e.facts.get("bytes_from") != BYTES_ABSENT for e in group[0])
    ]
    places = [
        (file_holders(ours, pairs.right, closely), file_holders(theirs, same_id, closely))
        for closely in ((True, False) if alike else ())
    ]
    found = match_same_name_files(alike, places, everywhere=True, hashes=hashes)
    known |= {one: other for one, other, _ in found.pairs}
    pairs.ambiguous_matches |= found.ambiguous
    return found.skip_ids & free.keys()


def _first_nearby(
    candidates: Mapping[str, None], near: list[frozenset[str]], places: Mapping[str, int]
) -> str | None:
    """The first candidate that lies near. Either may be long: 10,000 files of one name, or in one store."""
    if len(candidates) <= sum(map(len, near)):
        return next((id_ for id_ in candidates if any(id_ in held for held in near)), None)
    return min(
        (id_ for held in near for id_ in held if id_ in candidates), key=places.__getitem__, default=None
    )


def _outdated_files(ours: Estate, theirs: Estate) -> set[str]:
    """Files of the target that hold what the directory had under a key before: a name and a size would not
    tell."""
    sent = uploaded_hashes(ours.snapshot.conn, ours.side, theirs.side)
    hashes = {file.id: file.fields.get("sha256") for file in ours.objects("file").values()}
    return {id_ for (key, id_), sha in sent.items() if sha and hashes.get(key) not in (None, sha)}


def _nearby_files(ours: Estate, theirs: Estate, pairs: ObjectPairs) -> Mapping[str, list[frozenset[str]]]:
    """Key of a file -> what the target holds where it lies: in the same stores and assistants."""
    near: dict[str, list[frozenset[str]]] = {}
    for store, other in pairs.ids.get("vector_store", {}).items():
        for key in ours.store_files[store]:
            near.setdefault(key, []).append(theirs.store_files.get(other, frozenset()))
    there = theirs.objects("assistant")
    for assistant, other in pairs.ids.get("assistant", {}).items():
        held = _file_refs(there[other]) if other in there else frozenset()
        for key in _file_refs(ours.objects("assistant")[assistant]):
            near.setdefault(key, []).append(held)
    return near


def _file_refs(assistant: Entity) -> frozenset[str]:
    form = KINDS["assistant"]
    return frozenset(id_ for _, kind, id_ in references_of(form, assistant) if kind == "file")
