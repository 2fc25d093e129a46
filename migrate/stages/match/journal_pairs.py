"""Read the pairs of two estates from the journals of archives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.archive.database import Archive, translate_damage
from migrate.archive.id_map import Derivation, Side, derivations, id_map, message_id_pairs, uploaded_hashes
from migrate.stages.match.lineage import Lineage
from migrate.stages.match.pairs import trusted_pairs

if TYPE_CHECKING:
    from migrate.stages.estate import Estate


@dataclass(frozen=True)
class JournalPairs:
    """`objects`: (kind, left id) -> right id of all but messages. `messages`: asked with a thread on the left
    and its counterpart, left and right id of those in them, of which the last counts; there may be a million.
    `sent`: (left id, right id) of files -> hash of the bytes that one was made with from the other. `copies`:
    ids of vector stores beside a config directory that were made from others of the same place."""

    objects: Mapping[tuple[str, str], str] = field(default_factory=dict)
    messages: Callable[[str, str], Iterable[tuple[str, str]]] = lambda left, right: ()
    sent: Mapping[tuple[str, str], str] = field(default_factory=dict)
    copies: frozenset[str] = frozenset()


# (kind, id) -> id on the other side.
_IdPairs = dict[tuple[str, str], str]


@contextmanager
def open_journals(archives: Iterable[Path], left: Estate, right: Estate) -> Iterator[JournalPairs]:
    """What they know, in either direction; they stay open as long as somebody asks."""
    with ExitStack() as stack:
        opened = {path: stack.enter_context(Archive.open(path)) for path in archives}
        there: _IdPairs = {}
        back: _IdPairs = {}
        for path, archive in opened.items():
            there |= _object_pairs(path, archive, left, right)
            back |= {
                (kind, new): old for (kind, old), new in _object_pairs(path, archive, right, left).items()
            }
        messages = partial(_message_pairs, opened, left.side, right.side)
        yield JournalPairs(
            {**back, **there},
            messages,
            _sent_hashes(opened, left.side, right.side),
            _store_copies(opened, left, right),
        )


def _object_pairs(path: Path, archive: Archive, source: Estate, target: Estate) -> _IdPairs:

    with translate_damage(path):
        return trusted_pairs(source, target, id_map(archive.conn, source.side, target.side, messages=False))


def _message_pairs(
    opened: Mapping[Path, Archive], left: Side, right: Side, one: str, other: str
) -> Iterator[tuple[str, str]]:
    """The messages of a thread on the left and its counterpart on the right."""

    for path, archive in opened.items():
        with translate_damage(path):
            yield from ((old, new) for new, old in message_id_pairs(archive.conn, right, left, other))
    for path, archive in opened.items():
        with translate_damage(path):
            yield from message_id_pairs(archive.conn, left, right, one)


def _sent_hashes(opened: Mapping[Path, Archive], left: Side, right: Side) -> dict[tuple[str, str], str]:

    sent: dict[tuple[str, str], str] = {}
    for path, archive in opened.items():
        with translate_damage(path):
            back = {(new, old): sha for (old, new), sha in uploaded_hashes(archive.conn, right, left).items()}
            sent |= {
                pair: sha for pair, sha in (back | uploaded_hashes(archive.conn, left, right)).items() if sha
            }
    return sent


def _store_copies(opened: Mapping[Path, Archive], left: Estate, right: Estate) -> frozenset[str]:
    """Of vector stores beside a config directory, those that were made from others of their place."""

    if not (left.codec.ids_are_keys or right.codec.ids_are_keys):
        return frozenset()
    rows: list[Derivation] = []
    for path, archive in opened.items():
        with translate_damage(path):
            rows += derivations(archive.conn)
    lineage = Lineage(rows)
    services = [estate for estate in (left, right) if not estate.codec.ids_are_keys]
    return frozenset().union(*map(lineage.store_copies, services))


def known_threads(archives: Iterable[Path], first: Estate, type_: str, url: str) -> tuple[str, ...]:
    """Ids of threads that a place should hold: those of the other side where it is the same place, and what
    the journals say was made there, or moved from there."""

    here = Side(type_, url)
    ids = [thread.id for thread in first.iter_threads()] if first.side == here else []
    for path in archives:
        with Archive.open(path) as archive, translate_damage(path):
            there = id_map(archive.conn, first.side, here, messages=False)
            back = id_map(archive.conn, here, first.side, messages=False)
            ids += [line.target_id for line in there if line.kind == "thread"]
            ids += [line.source_id for line in back if line.kind == "thread"]
    return tuple(dict.fromkeys(ids))
