"""Changes in, and the same with since when each has been so out, as far as snapshots tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from migrate.archive.snapshots.reader import snapshots
from migrate.archive.standing import Since, first_seen_as_is
from migrate.model import Key
from migrate.stages.diff.change import Change
from migrate.stages.estate import Estate
from migrate.stages.match.pairing import CONFIG

OR_BEFORE = " or before"


def dated(changes: list[Change], left: Estate, right: Estate) -> list[Change]:
    """Fill `since`: from when on both sides have been as they are. Of a live side only that it was
    otherwise in the last snapshot of the same place is known."""
    ours = {_key(c, c.left_id, c.left_parent) for c in changes if c.left_id}
    theirs = {_key(c, c.right_id, c.right_parent) for c in changes if c.right_id}
    known = _Standing(left, ours), _Standing(right, theirs)
    same_place = left.side == right.side
    return [replace(change, since=_since(change, *known, same_place)) for change in changes]


class _Standing:
    """Since when the objects of one side are as they are; nothing of a live one."""

    def __init__(self, estate: Estate, keys: set[Key]) -> None:
        self.live = estate.live or estate.type == CONFIG  # a directory keeps no history of its own
        self.read_at = estate.snapshot.info.started_at
        conn, info = estate.snapshot.conn, estate.snapshot.info
        self._found: dict[Key, Since] = {}
        for listing in [] if self.live else _by_listing(keys):  # each looks through all that it is given
            self._found |= first_seen_as_is(conn, info.id, listing)
        place = (info.type, info.url)
        self._first = next((s.id for s in snapshots(conn) if (s.type, s.url) == place), 0)

    def of(self, key: Key) -> str:
        """The time, with a word when it may have been so before the first snapshot; '' when unknown."""
        found: Since | None = self._found.get(key)
        if found is None:
            return ""
        return f"{found[1]}{OR_BEFORE}" if found[0] == self._first else found[1]


def _since(change: Change, left: _Standing, right: _Standing, same_place: bool) -> str:
    ours = left.of(_key(change, change.left_id, change.left_parent))
    theirs = right.of(_key(change, change.right_id, change.right_parent))
    if same_place and right.live != left.live:
        return f"{(left if right.live else right).read_at} or later"
    if left.live or right.live:
        return ""  # the live side may have changed at any time
    return max(ours, theirs, key=lambda said: (said.removesuffix(OR_BEFORE), OR_BEFORE not in said))


def _by_listing(keys: set[Key]) -> Iterable[list[Key]]:
    found: dict[tuple[str, str], list[Key]] = {}
    for key in keys:
        found.setdefault(key[:2], []).append(key)
    return found.values()


def _key(change: Change, id_: str, parent: str) -> Key:
    return (change.kind, parent, id_)
