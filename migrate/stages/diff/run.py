"""Compare two estates. What one side did not read is reported, and never counted as drift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from migrate.archive.snapshots.history import FirstSeen, first_seen_unchanged
from migrate.archive.snapshots.reader import list_snapshots
from migrate.model import EntityKey, retirements
from migrate.model.results.diff import Change, DiffResult, DiffSide
from migrate.model.results.retirements import Retiring
from migrate.stages.diff.comparison import EstateComparison
from migrate.stages.diff.ignore_rules import IgnoreFilter
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import JournalPairs
from migrate.stages.match.pairs import pair_estates
from migrate.stages.retirements import retiring_in_snapshot

OR_BEFORE = " or before"

# Reads every change of a comparison to its end, and returns those that are kept.
CollectChanges = Callable[[EstateComparison, Iterator[Change]], list[Change]]


def _add_since(changes: list[Change], left: Estate, right: Estate) -> list[Change]:
    """Fill `since`: the time from which both sides have been as they are. Of a live side it is only known
    that it was different in the last snapshot of the same place."""
    left_keys = {_key(c, c.left_id, c.left_parent) for c in changes if c.left_id}
    right_keys = {_key(c, c.right_id, c.right_parent) for c in changes if c.right_id}
    first_seen = _FirstSeen(left, left_keys), _FirstSeen(right, right_keys)
    same_place = left.side == right.side
    return [replace(change, since=_since(change, *first_seen, same_place)) for change in changes]


class _FirstSeen:
    """When objects of one side were first seen in their current form; nothing is known of a live side."""

    def __init__(self, estate: Estate, keys: set[EntityKey]) -> None:
        self.is_live = estate.is_live or estate.codec.ids_are_keys  # a directory keeps no history of its own
        self.read_at = estate.snapshot.info.started_at
        conn, info = estate.snapshot.conn, estate.snapshot.info
        self._sightings: dict[EntityKey, FirstSeen] = {}
        for listing in [] if self.is_live else _by_listing(keys):  # a query compares all keys of its listing
            self._sightings |= first_seen_unchanged(conn, info.id, listing)
        place = (info.type, info.url)
        self._first = next((s.id for s in list_snapshots(conn) if (s.type, s.url) == place), 0)

    def time_of(self, key: EntityKey) -> str:
        """The time, marked where the first snapshot has the object already; '' where it is unknown."""
        sighting: FirstSeen | None = self._sightings.get(key)
        if sighting is None:
            return ""
        return f"{sighting[1]}{OR_BEFORE}" if sighting[0] == self._first else sighting[1]


def _since(change: Change, left: _FirstSeen, right: _FirstSeen, same_place: bool) -> str:
    times = (
        left.time_of(_key(change, change.left_id, change.left_parent)),
        right.time_of(_key(change, change.right_id, change.right_parent)),
    )
    if same_place and right.is_live != left.is_live:
        return f"{(left if right.is_live else right).read_at} or later"
    if left.is_live or right.is_live:
        return ""  # the live side may have changed at any time
    return max(times, key=lambda time: (time.removesuffix(OR_BEFORE), OR_BEFORE not in time))


def _by_listing(keys: set[EntityKey]) -> Iterable[list[EntityKey]]:
    listings: dict[tuple[str, str], list[EntityKey]] = {}
    for key in keys:
        listings.setdefault(key[:2], []).append(key)
    return listings.values()


def _key(change: Change, id_: str, parent: str) -> EntityKey:
    return (change.kind, parent, id_)


# Kinds whose listings are not read when they are equal, so it is unknown which filters match in them.
UNREAD_WHEN_EQUAL = frozenset({"message", "run", "run_step"})


def diff(
    left: Estate,
    right: Estate,
    journal_pairs: JournalPairs | None = None,
    scope: DiffScope | None = None,
) -> DiffResult:
    """Compare two estates. `journal_pairs`: which objects were created from which, by the journals."""
    journal_pairs, scope = journal_pairs or JournalPairs(), scope or DiffScope()
    result = compare_estates(left, right, journal_pairs, scope, lambda _, found: list(found))
    return replace(result, retiring=tuple(_retiring(left, right, scope)))


def compare_estates(
    left: Estate, right: Estate, journal_pairs: JournalPairs, scope: DiffScope, collect: CollectChanges
) -> DiffResult:
    """What `diff` finds out, but for what ends. `collect`: keeps some or all of the changes."""
    pairs = pair_estates(left, right, journal_pairs.objects, guess=True, known_copies=journal_pairs.copies)
    ignore = IgnoreFilter(scope.rules, scope.expected(left, right))
    comparison = EstateComparison(left, right, pairs, journal_pairs, scope)
    found = (kept for change in comparison.changes() if (kept := ignore.filter(change)))
    return DiffResult(
        changes=_add_since(collect(comparison, found), left, right),
        compared=dict(comparison.compared),
        unread=comparison.unread,
        ignored=ignore.ignored(),
        expired=ignore.expired(),
        left_out=comparison.left_out(),
        unmatched=tuple(scope.object_filter.unmatched_rules(UNREAD_WHEN_EQUAL)),
    )


def _retiring(left: Estate, right: Estate, scope: DiffScope) -> Iterator[tuple[DiffSide, Retiring]]:
    """What ends on each side, among the assistants that are compared. Of two readings of one place the later
    one counts; a config directory is no place where a model could end."""
    if scope.kinds and "assistant" not in scope.kinds:
        return
    sides: list[tuple[DiffSide, Estate]] = [("left", left), ("right", right)]
    if left.side == right.side:
        sides = [max(sides, key=lambda side: _reading_order(side[1]))]
    for side, estate in sides:
        assistants = estate.objects("assistant")
        selected = {id_ for id_, assistant in assistants.items() if scope.includes(assistant)}
        if not estate.codec.ids_are_keys:
            yield side, retiring_in_snapshot(estate, retirements.today(), is_selected=selected.__contains__)


def _reading_order(estate: Estate) -> tuple[bool, str, int]:
    """Compares as later for a later reading; a live estate was read just now."""
    info = estate.snapshot.info
    return estate.is_live, info.started_at, info.id
