"""Compare two estates. What one side did not read is reported, and never counted as drift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from migrate.archive.snapshots.history import FirstSeen, first_seen_unchanged
from migrate.archive.snapshots.reader import list_snapshots
from migrate.model import EntityKey
from migrate.model.results.diff import Change, DiffResult
from migrate.stages.diff.comparison import EstateComparison
from migrate.stages.diff.ignore_rules import IgnoreFilter
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import JournalPairs
from migrate.stages.match.pairs import pair_estates

OR_BEFORE = " or before"


def add_since(changes: list[Change], left: Estate, right: Estate) -> list[Change]:
    """Fill `since`: from when on both sides have been as they are. Of a live side only that it was
    otherwise in the last snapshot of the same place is known."""
    ours = {_key(c, c.left_id, c.left_parent) for c in changes if c.left_id}
    theirs = {_key(c, c.right_id, c.right_parent) for c in changes if c.right_id}
    known = _FirstSeen(left, ours), _FirstSeen(right, theirs)
    same_place = left.side == right.side
    return [replace(change, since=_since(change, *known, same_place)) for change in changes]


class _FirstSeen:
    """When objects of one side were first seen in their current form; nothing is known of a live side."""

    def __init__(self, estate: Estate, keys: set[EntityKey]) -> None:
        self.is_live = estate.is_live or estate.codec.ids_are_keys  # a directory keeps no history of its own
        self.read_at = estate.snapshot.info.started_at
        conn, info = estate.snapshot.conn, estate.snapshot.info
        self._found: dict[EntityKey, FirstSeen] = {}
        for listing in [] if self.is_live else _by_listing(keys):  # each looks through all that it is given
            self._found |= first_seen_unchanged(conn, info.id, listing)
        place = (info.type, info.url)
        self._first = next((s.id for s in list_snapshots(conn) if (s.type, s.url) == place), 0)

    def time_of(self, key: EntityKey) -> str:
        """The time, with a word when it may have been so before the first snapshot; '' when unknown."""
        found: FirstSeen | None = self._found.get(key)
        if found is None:
            return ""
        return f"{found[1]}{OR_BEFORE}" if found[0] == self._first else found[1]


def _since(change: Change, left: _FirstSeen, right: _FirstSeen, same_place: bool) -> str:
    ours = left.time_of(_key(change, change.left_id, change.left_parent))
    theirs = right.time_of(_key(change, change.right_id, change.right_parent))
    if same_place and right.is_live != left.is_live:
        return f"{(left if right.is_live else right).read_at} or later"
    if left.is_live or right.is_live:
        return ""  # the live side may have changed at any time
    return max(ours, theirs, key=lambda said: (said.removesuffix(OR_BEFORE), OR_BEFORE not in said))


def _by_listing(keys: set[EntityKey]) -> Iterable[list[EntityKey]]:
    found: dict[tuple[str, str], list[EntityKey]] = {}
    for key in keys:
        found.setdefault(key[:2], []).append(key)
    return found.values()


def _key(change: Change, id_: str, parent: str) -> EntityKey:
    return (change.kind, parent, id_)


# Kinds of which equal listings are not looked into, so that nobody knows which rules fit in them.
UNREAD_WHEN_EQUAL = frozenset({"message", "run", "run_step"})


def diff(
    left: Estate,
    right: Estate,
    journal_pairs: JournalPairs | None = None,
    focus: DiffScope | None = None,
) -> DiffResult:
    """Compare two estates, with what journals know of them."""
    journal_pairs, focus = journal_pairs or JournalPairs(), focus or DiffScope()
    pairs = pair_estates(left, right, journal_pairs.objects, guess=True, known_copies=journal_pairs.copies)
    ledger = IgnoreFilter(focus.rules, focus.expected(left, right))
    comparison = EstateComparison(left, right, pairs, journal_pairs, focus)
    changes = [kept for change in comparison.changes() if (kept := ledger.filter(change))]
    return DiffResult(
        changes=add_since(changes, left, right),
        compared=comparison.compared,
        unread=comparison.unread,
        ignored=ledger.ignored(),
        expired=ledger.expired(),
        left_out=comparison.left_out(),
        unmatched=tuple(focus.object_filter.unmatched_rules(UNREAD_WHEN_EQUAL)),
    )
