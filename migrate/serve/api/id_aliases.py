"""Other ids of one object: what it was before a move, and what became of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import storable_text
from migrate.archive.id_map import counterpart_ids

# Moves that are followed, from an object to its copy and to the copy of that, and ids that are tried.
MAX_ALIASES = 32
# Ids whose object was found that are kept: every page of a thread refers to the thread again.
MAX_KEPT_ALIASES = 10_000

# Kind, id of the owner, id.
AliasKey = tuple[str, str, str]


def other_ids(conn: SqlConnection, kind: str, object_id: str, parent: str = "") -> Iterator[str]:
    """The ids that an object had or got by moves, the nearest first. `parent`: the id of its owner."""
    known = [storable_text(object_id)]
    for id_ in known:  # it grows while it is read
        for found in counterpart_ids(conn, kind, id_, storable_text(parent)):
            if found not in known and len(known) < MAX_ALIASES:
                known.append(found)
                yield found


class IdAliases:
    """Remembers which id of an estate was meant by another one. Many threads may use it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, AliasKey], str] = OrderedDict()
        self._lock = threading.Lock()

    def candidates(self, conn: SqlConnection, estate: int, key: AliasKey) -> Iterator[str]:
        """The ids under which the estate of this number may have the object."""
        with self._lock:
            known = self._kept.get((estate, key))
        if known is not None:
            yield known
        kind, parent, object_id = key
        yield from other_ids(conn, kind, object_id, parent)

    def keep(self, estate: int, key: AliasKey, own_id: str) -> None:
        """Remember that the estate has the object under this id."""
        with self._lock:
            self._kept[estate, key] = own_id
            if len(self._kept) > MAX_KEPT_ALIASES:
                self._kept.popitem(last=False)
