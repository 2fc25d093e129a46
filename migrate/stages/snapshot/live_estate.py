"""Reads as much of a live target as planning, applying and verifying need, into a temporary archive."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.codecs import capabilities_for
from migrate.errors import IncompleteResult, NotFound, RequestFailed
from migrate.model.entity import COUNT_MISMATCH_REASON
from migrate.model.results.archive import SnapshotResult
from migrate.stages.estate import Estate
from migrate.stages.filters import ObjectFilter
from migrate.stages.progress import Progress
from migrate.stages.snapshot.options import SnapshotOptions
from migrate.stages.snapshot.run import take_snapshot

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


CONFIGURATION_KINDS = ("file", "vector_store", "vector_store_file", "assistant")


@contextmanager
def temporary_snapshot(
    reader: Reader, wanted: SnapshotOptions, progress: Progress | None = None
) -> Iterator[tuple[Estate, SnapshotResult]]:
    """A live estate as if it were archived; gone when the block ends."""
    with Archive.temporary() as archive:
        taken = take_snapshot(reader, archive, wanted, progress)
        info = next(s for s in list_snapshots(archive.conn) if s.id == taken.id)
        yield Estate(SnapshotReader(archive.conn, info), live=True), taken


@contextmanager
def empty_estate(type_: str) -> Iterator[Estate]:
    """An estate of a type that holds nothing: what an assessment without a live target is made against."""
    with Archive.temporary() as archive:
        writer = SnapshotWriter.begin(archive, type_, "", {}, None)
        for kind in (*CONFIGURATION_KINDS, "thread"):
            writer.end(kind)
        writer.finish("complete", "")
        (info,) = list_snapshots(archive.conn)
        yield Estate(SnapshotReader(archive.conn, info))


def configuration_options(
    workers: int, threads: Iterable[str] = (), listed: bool = True, absent: Collection[str] = ()
) -> SnapshotOptions:
    """Everything but messages, runs and bytes; threads as listed, plus the ones named. `absent`: kinds that
    the service does not have any more, which are not asked for."""
    gone = "thread" in absent
    return SnapshotOptions(
        list_threads=listed and not gone,
        thread_ids=() if gone else tuple(threads),
        runs=False,
        bytes=False,
        choice=ObjectFilter.parse(exclude=["message", *sorted(absent)]),
        workers=workers,
    )


def absent_kinds(reader: Reader) -> frozenset[str]:
    """The kinds that a service does not have any more, or not in this API version: their routes are gone
    while others answer. Threads go with assistants, also where asking for a list of them is forbidden."""
    routes = reader.probe().routes
    gone = {kind for kind in ("file", "vector_store", "assistant") if routes.get(kind) == "gone"}
    for kind, below in (("assistant", "thread"), ("vector_store", "vector_store_file")):
        if kind in gone and routes.get(below) != "works":
            gone.add(below)
    return frozenset(gone)


def message_options(workers: int, threads: Iterable[str]) -> SnapshotOptions:
    """Just the messages of these threads."""
    return SnapshotOptions(
        list_threads=False,
        messages_of=tuple(threads),
        runs=False,
        bytes=False,
        choice=ObjectFilter.parse(exclude=(*CONFIGURATION_KINDS, "thread")),
        workers=workers,
    )


def lists_threads(reader: Reader) -> bool:
    """Whether a service lists its threads. Raises `IncompleteResult` when it does and just did not."""
    probe = reader.probe()
    state = probe.routes.get("thread")
    promised = capabilities_for(reader.type, probe.api_version).lists_threads
    if state == "failed" or (promised and state == "denied"):
        raise IncompleteResult(
            f"{reader.url} did not list its threads",
            probe.reasons.get("thread", str(state)),
            "try again: without the list nobody can tell what is there already",
        )
    return state == "works"


def require_messages(talks: Estate, threads: Iterable[str], where: str) -> None:
    """Raises `IncompleteResult` when the messages of one of these threads could not be read to their end."""
    for thread in threads:
        state, reason = talks.snapshot.scope("message", thread)
        if state not in ("complete", "gone"):
            raise IncompleteResult(
                f"the messages of thread {thread} on {where} could not be read",
                reason or str(state),
                "try again; without them nobody can tell what is there already",
            )


def require_threads(taken: SnapshotResult, reader: Reader) -> None:
    """Raises `IncompleteResult` when a thread that was asked for by its id did not answer, and may be there:
    what is taken for gone is made a second time."""
    for gap in taken.missing:
        if gap.kind != "thread" or gap.id == "*":
            continue
        reason = gap.reason
        try:
            reader.get("thread", gap.id)
        except NotFound:
            continue
        except RequestFailed as failed:
            reason = str(failed)
        raise IncompleteResult(
            f"thread {gap.id} on {reader.url} could not be read",
            reason,
            "try again; unless it is seen, nobody can tell whether it is there already",
        )


def require_complete(taken: SnapshotResult, where: str) -> None:
    """Raises `IncompleteResult` when the list of a kind could not be read: nothing may be decided on it. A
    store that counts more files than it lists was read to its end, and its count may be late."""
    for gap in taken.missing:
        if gap.reason.startswith(COUNT_MISMATCH_REASON):
            continue
        if gap.kind in (*CONFIGURATION_KINDS, "thread") and gap.id == "*":
            raise IncompleteResult(
                f"{where} could not be read whole: {gap.kind} {gap.parent or ''}".rstrip(),
                gap.reason,
                "try again; `doctor` names what the service answers",
            )


@dataclass(frozen=True)
class TargetState:
    """What a target holds: everything but messages, runs and the bytes of files."""

    reader: Reader
    estate: Estate
    workers: int
    progress: Progress

    @contextmanager
    def messages_of(self, threads: Sequence[str]) -> Iterator[Estate]:
        """Read the messages of these threads. Raises `IncompleteResult` where one is not read to its end."""
        with temporary_snapshot(self.reader, message_options(self.workers, threads), self.progress) as (
            messages,
            _,
        ):
            require_messages(messages, threads, self.reader.url)
            yield messages


@contextmanager
def read_target(
    reader: Reader,
    absent: Collection[str],
    threads: Iterable[str],
    workers: int,
    progress: Progress | None = None,
    *,
    must_answer: bool = True,
    just_these: bool = False,
) -> Iterator[TargetState]:
    """Read a target; what was read is gone when the block ends.

    `absent`: kinds that the service does not have any more, which are not asked for. `threads`: ids that are
    asked for one by one where the service does not list its threads. `must_answer`: each of them must answer,
    or be proved to be gone. `just_these`: they are asked for one by one also where the service lists its
    threads, since a new one may not be in the list yet; without any, nothing is listed. Raises
    `IncompleteResult` when a listing could not be read to its end: nothing may be decided on a part of it.
    """
    progress = progress or Progress()
    threads = tuple(threads)
    listed = "thread" not in absent and (bool(threads) or not just_these) and lists_threads(reader)
    wanted = configuration_options(workers, threads if just_these or not listed else (), listed, absent)
    with temporary_snapshot(reader, wanted, progress) as (estate, result):
        require_complete(result, reader.url)
        if must_answer:
            require_threads(result, reader)
        yield TargetState(reader, estate, workers, progress)
