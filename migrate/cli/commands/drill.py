"""drill: a recovery drill."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from migrate.archive.connections import ThreadLocalConnection
from migrate.archive.database import Archive, translate_damage
from migrate.archive.drill_journal import drill_journal_path, open_drill_journal
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.cli.commands.restore import snapshot_to_restore
from migrate.cli.config import Config
from migrate.cli.estate_argument import LiveEstate, live_estate
from migrate.cli.options import (
    Common,
    adaptation_options,
    all_objects_option,
    common_options,
    exit_with,
    workers,
)
from migrate.cli.plan_inputs import plan_options
from migrate.cli.report_options import NO_DIAGRAMS, ReportOptions, report_options, write_report
from migrate.cli.sample_options import read_sample, seed_option
from migrate.codecs import capabilities_for
from migrate.emulator import Emulator, Options
from migrate.emulator.options import ServiceName
from migrate.endpoints import connect_reader, connect_writer
from migrate.endpoints.settings import Settings
from migrate.errors import BadUsage, IncompleteResult, MigrateError, OperationRefused, ServiceUnreachable
from migrate.model.project_resources import (
    DEPLOYMENT_LABEL,
    connections_in,
    iter_local_names,
    short_connection_name,
)
from migrate.model.results.archive import SnapshotInfo
from migrate.model.results.drill import DrillResult
from migrate.model.results.plan import Plan
from migrate.model.sample import Sample
from migrate.reports.commands.apply import rollback_document, rollback_text
from migrate.reports.commands.drill import (
    drill_document,
    drill_report,
    stopped_drill_document,
    stopped_drill_text,
)
from migrate.stages.drill.run import DrillSides, DrillStopped, interrupted_drills, run_drill, take_back
from migrate.stages.estate import Estate
from migrate.stages.plan.options import PlanOptions
from migrate.stages.progress import Progress
from migrate.stages.rollback.run import RollbackInterrupted

# The ESTATE argument for an emulator inside this process.
EMULATOR = "emulator"
# Type of service -> the emulated service that answers like it.
EMULATED_SERVICES: dict[str, ServiceName] = {
    "azure-openai": "azure-openai",
    "openai": "openai",
    "foundry-classic": "foundry",
    "foundry": "foundry",
}


@dataclass(frozen=True)
class DrillSource:
    """What a drill reads, and how it connects: the archive, one of its snapshots, and the config."""

    path: Path
    info: SnapshotInfo
    config: Config
    workers: int
    progress: Progress

    @contextmanager
    def estate(self, info: SnapshotInfo) -> Iterator[Estate]:
        """A snapshot of the archive, for several threads."""
        with ExitStack() as stack:
            archive = stack.enter_context(Archive.open(self.path))
            stack.enter_context(translate_damage(self.path))
            conn = stack.enter_context(closing(ThreadLocalConnection(archive.open_read_connection)))
            yield Estate(SnapshotReader(conn, info))

    @contextmanager
    def sides(self, source: Estate, journal: Archive, live: LiveEstate, target: str) -> Iterator[DrillSides]:
        """Both sides of a drill, connected."""
        with ExitStack() as stack:
            reader = stack.enter_context(closing(connect_reader(live.settings)))
            writer = stack.enter_context(closing(connect_writer(live.settings)))
            yield DrillSides(
                source=source,
                archive=str(self.path.resolve()),
                journal=journal,
                reader=reader,
                writer=writer,
                capabilities=capabilities_for(writer.type, writer.api_version),
                target=target,
                workers=self.workers,
                progress=self.progress,
                emulated=target == EMULATOR,
            )


@click.command("drill")
@click.argument("archive")
@click.option(
    "--to",
    "target",
    metavar="ESTATE|emulator",
    required=True,
    help="An empty estate with `scratch = true` in the config, or an emulator inside this process.",
)
@click.option(
    "--service",
    type=click.Choice(list(EMULATED_SERVICES)),
    help="What the emulator is (default: the type of service of the snapshot).",
)
@click.option("--sample", metavar="N%", help="Restore only N% of the threads and assistants.")
@seed_option
@adaptation_options
@all_objects_option
@report_options
@workers
@common_options
def drill_command(
    common: Common, archive: str, target: str, service: str | None, sample: str | None, seed: int | None,
    reports: ReportOptions, all_objects: bool, workers: int, **given: Any,
) -> None:  # fmt: skip
    """Prove that ARCHIVE[@SNAPSHOT] can be restored: restore it into an empty place, compare everything, and
    roll it back.

    The report contains, for each kind, the age of the newest complete snapshot; the time of each step, and
    the estimated time for all objects; the objects that could not be restored, with the reason; and the
    objects that could not be removed again. --sample selects whole threads and assistants, and the objects
    that they need.

    The new ids are stored in the file ARCHIVE.drill, never in the archive. The drill removes this file at the
    end. If a drill was killed, the file stays, and the next drill first removes what the killed one wrote.

    Exit 1 when there are findings, or losses that --accept-loss does not accept. Exit 3 when some objects
    could not be restored or removed. Exit 4 when the place is not marked as scratch, or is not empty. Exit 5
    when it does not answer.

    \b
    Examples:
      assistants-migrate drill estate.db --to emulator
      assistants-migrate drill estate.db --to emulator --accept-loss all -o d.html
      assistants-migrate drill estate.db --to emulator --sample 20% --seed 1
    """
    config = common.config
    found, info = snapshot_to_restore(archive, config)
    reports.check(found.path, drill_journal_path(found.path))
    options = plan_options(config, archive, **given)
    chosen = read_sample(sample, seed)
    source = DrillSource(found.path, info, config, workers, common.progress())
    if service and target != EMULATOR:
        raise BadUsage("--service is the type of an emulator", f"{target} has a type", "leave --service out")
    try:
        if target == EMULATOR:
            result = _drill_in_emulator(source, service or info.type, options, chosen)
        else:
            result = _drill_in_place(source, target, options, chosen)
    except DrillStopped as stopped:
        common.write_result(stopped_drill_document(stopped.result), stopped_drill_text(stopped.result))
        raise
    except RollbackInterrupted as stopped:  # while what an interrupted drill left was removed
        common.write_result(rollback_document(stopped.result), rollback_text(stopped.result))
        raise
    write_report(common, reports, drill_document(result), drill_report(result, all_objects), NO_DIAGRAMS)
    exit_with(result.exit_code)


def _drill_in_emulator(
    drill: DrillSource, service: str, options: PlanOptions, sample: Sample | None
) -> DrillResult:
    """A drill that leaves nothing, also where it is killed: its place and its journal end with it."""
    if service not in EMULATED_SERVICES:
        raise BadUsage(
            f"there is no emulator of type {service}",
            f"snapshot {drill.info.id} is of that type",
            f"choose one: --service {'|'.join(EMULATED_SERVICES)}",
        )
    with ExitStack() as stack:
        source = stack.enter_context(drill.estate(drill.info))
        emulator = stack.enter_context(Emulator(_emulator_options(source, service, options)))
        auth = "token" if EMULATED_SERVICES[service] == "foundry" else "key"
        settings = Settings(
            service, emulator.url, auth=cast("Any", auth), secret=emulator.options.key, workers=drill.workers
        )
        journal = stack.enter_context(Archive.temporary())
        sides = stack.enter_context(drill.sides(source, journal, LiveEstate(settings), EMULATOR))
        return run_drill(sides, options, sample)


def _emulator_options(source: Estate, service: str, options: PlanOptions) -> Options:
    """An empty service that has the models and connections that the snapshot names: the drill is about the
    archive, not about a project. It returns the bytes of all files, so that they are compared."""
    models: set[str] = set()
    connections: set[str] = set()
    for assistant in source.objects("assistant").values():
        models.add(str(assistant.fields.get("model") or ""))
        models |= {name for _, label, name in iter_local_names(assistant.fields) if label == DEPLOYMENT_LABEL}
        connections |= set(connections_in(assistant.fields))
    return Options(
        service=EMULATED_SERVICES[service],
        key=secrets.token_hex(16),
        downloads=True,
        deployments=tuple(sorted({options.models.get(name, name) for name in models if name})),
        connections=tuple(
            sorted({short_connection_name(options.connections.get(name, name)) for name in connections})
        ),
    )


def _drill_in_place(
    drill: DrillSource, target: str, options: PlanOptions, sample: Sample | None
) -> DrillResult:
    """A drill in a real place, after what an interrupted one left was removed."""
    live = _scratch_place(target, drill)
    with open_drill_journal(drill.path) as journal:
        removed_before = sum(
            _remove_interrupted(drill, plan, journal) for plan in interrupted_drills(journal)
        )
        try:
            with (
                drill.estate(drill.info) as source,
                drill.sides(source, journal, live, target) as sides,
            ):
                return run_drill(sides, options, sample, removed_before)
        except MigrateError as error:
            if interrupted_drills(journal):
                error.todo = f"run the same drill again: it first removes what this one left in {target}"
            raise


def _scratch_place(target: str, drill: DrillSource) -> LiveEstate:
    """The place of a drill. Raises `OperationRefused` where it is not marked for drills, or is the place that
    the snapshot was read from."""
    entry = drill.config.estates.get(target)
    live = live_estate(target, drill.config, drill.workers)
    if entry is None or not entry.scratch:
        table = f"[estates.{target if entry else 'NAME'}]"
        raise OperationRefused(
            f"{target} is not marked as a place for drills",
            "a drill writes into it without asking, and removes what it wrote",
            f"if nothing else uses it, add `scratch = true` to {table} in the config file; or use "
            "--to emulator",
        )
    if live.settings.url == drill.info.url:
        raise OperationRefused(
            f"{target} is the place that snapshot {drill.info.id} was read from",
            "a drill needs a place of its own",
            "name another place, or use --to emulator",
        )
    return live


def _remove_interrupted(drill: DrillSource, plan: Plan, journal: Archive) -> int:
    """Remove what an interrupted drill left, wherever that was. Returns the number of objects.

    Raises `IncompleteResult` where something could not be removed, or where the snapshot of that drill no
    longer exists."""
    path = drill_journal_path(drill.path)
    with Archive.open(drill.path) as archive, translate_damage(drill.path):
        infos = {info.id: info for info in list_snapshots(archive.conn)}
    info = infos.get(plan.source.snapshot)
    if info is None or info.digest != plan.source.digest:
        raise IncompleteResult(
            f"an interrupted drill left objects in {plan.target.url}",
            f"{path} names them, but the archive no longer has the snapshot {plan.source.snapshot} that they "
            "were created from",
            f"remove what is in that place, then the file {path.name}",
        )
    live = live_estate(plan.target.estate, drill.config, drill.workers)
    if (live.settings.type, live.settings.url) != (plan.target.type, plan.target.url):
        raise OperationRefused(
            f"an interrupted drill left objects in {plan.target.url}",
            f"{plan.target.estate} is {live.settings.url} now",
            "let the config file name that place again, and run the same command",
        )
    drill.progress.say(f"an interrupted drill is removed from {plan.target.url}")
    with drill.estate(info) as source, drill.sides(source, journal, live, plan.target.estate) as sides:
        source.agent_version = plan.settled.agent_version
        result = take_back(plan, sides)
    if result.outage:
        raise ServiceUnreachable(*result.outage)
    if result.failed:
        first = result.failed[0]
        raise IncompleteResult(
            f"{len(result.failed):,} object(s) of an interrupted drill could not be removed from "
            f"{live.settings.url}",
            f"{first.kind} {first.name or '(no name)'} [{first.id}]: {first.reason}",
            "run the same command again, or remove them by hand",
        )
    return result.removed
