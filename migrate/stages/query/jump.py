"""Find objects of one snapshot by an id, old or new, by a name or a part of it, or by the beginning of an id.

For one box of a page, so it must be quick with a million messages: names are looked for in the texts of the
kinds that have them, beginnings of ids of threads in an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrate.archive.hashes import body_id, storable_text
from migrate.archive.id_map import counterpart_ids
from migrate.archive.snapshots.listings import parents_beginning_with
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.model.input_limits import loads
from migrate.stages.object_lookup import NAMED_KINDS
from migrate.stages.query.named_objects import own_name

# Objects that are listed where a text fits several.
MAX_JUMP_TARGETS = 50
# Kinds that have a page, the likeliest first.
PAGE_KINDS = ("thread", "assistant", "vector_store", "file")


@dataclass(frozen=True)
class JumpTarget:
    """An object that fits. `parent`: the id of its thread or store. `why`: in words, '' for its own id."""

    kind: str
    id: str
    name: str = ""
    parent: str = ""
    why: str = ""


@dataclass(frozen=True)
class JumpTargets:
    """What fits a text. `is_exact`: the first one is what was meant. `more`: there are others."""

    targets: tuple[JumpTarget, ...] = ()
    is_exact: bool = False
    more: bool = False


def find_jump_targets(snapshot: SnapshotReader, text: str) -> JumpTargets:
    """The objects of a snapshot that a text may mean."""
    text = storable_text(text.strip())
    if not text:
        return JumpTargets()
    if exact := _by_id(snapshot, text) or _by_other_id(snapshot, text):
        return JumpTargets(tuple(exact), is_exact=True)
    named = list(_by_name(snapshot, text))
    equal = [target for target in named if target.name == text]
    if len(equal) == 1:
        return JumpTargets(tuple(equal), is_exact=True)
    fits = [*equal, *(target for target in named if target.name != text), *_threads(snapshot, text)]
    return JumpTargets(
        tuple(fits[:MAX_JUMP_TARGETS]), is_exact=len(fits) == 1, more=len(fits) > MAX_JUMP_TARGETS
    )


def _by_id(snapshot: SnapshotReader, id_: str, why: str = "") -> list[JumpTarget]:
    """The objects with an id; one with a page of its own first."""
    rows = [JumpTarget(kind, id_, own_name(body), parent, why) for kind, parent, body in snapshot.find(id_)]
    order = {kind: place for place, kind in enumerate(PAGE_KINDS)}
    return sorted(rows, key=lambda row: order.get(row.kind, len(order)))


def _by_other_id(snapshot: SnapshotReader, id_: str) -> list[JumpTarget]:
    """The objects that have an id in another place: what became of them, or what they were."""
    for kind in PAGE_KINDS:
        for other in counterpart_ids(snapshot.conn, kind, id_):
            if found := _by_id(snapshot, storable_text(other), f"{id_} is its id in another place"):
                return found
    return []


def _by_name(snapshot: SnapshotReader, text: str) -> Iterator[JumpTarget]:
    """Objects whose name has the text, or whose id begins with it."""
    folded = text.casefold()
    for kind in NAMED_KINDS:
        for _, body_text in snapshot.texts(kind):
            # Most bodies fail this test, which parses nothing. An escape may hide any character.
            if folded not in body_text.casefold() and "\\" not in body_text:
                continue
            body = loads(body_text)
            id_, name = body_id(body), own_name(body)
            if folded in name.casefold():
                yield JumpTarget(kind, id_, name)
            elif id_.startswith(text):
                yield JumpTarget(kind, id_, name, why="by the beginning of its id")


def _threads(snapshot: SnapshotReader, text: str) -> Iterator[JumpTarget]:
    """Threads whose id begins with a text."""
    for id_ in parents_beginning_with(snapshot.conn, text, MAX_JUMP_TARGETS):
        if any(kind == "thread" for kind, _, _ in snapshot.find(id_)):
            yield JumpTarget("thread", id_, why="by the beginning of its id")
