"""Comparisons of two snapshots, one after another in a thread of their own: a page asks how far one is.

A comparison that no page asks about any more is given up. Results are kept until the archive changes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from migrate import __version__
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.archive.snapshots.writer import utc_now
from migrate.errors import MigrateError
from migrate.reports.commands.diff import diff_report
from migrate.reports.formats.html import report_context
from migrate.reports.report import ObjectCounts, Report, ReportItem
from migrate.reports.text_table import number_of
from migrate.serve.connections import ArchiveAccess
from migrate.serve.finding_links import FindingLinks
from migrate.stages.diff.bounded_diff import BoundedDiff, diff_bounded
from migrate.stages.diff.comparison_size import check_comparison_size
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import open_journals

log = logging.getLogger(__name__)

# Differences that a page shows with their values; the others are counted.
MAX_SHOWN_CHANGES = 1_000
# Seconds after which a comparison that no page asks about is given up.
ABANDONED_S = 30.0
# Characters of the values of all differences that are kept, and of those in the first page, as they are sent.
MAX_KEPT_CHARS, MAX_PAGE_CHARS = 4_000_000, 1_500_000
# Results that are kept; each may take 20 MB.
MAX_KEPT_COMPARISONS = 2


class ComparisonAbandoned(Exception):
    """No page asks about a comparison any more, or the server ends."""


@dataclass
class Comparison:
    """One comparison of two snapshots, by their numbers. `state`: waiting, running, done or failed.
    `compared`: kind -> objects so far. `context`: what the template of a report shows, when it is done; the
    report may have fewer differences than `listed` in it."""

    left: int
    right: int
    state: str = "waiting"
    compared: Mapping[str, int] = field(default_factory=dict)
    changes: int = 0
    context: dict[str, Any] = field(default_factory=dict)
    error: MigrateError | None = None
    asked_at: float = field(default_factory=time.monotonic)
    finished: threading.Event = field(default_factory=threading.Event)

    @property
    def total_compared(self) -> int:
        """Objects of all kinds that were compared so far."""
        return sum(dict(self.compared).values())


# Of both snapshots the number and what identifies its content, and which file it is. Not the state of the
# archive: while a snapshot is written, that changes every second.
_Key = tuple[object, ...]


class Comparisons:
    """The comparisons of a server. Close it before the archive."""

    def __init__(self, access: ArchiveAccess) -> None:
        self._access = access
        self._kept: OrderedDict[_Key, Comparison] = OrderedDict()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closing = False

    def ask(self, left: int, right: int, wait_s: float) -> Comparison:
        """The comparison of two snapshots, which begins when it is first asked for. Waits for its end, but
        not longer than `wait_s`."""
        infos = [self._access.snapshot_info(number) for number in (left, right)]
        contents = [(info.id, info.state, info.digest, info.started_at) for info in infos]
        key = (*contents, *self._access.version()[:2])
        with self._condition:
            comparison = self._kept.get(key)
            if comparison is None:
                comparison = self._kept[key] = Comparison(left, right)
            self._kept.move_to_end(key)
            comparison.asked_at = time.monotonic()
            self._drop_old()
            self._start_thread()
            self._condition.notify()
        comparison.finished.wait(wait_s)
        return comparison

    def close(self) -> None:
        """Give up what is being compared."""
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        if self._thread:
            self._thread.join()

    def _drop_old(self) -> None:
        ended = [key for key, comparison in self._kept.items() if comparison.finished.is_set()]
        for key in ended[: max(0, len(self._kept) - MAX_KEPT_COMPARISONS)]:
            del self._kept[key]

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="comparisons", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._condition:
                while not (waiting := self._next()) and not self._is_closing:
                    self._condition.wait()
                if self._is_closing:
                    return
            if waiting:
                self._carry_out(*waiting)

    def _next(self) -> tuple[_Key, Comparison] | None:
        """The comparison that waits and was asked for last."""
        rows = [row for row in reversed(self._kept.items()) if row[1].state == "waiting"]
        return rows[0] if rows else None

    def _carry_out(self, key: _Key, comparison: Comparison) -> None:
        comparison.state = "running"
        try:
            comparison.context = self._compare(comparison)
            comparison.state = "done"
        except ComparisonAbandoned:
            with self._condition:
                self._kept.pop(key, None)
        except MigrateError as error:
            comparison.error, comparison.state = error, "failed"
        except Exception:  # a mistake of this program: the page says so, a log gets the traceback
            log.exception("snapshots %s and %s cannot be compared", comparison.left, comparison.right)
            comparison.error = MigrateError(
                "the comparison failed: a mistake in this program",
                todo="start serve with --log-file FILE, ask again, and report what the file says",
            )
            comparison.state = "failed"
        finally:
            comparison.finished.set()

    def _compare(self, comparison: Comparison) -> dict[str, Any]:
        def watch(compared: Mapping[str, int], changes: int) -> None:
            comparison.compared, comparison.changes = compared, changes
            is_asked = time.monotonic() - comparison.asked_at < ABANDONED_S
            if self._is_closing or not is_asked:
                raise ComparisonAbandoned

        infos = [self._access.snapshot_info(number) for number in (comparison.left, comparison.right)]
        with self._access.separate_connection() as conn:
            snapshots = [SnapshotReader(conn, info) for info in infos]
            check_comparison_size(snapshots[0], snapshots[1], self._access.path.name)
            left, right = map(Estate, snapshots)
            with open_journals([self._access.path], left, right) as journals:
                found = diff_bounded(left, right, journals, MAX_SHOWN_CHANGES, watch, MAX_KEPT_CHARS)
            labels = [f"snapshot {info.id}, {info.started_at[:10]}" for info in infos]
            links = FindingLinks(*snapshots)
            return _bounded_context(links.with_names(bounded_report(found, *labels)), links)


def bounded_report(found: BoundedDiff, left: str, right: str) -> Report:
    """The report of a comparison, with the numbers of all differences and the first ones of them."""
    report = diff_report(found.result, left, right)
    report = replace(report, made_at=utc_now(), version=__version__)
    if not found.more:
        return report
    more_by_action: dict[str, int] = {}
    for (_, action), count in found.more.items():
        more_by_action[action] = more_by_action.get(action, 0) + count
    shown, (_, *rest) = len(found.result.changes), report.last_line.partition("; ")
    total = number_of(sum(found.result.compared.values()), "object")
    return replace(
        report,
        last_line=f"{number_of(found.count, 'difference')} in {total}{''.join(rest)}",
        summary=tuple((name, number + more_by_action.get(name, 0)) for name, number in report.summary),
        counts=_with_more(report.counts, found.more),
        notes=(
            f"The first {shown:,} of {found.count:,} differences are listed. The command `diff` lists all.",
            *report.notes,
        ),
    )


def _bounded_context(report: Report, links: FindingLinks) -> dict[str, Any]:
    """What the template shows, with fewer differences where their texts would make the page too large."""
    sizes = accumulate(value_chars(item) for item in report.items)
    shown = max(1, sum(size <= MAX_PAGE_CHARS for size in sizes))
    whole = report
    while True:
        if shown < len(whole.items):
            note = (
                f"The first {shown:,} differences are here, because their texts are long. "
                f"The plain list has {len(whole.items):,}."
            )
            report = replace(whole, items=whole.items[:shown], notes=(note, *whole.notes))
        context = report_context(report, links.of)
        if len(context["data"]) <= MAX_PAGE_CHARS or shown <= 1:
            listed = {"listed": whole.items, "links_of_listed": [links.of(item) for item in whole.items]}
            return {**context, **listed}
        shown //= 2


def value_chars(item: ReportItem) -> int:
    """The characters of the values of a difference, roughly."""
    return sum(len(str(detail.left)) + len(str(detail.right)) for detail in item.details)


def _with_more(counts: ObjectCounts, more: Mapping[tuple[str, str], int]) -> ObjectCounts:
    rows = dict(counts.rows)
    for kind, _ in more:
        rows.setdefault(kind, (0,) * len(counts.columns))
    return replace(
        counts,
        rows=tuple(
            (
                kind,
                tuple(n + more.get((kind, name), 0) for name, n in zip(counts.columns, numbers, strict=True)),
            )
            for kind, numbers in rows.items()
        ),
    )
