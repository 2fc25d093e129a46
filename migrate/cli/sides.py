"""Open the sides of a command: estates, and the archive, source and target of a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeVar

from migrate.archive.connections import ThreadLocalConnection
from migrate.archive.database import Archive, translate_damage
from migrate.archive.id_map import Side
from migrate.archive.journal_check import check_journal
from migrate.archive.registered_plans import interrupted_plans, is_plan_registered, read_plan_document
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.cli.config import Config
from migrate.cli.estate_argument import (
    ArchivedEstate,
    ConfigDirectory,
    live_estate,
    open_archived,
    resolve_estate,
    thread_ids,
)
from migrate.codecs import capabilities_for
from migrate.endpoints import connect_reader, connect_writer
from migrate.endpoints.interface import Reader
from migrate.endpoints.settings import Settings
from migrate.errors import ArchiveBusy, PlanEdited, PlanStale, PlanUnknown
from migrate.model.results.archive import SnapshotInfo
from migrate.model.results.plan import Plan
from migrate.stages.apply.context import apply_context
from migrate.stages.apply.recover import recover_interrupted
from migrate.stages.config_directory.read import DirectoryOptions, open_directory
from migrate.stages.estate import Estate
from migrate.stages.filters import ObjectFilter
from migrate.stages.plan.plan_file import from_document
from migrate.stages.plan_sides import PlanSides
from migrate.stages.progress import Progress
from migrate.stages.snapshot.live_estate import lists_threads, temporary_snapshot
from migrate.stages.snapshot.options import SnapshotOptions

# Type and address of a service -> ids of threads that it should have.
KnownThreads = Callable[[str, str], tuple[str, ...]]


@contextmanager
def open_estate(
    text: str,
    config: Config,
    workers: int,
    progress: Progress,
    kinds: Collection[str] = (),
    known_threads: KnownThreads | None = None,
    models: bool = False,
) -> Iterator[Estate]:
    """Any estate, ready to be compared; a live one is read into a temporary archive first.

    `kinds`: what to read of it (empty: all). `known_threads`: ids to ask for if the service lists no threads.
    `models`: ask a live one which models its names mean.
    """
    estate = resolve_estate(text, config, workers)
    with ExitStack() as stack:
        if isinstance(estate, ArchivedEstate):
            yield Estate(stack.enter_context(open_archived(estate)))
        elif isinstance(estate, ConfigDirectory):
            directory, environment = stack.enter_context(open_directory(directory_options(estate)))
            report_environment(environment, estate, progress)
            yield directory
        else:
            reader = stack.enter_context(closing(connect_reader(estate.settings)))
            ids = thread_ids(None, estate)
            if known_threads and (not kinds or "thread" in kinds) and not lists_threads(reader):
                ids = tuple(dict.fromkeys([*ids, *known_threads(reader.type, reader.url)]))
            object_filter = ObjectFilter.for_kinds(kinds)
            options = SnapshotOptions(
                thread_ids=ids, runs=False, bytes=False, object_filter=object_filter, workers=workers,
                models=models,
            )  # fmt: skip
            live, _ = stack.enter_context(temporary_snapshot(reader, options, progress))
            yield live


def directory_options(directory: ConfigDirectory) -> DirectoryOptions:
    """The options with which a stage reads a config directory."""
    return DirectoryOptions(directory.path, directory.environment, directory.other_side)


def report_environment(name: str, directory: ConfigDirectory, progress: Progress) -> None:
    """Report which environment of a config directory is used, unless the user chose it."""
    if name and name != directory.environment:
        progress.say(f"{directory.path} is read as environment {name!r}, which is called like the other side")


_ServiceT = TypeVar("_ServiceT", bound=Reader)


@contextmanager
def open_plan(
    plan: Plan,
    config: Config,
    workers: int,
    connect: Callable[[Settings], _ServiceT],
    archive_path: Path | None = None,
) -> Iterator[PlanSides[_ServiceT]]:
    """Open both sides of a plan; the archive is opened for writing if the target is. `archive_path`: where
    the archive is now, if it was moved since the plan was made.

    Nothing is sent before the archive is known to contain the plan. Raises `PlanUnknown`, `PlanStale`, and
    `ArchiveDamaged` if the journal is not what was written.
    """
    with ExitStack() as stack:
        path = archive_path or Path(plan.source.archive)
        archive = stack.enter_context(Archive.open(path, write=connect is connect_writer))
        stack.enter_context(translate_damage(path))
        _check_registered(plan, archive)
        check_journal(archive.conn, plan.digest)
        live = live_estate(plan.target.estate, config, workers)
        info = _planned_snapshot(plan, list_snapshots(archive.conn))
        if info is None:
            raise PlanStale(
                f"{plan.source.archive} has no snapshot {plan.source.snapshot} any more",
                todo="run plan again and read the new one",
            )
        conn = stack.enter_context(closing(ThreadLocalConnection(archive.open_read_connection)))
        service = stack.enter_context(closing(connect(live.settings)))
        if (service.type, service.url) != (plan.target.type, plan.target.url):
            raise PlanStale(
                f"{plan.target.estate} is {service.url} now",
                f"the plan was made for {plan.target.url}",
                "fix the config file, or run plan again",
            )
        source = Estate(SnapshotReader(conn, info))
        source.agent_version = plan.settled.agent_version
        for action in plan.actions:
            if action.order:
                source.set_message_order(action.id, action.order)
        yield PlanSides(archive, source, service, capabilities_for(service.type, service.api_version))


def _planned_snapshot(plan: Plan, snapshots: Sequence[SnapshotInfo]) -> SnapshotInfo | None:
    """The snapshot that a plan was made from: the one of its number, unless another one is exactly what was
    planned. A merge gives snapshots other numbers."""
    numbered = next((info for info in snapshots if info.id == plan.source.snapshot), None)
    planned = plan.source.type, plan.source.url, plan.source.digest
    if numbered is not None and numbered.digest == plan.source.digest:
        return numbered
    return next((i for i in snapshots if i.digest and (i.type, i.url, i.digest) == planned), numbered)


def _check_registered(plan: Plan, archive: Archive) -> None:
    if not is_plan_registered(archive.conn, plan.digest):
        raise PlanUnknown(
            f"{archive.path} does not know this plan",
            "`plan` notes each plan in its archive; this one was changed since, was made by an earlier "
            "version, or the archive was replaced by an older copy",
            "run plan again and read the new one",
        )


def recover_interrupted_applies(
    path: Path, source: Side, target: Side, config: Config, workers: int, progress: Progress
) -> None:
    """Find out, before a new plan is made, which requests of interrupted applies between two sides succeeded.

    Objects that were created without an answer are entered into the journal. Otherwise the new plan would
    create an object without room for a stamp a second time. Raises `IncompleteResult` if the target cannot be
    read.
    """
    with Archive.open(path) as archive:
        documents = [
            read_plan_document(archive.conn, digest)
            for digest in interrupted_plans(archive.conn, source, target)
        ]
    for document in filter(None, documents):
        try:
            plan = from_document(document)
            with open_plan(plan, config, workers, connect_writer, path) as sides:
                recover_interrupted(apply_context(plan, sides, progress))
        except (ArchiveBusy, PlanEdited, PlanStale):
            continue  # another program continues it, or its snapshot no longer exists
