"""Compare two estates, and keep only the first differences: the others are counted by kind and action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from migrate.model.results.diff import Change, DiffResult
from migrate.stages.diff.comparison import EstateComparison
from migrate.stages.diff.run import compare_estates
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import JournalPairs

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
    more: Counter[tuple[str, str]] = Counter()

    def collect(comparison: EstateComparison, found: Iterator[Change]) -> list[Change]:
        changes: list[Change] = []
        chars = 0
        watch(comparison.compared, 0)
        for change in found:
            if len(changes) < max_changes and chars < max_chars:
                changes.append(change)
                chars += sum(len(str(path.left)) + len(str(path.right)) for path in change.paths)
            else:
                more[change.kind, change.action] += 1
            watch(comparison.compared, len(changes) + sum(more.values()))
        return changes

    return BoundedDiff(compare_estates(left, right, journal_pairs, DiffScope(), collect), more)
