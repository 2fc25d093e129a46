"""An endpoint in, a snapshot in an archive out: complete, or partial with every gap named.

Threads of a crew fetch; this thread alone writes, a page at a time. A failed page fails its listing by
name and nothing else; a killed program leaves a snapshot that the same command continues.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.errors import IncompleteResult
from migrate.model import JSON, KINDS
from migrate.model.results.archive import SnapshotResult
from migrate.model.served_version import served_version_remarks
from migrate.stages.concurrency.cpu_affinity import pin_to_one_cpu
from migrate.stages.concurrency.worker_pool import WorkerPool
from migrate.stages.progress import Progress
from migrate.stages.snapshot.collector import Collector
from migrate.stages.snapshot.fetcher import Event
from migrate.stages.snapshot.options import SnapshotOptions

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

MAX_GAPS_SHOWN = 64
"""Events in one commit: a killed program reads so many pages again."""
TOLD = 10
"""Agents that a snapshot's notes name because their users get another version than the newest."""


def take_snapshot(
    reader: Reader, archive: Archive, wanted: SnapshotOptions, progress: Progress | None = None
) -> SnapshotResult:
    """Read an estate. Raises `ServiceUnreachable` when nothing answers, `IncompleteResult` on Ctrl-C."""
    progress = progress or Progress()
    progress.watch(reader.limiter.waiting)
    probe = reader.probe()
    notes = list(probe.notes)
    if probe.retired:
        notes.append(
            f"{reader.url} has no assistants and threads any more (retired, or an API version without "
            "them); files and vector stores are still read"
        )
    if held := _read_already(archive, reader, wanted):
        return _taken(archive, held, (*notes, f"snapshot {held} holds all of this shard already"))
    writer = SnapshotWriter.begin(archive, reader.type, reader.url, wanted.options(), wanted.tag)
    if writer.resumed:
        notes.append(f"continuing snapshot {writer.id}, which was interrupted")
    for note in notes:
        progress.say(note)
    with pin_to_one_cpu(), WorkerPool[Event](wanted.workers) as crew:
        gatherer = Collector(reader, wanted, writer, crew, progress)
        try:
            gatherer.start()
            _gather(gatherer, crew, archive)
            gatherer.fall_back()
            _gather(gatherer, crew, archive)
        except KeyboardInterrupt:
            reader.limiter.stop.set()
            raise IncompleteResult(
                f"stopped; snapshot {writer.id} is partial",
                "what was read until now is kept",
                "run the same command again: it continues",
            ) from None
        except BaseException:
            reader.limiter.stop.set()  # whatever ended it: no worker tries anything again
            raise
    granted = {kind: reader.granted_includes(kind) for kind in KINDS if reader.granted_includes(kind)}
    hidden = gatherer.hides(reader)
    shown = {"granted": granted, "hidden": hidden} if granted or hidden else None
    writer.finish("partial" if gatherer.gaps else "complete", probe.api_version, shown)
    taken = _taken(archive, writer.id, tuple(notes))
    return replace(taken, unmatched=_unmatched(wanted, archive, taken, writer.resumed, gatherer.carried_over))


def _unmatched(
    wanted: SnapshotOptions,
    archive: Archive,
    taken: SnapshotResult,
    resumed: bool,
    carried_over: Collection[str],
) -> tuple[str, ...]:
    """The filters that fit nothing. What was excluded is in no archive: nothing is said of a kind where an
    earlier run, or an earlier snapshot, met it, nor of one that was not read whole."""
    choice = wanted.choice
    if wanted.shard is not None or not (choice.include or choice.exclude):
        return ()
    info = next(s for s in list_snapshots(archive.conn) if s.id == taken.id)
    found = SnapshotReader(archive.conn, info)
    for kind in {kind for kind, glob in choice.include if (kind, glob) not in choice.matched_rules}:
        for _, body in found.bodies(kind, None):
            choice.matches(kind, body)
    unknown = {gap.kind for gap in taken.missing if gap.id == "*"}
    excluded = {kind for kind, _ in choice.exclude}
    return tuple(choice.unmatched_rules(unknown | (excluded if resumed else excluded & set(carried_over))))


def _read_already(archive: Archive, reader: Reader, wanted: SnapshotOptions) -> int:
    """The complete snapshot of this very shard of this very reading, which its tag names; 0 if none."""
    asked = (reader.type, reader.url, "complete", wanted.tag or "", wanted.options())
    if wanted.shard is None or not wanted.tag:
        return 0
    known = list_snapshots(archive.conn)
    return max((s.id for s in known if (s.type, s.url, s.state, s.tag, s.options) == asked), default=0)


def _taken(archive: Archive, number: int, notes: tuple[str, ...]) -> SnapshotResult:
    info = next(s for s in list_snapshots(archive.conn) if s.id == number)
    found = SnapshotReader(archive.conn, info)
    shard = str(info.options.get("shard") or "")
    told = [f"assistant {body.get('name')}: {'; '.join(said)}" for body, said in _of_effect(found)]
    more = [f"and {len(told) - TOLD:,} more such agents: ls"] if len(told) > TOLD else []
    notes = (*notes, *told[:TOLD], *more)
    return SnapshotResult(
        number, info.state, found.counts(), found.missing(), notes, shard, tuple(info.hidden)
    )


def _of_effect(found: SnapshotReader) -> Iterator[tuple[Mapping[str, JSON], list[str]]]:
    """Agents whose users get another version than the newest, or nothing."""
    for _, body in found.bodies("assistant", "") if found.info.type == "foundry" else ():
        if said := served_version_remarks(body):
            yield body, said


def _gather(gatherer: Collector, crew: WorkerPool[Event], archive: Archive) -> None:
    """Write what comes; what waits together is committed together."""
    for events in crew.batches(MAX_GAPS_SHOWN):
        with archive.single_transaction():
            for event in events:
                gatherer.take(event)
