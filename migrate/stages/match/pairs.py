"""Match the objects of two estates: by journal, stamp, id, and last by a guess, which is reported as one.

Equal ids match on one endpoint only, never between two endpoints. In a config directory people choose the
keys, so there keys match.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product

from migrate.codecs.foundry.agent_names import valid_name_base
from migrate.model import JSON, Entity
from migrate.model.file import file_on_service, normalize_filename
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.results.archive import IdMapping as Line
from migrate.model.stamp import original_assistant_id
from migrate.stages.config_directory.select import select_configuration, unused_store_copies
from migrate.stages.estate import Estate, stamp
from migrate.stages.fingerprints import object_fingerprint
from migrate.stages.match.files import (
    HashReader,
    SameNameMatches,
    file_holders,
    match_same_name_files,
    same_id,
    same_name_groups,
)

# Left id -> right id.
_IdPairs = dict[str, str]

BY_ID, BY_KEY, BY_JOURNAL, BY_STAMP, BY_ORIGINAL_ID = "id", "key", "journal", "stamp", "original_v1_id"
# How two objects were found to be one; any other word is the natural key of a guess.
CERTAIN_MATCHES = frozenset({BY_ID, BY_KEY, BY_JOURNAL, BY_STAMP, BY_ORIGINAL_ID})
_NO_IDS: frozenset[str] = frozenset()


@dataclass
class ObjectPairs:
    """The pairs of every kind, and how each was found: (kind, left id) -> a word."""

    ids: dict[str, _IdPairs] = field(default_factory=dict)
    matched_by: dict[tuple[str, str], str] = field(default_factory=dict)
    unproven_matches: set[tuple[str, str]] = field(default_factory=set)
    """Found by a stamp that names an id which another project may use as well."""
    ambiguous_matches: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """File on the left -> those on the right of which nobody can say whether one is its copy."""

    def right(self, kind: str, left: str) -> str | None:
        """The counterpart of a left id."""
        return self.ids.get(kind, {}).get(left)

    def is_guess(self, kind: str, left: str) -> bool:
        """Whether only a natural key says so."""
        return self.matched_by.get((kind, left), BY_ID) not in CERTAIN_MATCHES


def pair_estates(
    left: Estate,
    right: Estate,
    journal: Mapping[tuple[str, str], str],
    guess: bool,
    known_copies: frozenset[str] = _NO_IDS,
    hashes: HashReader | None = None,
) -> ObjectPairs:
    """Pair two estates. `journal` maps (kind, left id) to a right id. `guess` allows natural keys between two
    places; in one place two objects of different ids are different objects, however similar they are.
    `known_copies`: see `unused_store_copies`. `hashes` reads the hashes of files on the right where several
    have the same name and size, so that no guess confuses them.

    Files carry no stamp. Where stamps of other objects show that this source was moved here before, files are
    matched by name and size even without a journal; verify checks their bytes. Where a journal knows only
    part of it (another archive moved the rest), only files in the same stores and assistants are matched."""
    pairs = ObjectPairs()
    guess = guess and (left.side != right.side or left.codec.ids_are_keys)
    for kind in ("vector_store", "assistant"):
        _pair_kind(pairs, kind, left, right, journal, guess, known_copies=known_copies)
    _pair_kind(pairs, "thread", left, right, journal, guess)
    moved_before = BY_STAMP in pairs.matched_by.values()
    everywhere = guess or not journal
    _pair_kind(pairs, "file", left, right, journal, guess or moved_before, everywhere, known_copies, hashes)
    return pairs


def trusted_pairs(left: Estate, right: Estate, lines: Iterable[Line]) -> dict[tuple[str, str], str]:
    """(kind, left id) -> right id from the lines of an id map, without assistants whose address on the
    right another object has taken since: there a name is no proof, but our stamp is, and where the stamp
    names a name again, only what we left there is.

    In one project a copy that we made is seen on the left as well, and noted as itself: that line gives way
    to the one that says what it was made from."""
    lines = list(lines)
    copies = {(line.kind, line.target_id) for line in lines if line.source_id != line.target_id}
    assistants = right.objects("assistant") if right.names_are_ids and left.side != right.side else {}

    def ours(line: Line) -> bool:
        there = assistants.get(line.target_id) if line.kind == "assistant" else None
        if there is None or object_fingerprint(there) == line.written:
            return True
        return not left.names_are_ids and stamp(there) == f"{left.type}:{line.source_id}"

    return {
        (line.kind, line.source_id): line.target_id
        for line in lines
        if ours(line) and not (line.source_id == line.target_id and (line.kind, line.target_id) in copies)
    }


def _pair_kind(
    pairs: ObjectPairs,
    kind: str,
    left: Estate,
    right: Estate,
    journal: Mapping[tuple[str, str], str],
    guess: bool,
    everywhere: bool = True,
    known_copies: frozenset[str] = _NO_IDS,
    hashes: HashReader | None = None,
) -> None:
    ours, theirs = (
        estate.threads_by_id if kind == "thread" else estate.objects(kind) for estate in (left, right)
    )
    free_left, free_right = dict.fromkeys(ours), dict.fromkeys(theirs)
    found: _IdPairs = {}

    def take(one: str, other: str | None, how: str) -> None:
        if one in free_left and other in free_right:
            found[one] = other
            pairs.matched_by[(kind, one)] = how
            del free_left[one], free_right[other]

    keyed = left.codec.ids_are_keys or right.codec.ids_are_keys
    same = BY_ID if left.side == right.side else BY_KEY if keyed else ""
    for id_ in ours if same else ():
        take(id_, id_, same)
    for id_ in ours:
        take(id_, journal.get((kind, id_)), BY_JOURNAL)
    for entity in theirs.values() if free_left else ():
        type_, _, old = stamp(entity).partition(":")
        if type_ == left.type and old in free_left:
            take(old, entity.id, BY_STAMP)
            pairs.unproven_matches |= {(kind, old)} if left.names_are_ids and kind == "assistant" else set()
    for id_ in list(free_left):
        entity = ours[id_]
        type_, _, old = stamp(entity).partition(":")
        if type_ == right.type and not (right.names_are_ids and kind == "assistant"):
            take(entity.id, old, BY_STAMP)
    if kind == "assistant":
        _pair_by_original_id(left, right, ours, theirs, take)
    natural = guess and free_left and free_right
    alike = SameNameMatches()
    if natural and kind == "file" and hashes is not None:
        alike = _pair_same_name_files(pairs, left, right, free_left, free_right, everywhere, hashes)
        pairs.ambiguous_matches |= alike.ambiguous
    for one, other, word in alike.pairs:
        take(one, other, word)
    keys = list(_natural_keys(kind, pairs, left, right, everywhere)) if natural else []
    for aside, (how, key) in product(
        _ids_to_skip(kind, left, right, known_copies) if same == BY_KEY else [_NO_IDS], keys
    ):
        word = BY_KEY if same == BY_KEY and how == "name" else how  # a directory knows its objects by name
        free = [
            [entities[id_] for id_ in unpaired if id_ not in aside and id_ not in alike.skip_ids]
            for entities, unpaired in ((ours, free_left), (theirs, free_right))
        ]
        for one, other in _pairs_of_equal_key(key, left, right, *free):
            take(one, other, word)
    pairs.ids[kind] = found


def _pair_same_name_files(
    pairs: ObjectPairs,
    left: Estate,
    right: Estate,
    free_left: Iterable[str],
    free_right: Iterable[str],
    everywhere: bool,
    hashes: HashReader,
) -> SameNameMatches:
    """Files of one name and size. Both generations of one project show the same ones, which are no matter of
    a guess."""
    ours, theirs = left.objects("file"), right.objects("file")
    same = ours.keys() & theirs.keys() if left.side.url == right.side.url else _NO_IDS
    one = (file_on_service(ours[id_]) for id_ in free_left if id_ not in same)
    other = (theirs[id_] for id_ in free_right if id_ not in same)
    found = same_name_groups(one, other, _file_name_and_size)
    places = [
        (file_holders(left, pairs.right, closely), file_holders(right, same_id, closely))
        for closely in ((True, False) if found else ())
    ]
    return match_same_name_files(found, places, everywhere, hashes)


def _ids_to_skip(
    kind: str, left: Estate, right: Estate, known_copies: frozenset[str]
) -> list[frozenset[str]]:
    """Ids left aside where a config directory is paired, for one look after the other: copies of stores
    always, files that are no configuration at the first look."""
    if kind == "vector_store":
        return [unused_store_copies(left, known_copies) | unused_store_copies(right, known_copies)]
    if kind == "file":
        every = frozenset(id_ for estate in (left, right) for id_ in estate.objects("file"))
        return [
            every
            - select_configuration(left, known_copies=known_copies).files
            - select_configuration(right, known_copies=known_copies).files,
            _NO_IDS,
        ]
    return [_NO_IDS]


def _pair_by_original_id(
    left: Estate,
    right: Estate,
    ours: Mapping[str, Entity],
    theirs: Mapping[str, Entity],
    take: Callable[[str, str, str], None],
) -> None:
    """Agents that another tool made, and that say from which assistant. An id of the older generation is
    random and long, so it is proof enough; a name is not."""
    if not left.names_are_ids:
        for entity in theirs.values():
            take(original_assistant_id(entity), entity.id, BY_ORIGINAL_ID)
    if not right.names_are_ids:
        for entity in ours.values():
            take(entity.id, original_assistant_id(entity), BY_ORIGINAL_ID)


NaturalKey = Callable[[Estate, Entity], Hashable | None]


def _natural_keys(
    kind: str, pairs: ObjectPairs, left: Estate, right: Estate, everywhere: bool
) -> Iterator[tuple[str, NaturalKey]]:
    """The natural keys of a kind. Of files that are alike, those first that lie in the same stores and
    assistants: a name and a size say little. Unless `everywhere`, no others."""
    if kind != "file":
        yield from NATURAL_KEYS[kind]
        return
    held = {id(left): file_holders(left, pairs.right), id(right): file_holders(right, same_id)}

    def beside(key: NaturalKey, estate: Estate, file: Entity) -> Hashable | None:
        found, where = key(estate, file), held[id(estate)].get(file.id)
        return (found, where) if found is not None and where else None

    for how, key in NATURAL_KEYS[kind]:
        yield how, partial(beside, key)
        if everywhere:
            yield how, key


def _pairs_of_equal_key(
    key: NaturalKey, left: Estate, right: Estate, ours: Iterable[Entity], theirs: Iterable[Entity]
) -> list[tuple[str, str]]:
    """Pairs whose key occurs equally often on both sides, in order."""
    one = [(key(left, e), e.id) for e in ours]
    other = [(key(right, e), e.id) for e in theirs]
    counts, there = Counter(k for k, _ in one), Counter(k for k, _ in other)
    by_key: dict[Hashable, list[str]] = {}
    for k, id_ in other:
        by_key.setdefault(k, []).append(id_)
    return [
        (id_, by_key[k].pop(0))
        for k, id_ in one
        if k is not None and counts[k] == there.get(k, 0) and by_key[k]
    ]


def _content_key(estate: Estate, entity: Entity) -> Hashable | None:
    plain = Entity(entity.kind, entity.id, entity.parent, {**entity.fields, "tool_resources": None})
    return json_digest(normalize_entity(plain))


def _name_key(estate: Estate, entity: Entity) -> Hashable | None:
    return entity.name or None


def _address_key(estate: Estate, entity: Entity) -> Hashable | None:
    """The name as the newer generation spells names: letters, digits and hyphens."""
    return valid_name_base(entity.name).casefold() or None


def _hash_key(estate: Estate, file: Entity) -> Hashable | None:
    file = file_on_service(file)
    return (_file_name_digest(file), file.fields["sha256"]) if file.fields.get("sha256") else None


def _name_and_size_key(estate: Estate, file: Entity) -> Hashable | None:
    return _file_name_and_size(file_on_service(file))


def _file_name_and_size(file: Entity) -> Hashable:
    return (_file_name_digest(file), file.fields.get("bytes"))


def _file_name_digest(file: Entity) -> str:
    """The name of a file, the same before and after a move changed its ending to small letters."""
    name = normalize_entity(file).get("filename")
    return json_digest(normalize_filename(name) if isinstance(name, str) else name)


def _conversation_key(estate: Estate, thread: Entity) -> Hashable | None:
    """What was said, whoever holds it: roles and texts."""
    said = hashlib.sha256()
    for message in estate.iter_members("message", thread.id):
        texts = [_part_text(part) for part in message.fields.get("content") or []]
        said.update(json_digest([message.fields.get("role"), texts]).encode())
    return json_digest([said.hexdigest(), normalize_entity(thread).get("metadata")])


def _part_text(part: JSON) -> JSON:
    """The words of a part; of one that is no text, the part itself."""
    text = part.get("text") if isinstance(part, dict) else None
    return text.get("value") if isinstance(text, dict) else part


# Kind -> its natural keys, the surest first, each with the word for it.
NATURAL_KEYS: dict[str, tuple[tuple[str, NaturalKey], ...]] = {
    "file": (("hash", _hash_key), ("name and size", _name_and_size_key)),
    "vector_store": (("content", _content_key), ("name", _name_key)),
    "assistant": (("content", _content_key), ("name", _name_key), ("name as an address", _address_key)),
    "thread": (("content", _conversation_key),),
}
