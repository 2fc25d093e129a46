"""Match the objects of two estates: by id, journal and stamp, and last by a guess, which is reported as one.

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

from migrate.codecs.foundry.valid_names import valid_name_base
from migrate.model import JSON, Entity
from migrate.model.file import file_on_service
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.results.archive import IdMapping
from migrate.model.stamp import original_assistant_id, stamp
from migrate.stages.config_directory.select import select_configuration, unused_store_copies
from migrate.stages.estate import Estate
from migrate.stages.match.files import (
    HashReader,
    file_holders,
    file_name_key,
    match_same_name_files,
    name_and_size,
    same_id,
    same_name_groups,
)
from migrate.stages.object_fingerprints import content_fingerprint, object_fingerprint

# How two objects were matched. Any other value is the natural key of a guess.
BY_ID, BY_KEY, BY_JOURNAL, BY_STAMP, BY_ORIGINAL_ID = "id", "key", "journal", "stamp", "original_v1_id"
CERTAIN_MATCHES = frozenset({BY_ID, BY_KEY, BY_JOURNAL, BY_STAMP, BY_ORIGINAL_ID})
_NO_IDS: frozenset[str] = frozenset()


@dataclass
class ObjectPairs:
    """The pairs of every kind. Keys (kind, id) and ids are of the left side."""

    # Kind -> left id -> right id.
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    # (kind, id) -> how the pair was found.
    matched_by: dict[tuple[str, str], str] = field(default_factory=dict)
    # (kind, id) of pairs by a stamp with an id that another project may use as well.
    unproven_matches: set[tuple[str, str]] = field(default_factory=set)
    # File -> right ids of which one may be its copy.
    ambiguous_matches: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def right(self, kind: str, left: str) -> str | None:
        """The counterpart of a left id."""
        return self.ids.get(kind, {}).get(left)

    def is_guess(self, kind: str, left: str) -> bool:
        """Whether a pair was found by a natural key, such as a name."""
        return self.matched_by.get((kind, left), BY_ID) not in CERTAIN_MATCHES


def pair_estates(
    left: Estate,
    right: Estate,
    journal: Mapping[tuple[str, str], str],
    guess: bool,
    known_copies: frozenset[str] = _NO_IDS,
    hashes: HashReader | None = None,
) -> ObjectPairs:
    """Pair the objects of two estates.

    `journal`: (kind, left id) -> right id. `guess` allows natural keys between two places; in one place
    objects of different ids are different objects, however similar they are. `known_copies`: see
    `unused_store_copies`. `hashes` reads files on the right where several have the same name and size.

    Files have no stamp. Where stamps of other objects show that this source was moved here before, files are
    matched by name and size even without a journal; verify checks their bytes. Where a journal knows only
    part of it, because another archive moved the rest, only files in the same stores and assistants are
    matched."""
    pairs = ObjectPairs()
    guess = guess and (left.side != right.side or left.codec.ids_are_keys)
    match = partial(
        _KindMatcher, left=left, right=right, journal=journal, pairs=pairs, known_copies=known_copies
    )
    for kind in ("vector_store", "assistant", "thread"):
        match(kind, guess=guess).run()
    moved_before = BY_STAMP in pairs.matched_by.values()
    match("file", guess=guess or moved_before, everywhere=guess or not journal, hashes=hashes).run()
    return pairs


def trusted_pairs(left: Estate, right: Estate, lines: Iterable[IdMapping]) -> dict[tuple[str, str], str]:
    """(kind, left id) -> right id, from the rows of an id map that are still true.

    Where ids of assistants are names, another object may have taken the name since. Then the stamp proves the
    pair, or, if the stamp contains a name again, only the fingerprint that the last move left. In one project
    a copy that this program created is on the left as well, with a row of its own; the row with its origin
    replaces that."""
    lines = list(lines)
    copies = {(line.kind, line.target_id) for line in lines if line.source_id != line.target_id}
    assistants = right.objects("assistant") if right.names_are_ids and left.side != right.side else {}

    def is_proven(line: IdMapping) -> bool:
        existing = assistants.get(line.target_id) if line.kind == "assistant" else None
        if existing is None or object_fingerprint(existing) == line.written:
            return True
        return not left.names_are_ids and stamp(existing) == f"{left.type}:{line.source_id}"

    return {
        (line.kind, line.source_id): line.target_id
        for line in lines
        if is_proven(line)
        and not (line.source_id == line.target_id and (line.kind, line.target_id) in copies)
    }


# Left id, right id, and how they were matched. Pairs of which one side is taken already are ignored.
_Candidate = tuple[str, str | None, str]


@dataclass
class _KindMatcher:
    """Matches the objects of one kind by the strategies of `_STRATEGIES`, the surest first."""

    kind: str
    left: Estate
    right: Estate
    journal: Mapping[tuple[str, str], str]
    pairs: ObjectPairs
    guess: bool
    known_copies: frozenset[str]
    everywhere: bool = True
    hashes: HashReader | None = None
    # Files that must not be matched by a guess.
    skip_ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.left_objects, self.right_objects = (
            estate.objects(self.kind) for estate in (self.left, self.right)
        )
        self.free_left, self.free_right = dict.fromkeys(self.left_objects), dict.fromkeys(self.right_objects)
        self.by_key = self.left.codec.ids_are_keys or self.right.codec.ids_are_keys
        self.same_side = self.left.side == self.right.side

    def run(self) -> None:
        """Add the pairs of this kind."""
        ids: dict[str, str] = {}
        for strategy in _STRATEGIES:
            for left_id, right_id, how in strategy(self):
                if left_id in self.free_left and right_id is not None and right_id in self.free_right:
                    ids[left_id] = right_id
                    self.pairs.matched_by[(self.kind, left_id)] = how
                    del self.free_left[left_id], self.free_right[right_id]
        self.pairs.ids[self.kind] = ids

    def same_ids(self) -> Iterator[_Candidate]:
        """Equal ids on one endpoint, and equal keys of config directories."""
        if self.same_side or self.by_key:
            how = BY_ID if self.same_side else BY_KEY
            yield from ((id_, id_, how) for id_ in self.left_objects)

    def journal_rows(self) -> Iterator[_Candidate]:
        """What a journal knows."""
        return ((id_, self.journal.get((self.kind, id_)), BY_JOURNAL) for id_ in self.left_objects)

    def stamps(self) -> Iterator[_Candidate]:
        """Stamps on either side that refer to an object of the other side."""
        by_name = self.kind == "assistant"
        for entity in self.right_objects.values() if self.free_left else ():
            type_, _, origin = stamp(entity).partition(":")
            if type_ == self.left.type and origin in self.free_left:
                yield origin, entity.id, BY_STAMP
                if self.left.names_are_ids and by_name:
                    self.pairs.unproven_matches.add((self.kind, origin))
        for id_ in list(self.free_left):
            type_, _, origin = stamp(self.left_objects[id_]).partition(":")
            if type_ == self.right.type and not (self.right.names_are_ids and by_name):
                yield id_, origin, BY_STAMP

    def original_ids(self) -> Iterator[_Candidate]:
        """Agents that another tool created, with the id of the assistant that they were created from. An id
        of the older generation is random and long, so it is proof enough; a name is not."""
        if self.kind != "assistant":
            return
        if not self.left.names_are_ids:
            for entity in self.right_objects.values():
                yield original_assistant_id(entity), entity.id, BY_ORIGINAL_ID
        if not self.right.names_are_ids:
            for entity in self.left_objects.values():
                yield entity.id, original_assistant_id(entity), BY_ORIGINAL_ID

    def same_name_files(self) -> Iterator[_Candidate]:
        """Files of which a side has several of one name and size. Files that both generations of one project
        show are the same ones, and no guess."""
        if self.kind != "file" or self.hashes is None or not self._may_guess():
            return
        left, right = self.left_objects, self.right_objects
        shared = left.keys() & right.keys() if self.left.side.url == self.right.side.url else _NO_IDS
        groups = same_name_groups(
            (file_on_service(left[id_]) for id_ in self.free_left if id_ not in shared),
            (right[id_] for id_ in self.free_right if id_ not in shared),
            name_and_size,
        )
        places = [
            (file_holders(self.left, self.pairs.right, exact), file_holders(self.right, same_id, exact))
            for exact in ((True, False) if groups else ())
        ]
        matches = match_same_name_files(groups, places, self.everywhere, self.hashes)
        self.pairs.ambiguous_matches |= matches.ambiguous
        self.skip_ids = matches.skip_ids
        yield from matches.pairs

    def natural_keys(self) -> Iterator[_Candidate]:
        """Keys that occur equally often on both sides, such as a hash, a content or a name."""
        if not self._may_guess():
            return
        keys = list(self._keys())
        rounds = self._skipped_ids() if self.by_key and not self.same_side else [_NO_IDS]
        for skipped, (name, key) in product(rounds, keys):
            # a config directory knows its objects by name
            how = BY_KEY if self.by_key and not self.same_side and name == "name" else name
            skip = skipped | self.skip_ids
            left = [self.left_objects[id_] for id_ in self.free_left if id_ not in skip]
            right = [self.right_objects[id_] for id_ in self.free_right if id_ not in skip]
            for left_id, right_id in _pairs_of_equal_key(key, self.left, self.right, left, right):
                yield left_id, right_id, how

    def _may_guess(self) -> bool:
        return self.guess and bool(self.free_left) and bool(self.free_right)

    def _skipped_ids(self) -> list[frozenset[str]]:
        """Ids that a config directory is not compared with, for one round after the other: copies of stores
        always, files that are no configuration in the first round."""
        sides = self.left, self.right
        if self.kind == "vector_store":
            copies = (unused_store_copies(estate, self.known_copies) for estate in sides)
            return [_NO_IDS.union(*copies)]
        if self.kind == "file":
            files = _NO_IDS.union(*(estate.objects("file") for estate in sides))
            chosen = (select_configuration(estate, known_copies=self.known_copies).files for estate in sides)
            return [files.difference(*chosen), _NO_IDS]
        return [_NO_IDS]

    def _keys(self) -> Iterator[tuple[str, NaturalKey]]:
        """The natural keys of the kind. A name and a size of a file say little: files in the same stores and
        assistants are matched first, and others only `everywhere`."""
        if self.kind != "file":
            yield from NATURAL_KEYS[self.kind]
            return
        holders = {
            id(self.left): file_holders(self.left, self.pairs.right),
            id(self.right): file_holders(self.right, same_id),
        }

        def with_holders(key: NaturalKey, estate: Estate, file: Entity) -> Hashable | None:
            value, places = key(estate, file), holders[id(estate)].get(file.id)
            return (value, places) if value is not None and places else None

        for name, key in NATURAL_KEYS[self.kind]:
            yield name, partial(with_holders, key)
            if self.everywhere:
                yield name, key


# The most certain first: a later one gets only what the earlier ones left unpaired.
_STRATEGIES: tuple[Callable[[_KindMatcher], Iterator[_Candidate]], ...] = (
    _KindMatcher.same_ids,
    _KindMatcher.journal_rows,
    _KindMatcher.stamps,
    _KindMatcher.original_ids,
    _KindMatcher.same_name_files,
    _KindMatcher.natural_keys,
)


def _pairs_of_equal_key(
    key: NaturalKey,
    left_estate: Estate,
    right_estate: Estate,
    left: Iterable[Entity],
    right: Iterable[Entity],
) -> list[tuple[str, str]]:
    """Pairs whose key occurs equally often on both sides, in order."""
    left_keys = [(key(left_estate, entity), entity.id) for entity in left]
    counts = Counter(value for value, _ in left_keys)
    right_ids: dict[Hashable, list[str]] = {}
    for entity in right:
        right_ids.setdefault(key(right_estate, entity), []).append(entity.id)
    equal = {value for value, ids in right_ids.items() if value is not None and counts[value] == len(ids)}
    return [(id_, right_ids[value].pop(0)) for value, id_ in left_keys if value in equal]


NaturalKey = Callable[[Estate, Entity], Hashable | None]


def _content_key(estate: Estate, entity: Entity) -> Hashable | None:
    fields = {**entity.fields, "tool_resources": None}
    return content_fingerprint(Entity(entity.kind, entity.id, entity.parent, fields))


def _name_key(estate: Estate, entity: Entity) -> Hashable | None:
    return entity.name or None


def _address_key(estate: Estate, entity: Entity) -> Hashable | None:
    """The name as the newer generation spells names: letters, digits and hyphens."""
    return valid_name_base(entity.name).casefold() or None


def _hash_key(estate: Estate, file: Entity) -> Hashable | None:
    file = file_on_service(file)
    return (file_name_key(file), file.fields["sha256"]) if file.fields.get("sha256") else None


def _name_and_size_key(estate: Estate, file: Entity) -> Hashable | None:
    return name_and_size(file_on_service(file))


def _conversation_key(estate: Estate, thread: Entity) -> Hashable | None:
    """Roles and texts of all messages, and the metadata of the thread."""
    digest = hashlib.sha256()
    for message in estate.iter_members("message", thread.id):
        texts = [_text_or_part(part) for part in message.fields.get("content") or []]
        digest.update(json_digest([message.fields.get("role"), texts]).encode())
    return json_digest([digest.hexdigest(), normalize_entity(thread).get("metadata")])


def _text_or_part(part: JSON) -> JSON:
    """The text of a part without annotations; a part of another type as it is."""
    text = part.get("text") if isinstance(part, dict) else None
    return text.get("value") if isinstance(text, dict) else part


# Kind -> its natural keys with their names, the surest first.
NATURAL_KEYS: dict[str, tuple[tuple[str, NaturalKey], ...]] = {
    "file": (("hash", _hash_key), ("name and size", _name_and_size_key)),
    "vector_store": (("content", _content_key), ("name", _name_key)),
    "assistant": (("content", _content_key), ("name", _name_key), ("name as an address", _address_key)),
    "thread": (("content", _conversation_key),),
}
