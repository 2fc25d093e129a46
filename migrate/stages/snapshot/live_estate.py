"""Read a live estate as it is now into a temporary archive: for plan, apply, verify, rollback and diff."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.snapshots.reader import open_snapshot
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.codecs import capabilities_for
from migrate.errors import IncompleteResult, NotFound, RequestFailed
from migrate.model import Entity
from migrate.model.entity import COUNT_MISMATCH_REASON
from migrate.model.results.archive import SnapshotResult
from migrate.stages.estate import Estate
from migrate.stages.filters import ObjectFilter
from migrate.stages.progress import Progress
from migrate.stages.snapshot.options import SnapshotOptions
from migrate.stages.snapshot.run import take_snapshot
from migrate.stages.worker_pool import run_parallel

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

CONFIGURATION_KINDS = ("file", "vector_store", "vector_store_file", "assistant")


@contextmanager
def temporary_snapshot(
    reader: Reader, options: SnapshotOptions, progress: Progress | None = None
) -> Iterator[tuple[Estate, SnapshotResult]]:
    """A live estate, read into an archive that is deleted when the block ends."""
    with Archive.temporary() as archive:
        result = take_snapshot(reader, archive, options, progress)
        yield Estate(open_snapshot(archive.conn, result.id), live=True), result


@contextmanager
def empty_estate(type_: str) -> Iterator[Estate]:
    """An empty estate of a type: the target of an assessment without a live target."""
    with Archive.temporary() as archive:
        writer = SnapshotWriter.begin(archive, type_, "", {}, None)
        for kind in (*CONFIGURATION_KINDS, "thread"):
            writer.end_listing(kind)
        writer.finish("complete", "")
        yield Estate(open_snapshot(archive.conn, writer.id))


def configuration_options(
    workers: int, threads: Iterable[str] = (), listed: bool = True, absent: Collection[str] = ()
) -> SnapshotOptions:
    """Read everything but messages, runs and bytes. `threads`: ids that are read beside those that are
    `listed`. `absent`: kinds that the service does not have any more; they are not requested."""
    gone = "thread" in absent
    return SnapshotOptions(
        list_threads=listed and not gone,
        thread_ids=() if gone else tuple(threads),
        runs=False,
        bytes=False,
        object_filter=ObjectFilter.parse(exclude=["message", *sorted(absent)]),
        workers=workers,
    )


def absent_kinds(reader: Reader) -> frozenset[str]:
    """The kinds that a service does not have any more, or not in this API version: their routes are gone
    while others answer. Threads are gone with assistants, also where listing them is forbidden."""
    routes = reader.probe().routes
    absent = {kind for kind in ("file", "vector_store", "assistant") if routes.get(kind) == "gone"}
    for kind, dependent in (("assistant", "thread"), ("vector_store", "vector_store_file")):
        if kind in absent and routes.get(dependent) != "works":
            absent.add(dependent)
    return frozenset(absent)


def message_options(workers: int, threads: Iterable[str]) -> SnapshotOptions:
    """Read only the messages of these threads."""
    return SnapshotOptions(
        list_threads=False,
        messages_of=tuple(threads),
        runs=False,
        bytes=False,
        object_filter=ObjectFilter.parse(exclude=(*CONFIGURATION_KINDS, "thread")),
        workers=workers,
    )


def lists_threads(reader: Reader) -> bool:
    """Whether a service lists its threads. Raises `IncompleteResult` when it should and did not."""
    probe = reader.probe()
    state = probe.routes.get("thread")
    promised = capabilities_for(reader.type, probe.api_version).lists_threads
    if state == "failed" or (promised and state == "denied"):
        raise IncompleteResult(
            f"{reader.url} did not list its threads",
            probe.reasons.get("thread", str(state)),
            "try again: without the list it is not known which threads exist already",
        )
    return state == "works"


def require_messages(estate: Estate, threads: Iterable[str], url: str) -> None:
    """Raises `IncompleteResult` when the messages of one of these threads could not be read to their end."""
    for thread in threads:
        state, reason = estate.snapshot.listing_state("message", thread)
        if state not in ("complete", "gone"):
            raise IncompleteResult(
                f"the messages of thread {thread} on {url} could not be read",
                reason or str(state),
                "try again; without them it is not known which messages exist already",
            )


def require_threads(result: SnapshotResult, reader: Reader) -> None:
    """Raises `IncompleteResult` when a thread that was requested by its id could not be read and may exist:
    a thread that is taken for deleted is created a second time."""
    for gap in result.missing:
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
            "try again; until it can be read, it is not known whether it exists already",
        )


def require_complete(result: SnapshotResult, url: str) -> None:
    """Raises `IncompleteResult` when the list of a kind could not be read: a part of it is not enough to
    decide. A vector store that counts more files than it lists is accepted: its count may be out of date."""
    for gap in result.missing:
        if gap.reason.startswith(COUNT_MISMATCH_REASON):
            continue
        if gap.kind in (*CONFIGURATION_KINDS, "thread") and gap.id == "*":
            raise IncompleteResult(
                f"{url} could not be read completely: {gap.kind} {gap.parent or ''}".rstrip(),
                gap.reason,
                "try again; `doctor` reports what the service answers",
            )


@dataclass(frozen=True)
class TargetState:
    """What is on a target: everything but messages, runs and the bytes of files."""

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

    def threads_now(self, ids: Collection[str]) -> dict[str, Entity]:
        """Threads as they are now, requested by their ids; without those that are gone. Raises
        `IncompleteResult` where one could not be read."""
        found: dict[str, Entity] = {}

        def read(id_: str) -> None:
            try:
                found[id_] = self.estate.decode("thread", self.reader.get("thread", id_), "")
            except NotFound:
                return
            except RequestFailed as failed:
                raise IncompleteResult(
                    f"thread {id_} on {self.reader.url} could not be read",
                    str(failed),
                    "try again; without it, it is not known what it refers to",
                ) from None

        run_parallel(self.workers, ids, read, self.reader.limiter.stop)
        return {id_: found[id_] for id_ in ids if id_ in found}


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
    list_threads: bool = True,
) -> Iterator[TargetState]:
    """Read a target into an archive that is deleted when the block ends.

    `absent`: kinds that the service does not have any more; they are not requested. `threads`: ids that are
    requested one by one where the service does not list its threads. `must_answer`: each of them must answer,
    or be proved to be deleted. `just_these`: they are requested one by one also where the service lists its
    threads, since a new one may not be in the list yet; without any, nothing is listed. `list_threads`:
    whether threads are listed at all; without it, only these are requested. Raises `IncompleteResult` when a
    listing could not be read to its end: nothing may be decided on a part of it.
    """
    progress = progress or Progress()
    threads = tuple(threads)
    listed = list_threads and "thread" not in absent and (bool(threads) or not just_these)
    listed = listed and lists_threads(reader)
    ids = threads if just_these or not listed else ()
    options = configuration_options(workers, ids, listed, absent)
    with temporary_snapshot(reader, options, progress) as (estate, result):
        require_complete(result, reader.url)
        if must_answer:
            require_threads(result, reader)
        yield TargetState(reader, estate, workers, progress)
