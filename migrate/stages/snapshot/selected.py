"""Resolve a selection on a live service, before a filtered snapshot of it begins.

The lists of files, vector stores and assistants are read without what belongs to their objects. Threads are
requested by their ids; they are listed only where a rule, a date or metadata selects among them. Which files
the selected objects need is known only when the snapshot has read those objects: see `SelectedContents`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.errors import IncompleteResult, NotFound, NothingSelected, RequestFailed
from migrate.model.entity import NOT_FOUND_REASON, creation_time
from migrate.model.results.archive import MissingObject
from migrate.model.selection import SELECTABLE_KINDS, Selection
from migrate.stages.estate import Estate
from migrate.stages.filters import ObjectFilter
from migrate.stages.progress import Progress
from migrate.stages.selection import UNDATED_NOTE, select_objects
from migrate.stages.snapshot.live_estate import temporary_snapshot
from migrate.stages.snapshot.options import SelectedContents, SnapshotOptions
from migrate.stages.worker_pool import run_parallel

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

# How ids of threads and of conversations begin (recorded). Only such an id is requested without a list.
THREAD_ID_PREFIXES = ("thread_", "conv_")
# The service whose conversations have items without a time (recorded), so that no request can find it.
UNDATED_SERVICE = "foundry"
# Messages that are requested to learn the time of the newest one: from a server that ignores the order, one
# message alone would be the oldest, and nothing would show it.
NEWEST_MESSAGES = 10
# Threads in one page of their list. Where fewer than one of so many is selected, one request for each takes
# fewer requests than reading the list again.
THREADS_PER_PAGE = 100
DATED_THREADS = "dates of threads"


def read_selected_contents(
    reader: Reader, options: SnapshotOptions, progress: Progress
) -> SelectedContents | None:
    """The objects that a snapshot with a selection keeps; None where only rules by kind and name select, or
    nothing.

    Raises `NothingSelected` where no object matches, `BadUsage` for a name that several objects have, and
    `IncompleteResult` where no object that could be read matches, and some objects could not be read."""
    selection = options.selection
    if selection.has_only_rules:
        return None
    progress.say("finding the selected objects")
    listing = _listing_options(options)
    with temporary_snapshot(reader, listing) as (estate, result):
        gaps = [
            gap
            for gap in result.missing
            if gap.kind in SELECTABLE_KINDS
            and not (gap.id in selection.ids and gap.reason.startswith(NOT_FOUND_REASON))
        ]
        dates = _ThreadDates(reader, estate, selection)
        if selection.has_dates:
            dates.read(options.workers, progress)
            gaps += dates.gaps
        try:
            selected = select_objects(estate, selection, dates.times)
        except NothingSelected as nothing:
            if not gaps:
                raise
            raise IncompleteResult(
                nothing.what,
                f"{gaps[0].kind} {gaps[0].id} could not be read: {gaps[0].reason}",
                "try again; `doctor` reports what the service answers",
            ) from nothing
        assert selected is not None, "a selection with more than rules is not whole"
        ids = {kind: set(selected.ids(kind)) for kind in SELECTABLE_KINDS}
        count = estate.snapshot.count("thread", "")
        unread = {gap.id for gap in gaps}
        return SelectedContents(
            selection=selection,
            ids=ids,
            rules=ObjectFilter(exclude=selection.exclude),
            lists_threads=listing.list_threads and len(ids["thread"]) * THREADS_PER_PAGE > count,
            gaps=tuple(gaps),
            unknown_ids=tuple(id_ for id_ in selected.unknown_ids if id_ not in unread),
            unmatched_rules=selected.unmatched_rules,
            notes=(
                *((UNDATED_NOTE,) if selection.has_dates and dates.undated and count else ()),
                *(note for note in selected.notes if note != UNDATED_NOTE),
            ),
        )


def _listing_options(options: SnapshotOptions) -> SnapshotOptions:
    """How the objects are read among which the selection chooses."""
    selection = options.selection
    chooses = selection.searched_kinds()
    listed = "thread" in chooses
    named = [id_ for id_ in selection.ids if id_.startswith(THREAD_ID_PREFIXES)]
    threads = tuple(dict.fromkeys([*(options.thread_ids if listed else ()), *named]))
    left_out = ["message", "vector_store_file"]
    left_out += [] if selection.ids or "file" in chooses else ["file"]
    left_out += [] if listed or threads else ["thread"]
    return SnapshotOptions(
        list_threads=listed and options.list_threads,
        thread_ids=threads,
        runs=False,
        bytes=False,
        details=False,
        object_filter=ObjectFilter.parse(exclude=left_out),
        workers=options.workers,
    )


class _ThreadDates:
    """When the newest message of each thread was created, as far as a selection depends on it.

    `times`: thread -> seconds since 1970, None where it has no message with a time. `gaps`: threads whose
    newest message could not be read."""

    def __init__(self, reader: Reader, estate: Estate, selection: Selection) -> None:
        self._reader, self._estate, self._selection = reader, estate, selection
        self.undated = reader.type == UNDATED_SERVICE
        self.times: dict[str, float | None] = {}
        self.gaps: list[MissingObject] = []

    def read(self, workers: int, progress: Progress) -> None:
        """Request the newest message of each thread that matches apart from its date."""
        threads = [] if self.undated else list(filter(self._depends_on_messages, self._candidates()))
        progress.expect(DATED_THREADS, len(threads))
        progress.total_known(DATED_THREADS)

        def read_one(thread: str) -> None:
            self._read_time(thread)
            progress.count(DATED_THREADS)

        run_parallel(workers, threads, read_one, self._reader.limiter.stop)

    def _candidates(self) -> list[str]:
        undated = replace(self._selection, after=None, before=None, dependencies=False)
        try:
            selected = select_objects(self._estate, undated)
        except NothingSelected:
            return []
        return list(self._estate.threads_by_id if selected is None else selected.ids("thread"))

    def _depends_on_messages(self, thread: str) -> bool:
        """Whether the time of the thread itself does not decide: no message is older than its thread."""
        created, selection = creation_time(self._estate.threads_by_id[thread].facts, -1.0), self._selection
        if created < 0:
            return True
        if selection.before is not None:
            return created < selection.before
        return not selection.fits_dates(created)

    def _read_time(self, thread: str) -> None:
        try:
            newest = next(iter(self._reader.newest("message", thread, NEWEST_MESSAGES)), {})
        except NotFound:
            # Deleted in the meantime: a time that matches no date leaves it out.
            self.times[thread] = -1.0
        except RequestFailed as failed:
            self.times[thread] = -1.0
            self.gaps.append(MissingObject("thread", thread, f"its newest message: {failed}"))
        else:
            created = creation_time(newest, -1.0)
            self.times[thread] = created if created >= 0 else None
