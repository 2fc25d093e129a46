"""Joins what planning, applying and verifying need: an archive, a connection, and what lies on the target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.id_map import Side
from migrate.archive.registered_plans import check_plan_can_be_registered, register_plan
from migrate.archive.snapshots.reader import list_snapshots
from migrate.cli.config import SIGN_IN, Config
from migrate.cli.estate_argument import (
    ArchivedEstate,
    ConfigDirectory,
    LiveEstate,
    live_estate,
    opened_estate,
    resolve_estate,
    say_environment,
    service,
    source_of,
)
from migrate.cli.interrupted_apply import settle_interrupted
from migrate.cli.report_options import NO_DIAGRAMS, DiagramCollector
from migrate.codecs.config_directory import CONFIG_TYPE
from migrate.endpoints import connect_reader
from migrate.errors import BadUsage, OperationRefused
from migrate.files.output import STDOUT_PATH
from migrate.stages.config_directory import read as config_directory_read
from migrate.stages.plan.assess import assess_plan
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.run import check_source, plan_move, plan_without_target

if TYPE_CHECKING:
    from migrate.archive.database import Archive
    from migrate.archive.id_map import Side
    from migrate.endpoints.interface import Reader
    from migrate.model.results.plan import Assessment, Plan
    from migrate.stages.estate import Estate
    from migrate.stages.plan.options import PlanOptions
    from migrate.stages.progress import Progress


@contextmanager
def kept_directory(found: ConfigDirectory, plan: Path, progress: Progress) -> Iterator[tuple[Estate, Path]]:
    """The directory as an estate, and the archive that it was kept in: what was reviewed is what is
    applied, whatever becomes of the files. An earlier one of the same name goes on, with its journal."""

    if plan == STDOUT_PATH:
        why = "the config directory is kept in an archive beside the plan, under its name"
        raise BadUsage("a plan from a config directory needs a file", why, "name one: -o plan.json")
    path = plan.with_name(f"{plan.stem}.db")
    if path == plan:
        raise BadUsage(
            f"{plan} is where the config directory is kept", "a plan needs another name", "end it in .json"
        )
    if path.exists():
        with Archive.open(path) as archive:
            foreign = any(info.type != CONFIG_TYPE for info in list_snapshots(archive.conn))
        if foreign:
            raise OperationRefused(
                f"{path} is an archive of another estate",
                "a plan from a config directory keeps the directory under that name",
                "give -o another name",
            )
    read = config_directory_read.read_directory(found.directory)
    say_environment(read.environment, found, progress)
    with Archive.open(path, write=True, create=True) as archive:
        yield config_directory_read.directory_estate(read, str(found.path.resolve()), archive), path


def percent(text: str | None) -> int | None:
    """`30%` or `30` as a number of hundredths; None stays None."""
    if text is None:
        return None
    number = text.strip().removesuffix("%")
    if not (number.isascii() and number.isdigit()) or int(number) > 100:
        raise BadUsage(f"{text!r} is no percentage", todo="write a number from 0 to 100, as in 30%")
    return int(number)


def plan_options(
    config: Config,
    source: str,
    models: Iterable[str],
    connections: Iterable[str],
    accept_loss: Iterable[str],
    copy_files: bool,
    rewrite_ids: bool = False,
    agent_version: str = "newest",
) -> PlanOptions:
    """What the user decided: the config file, and on top of it the options. A config directory has names of
    its own for each environment, so those of the config file are not for it."""

    if service(source, config) is None and Path(source).is_dir():
        config = replace(config, models={}, connections={})
    return PlanOptions(
        models={**config.models, **dict(_pair(text, "--models") for text in models)},
        connections={**config.connections, **dict(_pair(text, "--connections") for text in connections)},
        accept=frozenset(accept_loss),
        copy_files=copy_files,
        rewrite_ids=rewrite_ids,
        agent_version="served" if agent_version == "served" else "newest",
    )


def _pair(text: str, option: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals or not new:
        raise BadUsage(f"{text!r} is not OLD=NEW", f"{option} maps a name of the source to one of the target")
    return old, new


def make_plan(
    source: str,
    target: str,
    config: Config,
    choices: PlanOptions,
    workers: int,
    progress: Progress,
    beside: Path | None = None,
    collector: DiagramCollector = NO_DIAGRAMS,
) -> Plan:
    """Read what the target holds, plan, and note in the archive that this plan was made from it. `beside`:
    the plan's file, beside which a config directory is kept as it was read."""

    plan = _made(source, target, config, choices, workers, progress, beside, collector)
    register_plan(Path(plan.source.archive), plan.digest)
    return plan


def _made(
    source: str, target: str, config: Config, choices: PlanOptions, workers: int, progress: Progress,
    beside: Path | None, collector: DiagramCollector,
) -> Plan:  # fmt: skip

    found = resolve_estate(source, config)
    if isinstance(found, ConfigDirectory) and beside is not None:
        there = live_estate(target, config, workers)
        with kept_directory(found, beside, progress) as (ours, archive):
            ours.agent_version = choices.agent_version
            check_source(ours)
            collector.add(source, ours)
            return _planned(there, target, ours, archive, choices, workers, progress)
    if not isinstance(found, ArchivedEstate):
        raise BadUsage(f"{source} is a live estate", "a plan is made from something that stays still",
                       f"take a snapshot first: snapshot {source} -o estate.db")  # fmt: skip
    there = live_estate(target, config, workers)
    check_plan_can_be_registered(found.path)
    chosen = source_of(found, _place(there))
    with opened_estate(f"{chosen.path}@{chosen.which}", config, workers, progress) as ours:
        ours.agent_version = choices.agent_version
        check_source(ours)
        ends = ours.side, Side(there.settings.type, there.settings.url)
        settle_interrupted(found.path, *ends, config, workers, progress)
        collector.add(source, ours)
        return _planned(there, target, ours, found.path, choices, workers, progress)


def assess_move(
    source: str, target: str, config: Config, choices: PlanOptions, workers: int, progress: Progress,
    collector: DiagramCollector = NO_DIAGRAMS,
) -> Assessment:  # fmt: skip
    """What a move of any estate to a type of service, or to a live one, would keep and lose."""

    offline = target in SIGN_IN and target not in config.estates
    there = None if offline else live_estate(target, config, workers)
    found = resolve_estate(source, config)
    if isinstance(found, ArchivedEstate) and there is not None:
        chosen = source_of(found, _place(there), strict=False)
        source = f"{chosen.path}@{chosen.which}"
    with opened_estate(source, config, workers, progress) as ours:
        ours.agent_version = choices.agent_version
        check_source(ours)
        collector.add(source, ours)
        choices = replace(choices, bytes_later=isinstance(found, LiveEstate))
        if there is None:
            plan = plan_without_target(target, ours, choices)
        else:
            with _connected(there) as reader:
                plan = plan_move(ours, source, reader, target, choices, workers, progress)
        return assess_plan(plan, ours, target if there is None else plan.target.url)


@contextmanager
def _connected(there: LiveEstate) -> Iterator[Reader]:
    """A connection to a live estate that only reads."""
    reader = connect_reader(there.settings)
    try:
        yield reader
    finally:
        reader.close()


def _planned(
    there: LiveEstate, target: str, ours: Estate, archive: Path, choices: PlanOptions, workers: int,
    progress: Progress,
) -> Plan:  # fmt: skip
    with _connected(there) as reader:
        return plan_move(ours, str(archive.resolve()), reader, target, choices, workers, progress)


def _place(there: LiveEstate) -> Side:
    """The side of a plan that a live estate is, before anything is asked of it."""

    return Side(there.settings.type, there.settings.url)
