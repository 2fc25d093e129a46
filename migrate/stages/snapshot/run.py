"""Take a snapshot of an endpoint into an archive: complete, or partial with every gap listed.

Worker threads read; this thread alone writes, a page at a time. A failed page fails its own listing and no
other. When the program is killed, the same command continues the snapshot.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.snapshots.reader import list_snapshots, open_snapshot
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.errors import IncompleteResult, ServiceUnreachable
from migrate.model import JSON, KINDS, retirements
from migrate.model.results.archive import SnapshotResult
from migrate.model.selection import SELECTABLE_KINDS
from migrate.model.served_version import served_version_remarks
from migrate.stages.estate import Estate
from migrate.stages.progress import Progress
from migrate.stages.retirements import read_served_models, retiring_in_snapshot
from migrate.stages.snapshot.collector import Collector
from migrate.stages.snapshot.fetcher import Event
from migrate.stages.snapshot.options import SnapshotOptions
from migrate.stages.worker_pool import WorkerPool

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

# Events in one commit: a program that is killed reads this many pages again.
EVENTS_PER_COMMIT = 64
# Maximum number of agents in a note whose users get another version than the newest, or no answer.
MAX_AGENTS_NAMED = 10


def take_snapshot(
    reader: Reader, archive: Archive, options: SnapshotOptions, progress: Progress | None
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
    if complete := _complete_shard(archive, reader, options):
        return _result(archive, complete, (*notes, f"snapshot {complete} holds all of this shard already"))
    writer = SnapshotWriter.begin(archive, reader.type, reader.url, options.stored_options(), options.tag)
    if writer.resumed:
        notes.append(f"continuing snapshot {writer.id}, which was interrupted")
    for note in notes:
        progress.say(note)
    with WorkerPool[Event](options.workers) as pool:
        collector = Collector(reader, options, writer, pool, progress)
        try:
            for submit in (
                collector.start,
                collector.submit_selected_files,
                collector.submit_parsed_texts,
            ):
                submit()
                _write_events(collector, pool, archive)
        except KeyboardInterrupt:
            reader.limiter.stop.set()
            raise IncompleteResult(
                f"stopped; snapshot {writer.id} is partial",
                "what was read until now is kept",
                "run the same command again: it continues",
            ) from None
        except BaseException:
            reader.limiter.stop.set()  # no worker may try anything again
            raise
    granted = {kind: reader.granted_includes(kind) for kind in KINDS if reader.granted_includes(kind)}
    hidden = collector.hidden_includes(reader)
    includes = {"granted": granted, "hidden": hidden} if granted or hidden else {}
    shown = {**includes, **(_shown_models(reader) if _asks_models(options) else {})}
    writer.finish("partial" if collector.gaps else "complete", probe.api_version, shown)
    selected = options.selected
    result = _result(archive, writer.id, (*notes, *(selected.notes if selected else ())))
    unmatched = _unmatched_rules(options, archive, result, writer.resumed, collector.carried_over)
    if _asks_models(options):
        estate = Estate(open_snapshot(archive.conn, writer.id))
        result = replace(result, retiring=retiring_in_snapshot(estate, retirements.today()))
    return replace(result, unmatched=unmatched, unknown_ids=selected.unknown_ids if selected else ())


def _asks_models(options: SnapshotOptions) -> bool:
    return options.models and options.reads_kind("assistant")


def _shown_models(reader: Reader) -> dict[str, JSON]:
    """What the service shows of models, as `SnapshotInfo.models` has it. A snapshot is not less complete
    without it, so a service that stopped answering by now ends nothing."""
    try:
        served = read_served_models(reader)
    except ServiceUnreachable:
        served = None
    return {} if served is None else {"models": {name: asdict(row) for name, row in served.items()}}


def _write_events(collector: Collector, pool: WorkerPool[Event], archive: Archive) -> None:
    """Write all events; those that wait at the same time are committed together."""
    for events in pool.batches(EVENTS_PER_COMMIT):
        with archive.single_transaction():
            for event in events:
                collector.write(event)


def _unmatched_rules(
    options: SnapshotOptions,
    archive: Archive,
    result: SnapshotResult,
    resumed: bool,
    carried_over: Collection[str],
) -> tuple[str, ...]:
    """The filters that matched nothing. Excluded objects are in no archive, so an exclude rule is left out
    where its kind was read in an earlier run or snapshot; so is any rule of a kind that was not read."""
    rules = options.object_filter
    if options.shard is not None or not (rules.include or rules.exclude):
        return ()
    snapshot = open_snapshot(archive.conn, result.id)
    for kind in {kind for kind, glob in rules.include if (kind, glob) not in rules.matched_rules}:
        for _, body in snapshot.bodies(kind, None):
            rules.matches(kind, body)
    unknown = {gap.kind for gap in result.missing if gap.id == "*"}
    excluded = {kind for kind, _ in rules.exclude}
    if options.selected is not None:
        unknown |= set(SELECTABLE_KINDS)
        unmatched = [*options.selected.unmatched_rules, *rules.unmatched_rules(unknown | excluded)]
        matched = {f"{kind}:{glob}" for kind, glob in options.selected.rules.matched_rules}
        return tuple(rule for rule in unmatched if rule not in matched)
    return tuple(rules.unmatched_rules(unknown | (excluded if resumed else excluded & set(carried_over))))


def _complete_shard(archive: Archive, reader: Reader, options: SnapshotOptions) -> int:
    """The number of the complete snapshot of the same shard with the same tag and options; 0 if none."""
    if options.shard is None or not options.tag:
        return 0
    key = (reader.type, reader.url, "complete", options.tag, options.stored_options())
    snapshots = list_snapshots(archive.conn)
    return max((s.id for s in snapshots if (s.type, s.url, s.state, s.tag, s.options) == key), default=0)


def _result(archive: Archive, number: int, notes: tuple[str, ...]) -> SnapshotResult:
    snapshot = open_snapshot(archive.conn, number)
    info = snapshot.info
    agents = [
        f"assistant {body.get('name')}: {'; '.join(remarks)}"
        for _, body in (snapshot.bodies("assistant", "") if info.type == "foundry" else ())
        if (remarks := served_version_remarks(body))
    ]
    rest = len(agents) - MAX_AGENTS_NAMED
    return SnapshotResult(
        number,
        info.state,
        snapshot.counts(),
        snapshot.missing(),
        (*notes, *agents[:MAX_AGENTS_NAMED], *([f"and {rest:,} more such agents: ls"] if rest > 0 else [])),
        str(info.options.get("shard") or ""),
        tuple(info.hidden),
        filtered=info.is_filtered,
    )
