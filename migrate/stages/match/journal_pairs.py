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

_Archives = Mapping[Path, Archive]
_ObjectIds = dict[tuple[str, str], str]


@dataclass(frozen=True)
class JournalPairs:
    """What journals know of two estates, in either direction."""

    # (kind, left id) -> right id, of all but messages.
    objects: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # Thread on the left and its counterpart -> left and right id of their messages, of which the last counts.
    # There may be a million.
    messages: Callable[[str, str], Iterable[tuple[str, str]]] = lambda left, right: ()
    # (left id, right id) of files -> hash of the bytes with which one was created from the other.
    sent: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # Vector stores, compared with a config directory, that were created from others of the same place.
    copies: frozenset[str] = frozenset()


@contextmanager
def open_journals(archives: Iterable[Path], left: Estate, right: Estate) -> Iterator[JournalPairs]:
    """Read the journals of archives. They stay open while messages are read."""
    with ExitStack() as stack:
        opened = {path: stack.enter_context(Archive.open(path)) for path in archives}
        forward: _ObjectIds = {}
        reverse: _ObjectIds = {}
        for path, archive in opened.items():
            with translate_damage(path):
                forward |= _object_pairs(archive, left, right)
                moved_back = _object_pairs(archive, right, left)
            reverse |= {(kind, new): old for (kind, old), new in moved_back.items()}
        yield JournalPairs(
            {**reverse, **forward},
            partial(_message_pairs, opened, left.side, right.side),
            _sent_hashes(opened, left.side, right.side),
            _store_copies(opened, left, right),
        )


def known_threads(archives: Iterable[Path], source: Estate, type_: str, url: str) -> tuple[str, ...]:
    """Ids of threads that a place should have: those of `source` if it is that place, and those that journals
    say were created there or moved from there."""
    side = Side(type_, url)
    ids = [thread.id for thread in source.iter_threads()] if source.side == side else []
    for path in archives:
        with Archive.open(path) as archive, translate_damage(path):
            created = id_map(archive.conn, source.side, side, messages=False)
            moved = id_map(archive.conn, side, source.side, messages=False)
            ids += [line.target_id for line in created if line.kind == "thread"]
            ids += [line.source_id for line in moved if line.kind == "thread"]
    return tuple(dict.fromkeys(ids))


def _object_pairs(archive: Archive, source: Estate, target: Estate) -> _ObjectIds:
    return trusted_pairs(source, target, id_map(archive.conn, source.side, target.side, messages=False))


def _message_pairs(
    archives: _Archives, left: Side, right: Side, left_thread: str, right_thread: str
) -> Iterator[tuple[str, str]]:
    for path, archive in archives.items():
        with translate_damage(path):
            moved_back = message_id_pairs(archive.conn, right, left, right_thread, left_thread)
            yield from ((old, new) for new, old in moved_back)
    for path, archive in archives.items():
        with translate_damage(path):
            yield from message_id_pairs(archive.conn, left, right, left_thread, right_thread)


def _sent_hashes(archives: _Archives, left: Side, right: Side) -> dict[tuple[str, str], str]:
    sent: dict[tuple[str, str], str] = {}
    for path, archive in archives.items():
        with translate_damage(path):
            reverse = uploaded_hashes(archive.conn, right, left)
            known = {(new, old): sha for (old, new), sha in reverse.items()}
            known |= uploaded_hashes(archive.conn, left, right)
        sent |= {pair: sha for pair, sha in known.items() if sha}
    return sent


def _store_copies(archives: _Archives, left: Estate, right: Estate) -> frozenset[str]:
    services = [estate for estate in (left, right) if not estate.codec.ids_are_keys]
    if len(services) == 2:
        return frozenset()
    rows: list[Derivation] = []
    for path, archive in archives.items():
        with translate_damage(path):
            rows += derivations(archive.conn)
    return frozenset().union(*map(Lineage(rows).store_copies, services))
