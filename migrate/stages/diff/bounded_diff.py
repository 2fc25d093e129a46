"""Compare two estates, and keep only the first differences: the others are counted by kind and action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migrate.model.results.diff import Change, DiffResult
from migrate.stages.diff.comparison import EstateComparison
from migrate.stages.diff.ignore_rules import IgnoreFilter
from migrate.stages.diff.run import add_since
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import JournalPairs
from migrate.stages.match.pairs import pair_estates

# Called with how many objects of each kind were compared, a mapping that changes later, and the number of
# differences so far. What it raises ends the comparison.
WatchComparison = Callable[[Mapping[str, int], int], None]


@dataclass(frozen=True)
class BoundedDiff:
    """`result`: with the first differences. `more`: (kind, action) -> how many there are besides."""

    result: DiffResult
    more: Mapping[tuple[str, str], int]

    @property
    def count(self) -> int:
        """How many differences there are."""
        return len(self.result.changes) + sum(self.more.values())


def diff_bounded(
    left: Estate,
    right: Estate,
    journal_pairs: JournalPairs,
    max_changes: int,
    watch: WatchComparison,
    max_chars: int,
) -> BoundedDiff:
    """Compare two estates, as `stages.diff.run.diff` does without rules of the user. Differences are kept up
    to `max_changes`, and up to `max_chars` characters of their values."""
    scope = DiffScope()
    pairs = pair_estates(left, right, journal_pairs.objects, guess=True, known_copies=journal_pairs.copies)
    ignore = IgnoreFilter((), scope.expected(left, right))
    comparison = EstateComparison(left, right, pairs, journal_pairs, scope)
    watch(comparison.compared, 0)
    changes: list[Change] = []
    chars = 0
    more: Counter[tuple[str, str]] = Counter()
    for change in comparison.changes():
        kept = ignore.filter(change)
        if kept is None:
            continue
        if len(changes) < max_changes and chars < max_chars:
            changes.append(kept)
            chars += sum(len(str(path.left)) + len(str(path.right)) for path in kept.paths)
        else:
            more[kept.kind, kept.action] += 1
        watch(comparison.compared, len(changes) + sum(more.values()))
    result = DiffResult(
        changes=add_since(changes, left, right),
        compared=dict(comparison.compared),
        unread=comparison.unread,
        ignored=ignore.ignored(),
        left_out=comparison.left_out(),
    )
    return BoundedDiff(result, more)
