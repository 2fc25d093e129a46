"""Open what `plan`, `assess` and `sync` need, call the stage, and register the plan in its archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from migrate.archive.blobs import Blob
from migrate.archive.database import Archive
from migrate.archive.registered_plans import check_plan_can_be_registered, register_plan
from migrate.archive.snapshots.reader import list_snapshots
from migrate.cli.config import SIGN_IN, Config
from migrate.cli.estate_argument import (
    ArchivedEstate,
    ConfigDirectory,
    LiveEstate,
    configured_service,
    live_estate,
    open_archived,
    resolve_estate,
    snapshot_to_move,
)
from migrate.cli.report_options import NO_DIAGRAMS, DiagramCollector
from migrate.cli.sides import (
    directory_options,
    open_estate,
    recover_interrupted_applies,
    report_environment,
)
from migrate.codecs.config_directory import CONFIG_TYPE
from migrate.codecs.foundry.valid_names import valid_name_base, why_invalid_name
from migrate.endpoints import connect_reader
from migrate.errors import BadUsage, OperationRefused
from migrate.files.output import STDOUT_PATH
from migrate.model.results.plan import Assessment, Plan
from migrate.stages.config_directory import read as config_directory_read
from migrate.stages.estate import Estate
from migrate.stages.plan.assess import assess_plan
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.run import check_source, plan_move, plan_without_target
from migrate.stages.progress import Progress

NO_BLOBS: Mapping[str, Blob] = {}


def parse_percent(text: str | None) -> int | None:
    """`30%` or `30` as a number; None stays None. Raises `BadUsage`."""
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
    names: Iterable[str],
    accept_loss: Iterable[str],
    copy_files: bool,
    rewrite_ids: bool = False,
    agent_version: str = "newest",
    max_update: str | None = None,
    max_delete: str | None = None,
    prune: bool = False,
    on_conflict: Literal["overwrite", "keep", "fail"] = "overwrite",
) -> PlanOptions:
    """Options of the command line, which take precedence over the config file.

    A config directory has its own names for each environment, so those of the config file are not used for
    it.
    """
    if configured_service(source, config) is None and Path(source).is_dir():
        config = replace(config, models={}, connections={}, names={})
    return PlanOptions(
        models={**config.models, **dict(_name_pair(text, "--models") for text in models)},
        connections={
            **config.connections,
            **dict(_name_pair(text, "--connections") for text in connections),
        },
        names=_agent_names((_name_pair(text, "--names") for text in names), "--names"),
        config_names=_agent_names(config.names.items(), "[names] of the config file"),
        accept=frozenset(accept_loss),
        copy_files=copy_files,
        rewrite_ids=rewrite_ids,
        agent_version="served" if agent_version == "served" else "newest",
        max_update=parse_percent(max_update),
        max_delete=parse_percent(max_delete),
        prune=prune,
        on_conflict=on_conflict,
    )


def _name_pair(text: str, option: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals or not new:
        raise BadUsage(
            f"{text!r} is not OLD=NEW",
            f"{option} maps a name of the source to one of the target",
            f"write both: {option} OLD=NEW",
        )
    return old, new


def _agent_names(pairs: Iterable[tuple[str, str]], place: str) -> dict[str, str]:
    """Assistant -> name of its agent. Raises `BadUsage` for a name that no agent can have, and for an
    assistant that is given two names."""
    names: dict[str, str] = {}
    for old, new in pairs:
        if reason := why_invalid_name(new):
            nearest = valid_name_base(new)
            raise BadUsage(
                f"{place}: {new!r} is not a valid name of an agent",
                reason,
                f"a valid one: {nearest}" if nearest else "choose another name",
            )
        if not old or names.setdefault(old, new) != new:
            reason = (
                f"{old!r} is mapped to {names[old]} and to {new}" if old else "it maps '', which is no name"
            )
            raise BadUsage(
                f"{place}: one assistant needs one name", reason, "keep one line for each assistant"
            )
    return names


def make_plan(
    source: str,
    target: LiveEstate,
    config: Config,
    options: PlanOptions,
    workers: int,
    progress: Progress,
    plan_file: Path | None = None,
    collector: DiagramCollector = NO_DIAGRAMS,
    dry_run: bool = False,
    further_blobs: Mapping[str, Blob] = NO_BLOBS,
) -> Plan:
    """Read the target, plan, and register the plan in the archive of the source.

    `plan_file`: a config directory is stored in an archive beside this file. `dry_run`: nothing is written
    into the archive, so the plan cannot be applied. `further_blobs`: file id -> bytes that the archive will
    have by then. Raises `BadUsage`.
    """
    estate = resolve_estate(source, config)
    if isinstance(estate, LiveEstate):
        raise BadUsage(
            f"{source} is a live estate",
            "the source of a plan must not change",
            f"take a snapshot first: snapshot {source} -o estate.db",
        )
    with ExitStack() as stack:
        if isinstance(estate, ConfigDirectory):
            stored = _stored_directory(estate, plan_file or STDOUT_PATH, progress)
            opened, archive = stack.enter_context(stored)
        else:
            archive = estate.path
            if not dry_run:
                check_plan_can_be_registered(archive)
            snapshot = snapshot_to_move(estate, target.side)
            opened = Estate(stack.enter_context(open_archived(snapshot)))
            opened.snapshot.further_blobs = further_blobs
        _prepare_source(opened, source, options, collector)
        if isinstance(estate, ArchivedEstate) and not dry_run:
            recover_interrupted_applies(archive, opened.side, target.side, config, workers, progress)
        reader = stack.enter_context(closing(connect_reader(target.settings)))
        plan = plan_move(opened, str(archive.resolve()), reader, target.argument, options, workers, progress)
    if not dry_run:
        register_plan(Path(plan.source.archive), plan.digest)
    return plan


def assess_move(
    source: str,
    target: str,
    config: Config,
    options: PlanOptions,
    workers: int,
    progress: Progress,
    collector: DiagramCollector,
) -> Assessment:
    """What a move of any estate to a live one, or to a type of service, would keep and lose."""
    is_type = target in SIGN_IN and target not in config.estates
    live = None if is_type else live_estate(target, config, workers)
    estate = resolve_estate(source, config)
    if isinstance(estate, ArchivedEstate) and live is not None:
        snapshot = snapshot_to_move(estate, live.side, strict=False)
        source = f"{snapshot.path}@{snapshot.which}"
    with open_estate(source, config, workers, progress, models=True) as opened:
        _prepare_source(opened, source, options, collector)
        options = replace(options, bytes_later=isinstance(estate, LiveEstate))
        if live is None:
            return assess_plan(plan_without_target(target, opened, options), opened, target)
        with closing(connect_reader(live.settings)) as reader:
            plan = plan_move(opened, source, reader, target, options, workers, progress)
        return assess_plan(plan, opened, plan.target.url)


@contextmanager
def _stored_directory(
    directory: ConfigDirectory, plan_file: Path, progress: Progress
) -> Iterator[tuple[Estate, Path]]:
    """A config directory as an estate, and the path of the archive that stores it.

    What was reviewed is what is applied, even if the files change later. An existing archive of a config
    directory under this name is continued, with its journal.
    """
    if plan_file == STDOUT_PATH:
        why = "the config directory is kept in an archive beside the plan, under its name"
        raise BadUsage("a plan from a config directory needs a file", why, "name one: -o plan.json")
    path = plan_file.with_name(f"{plan_file.stem}.db")
    if path == plan_file:
        raise BadUsage(
            f"{plan_file} would be the archive of the config directory",
            "the plan needs another file name",
            "choose a name that ends in .json",
        )
    if path.exists():
        with Archive.open(path) as archive:
            other_estates = any(info.type != CONFIG_TYPE for info in list_snapshots(archive.conn))
        if other_estates:
            raise OperationRefused(
                f"{path} is an archive of another estate",
                "a plan from a config directory keeps the directory under that name",
                "give -o another name",
            )
    contents = config_directory_read.read_directory(directory_options(directory))
    report_environment(contents.environment, directory, progress)
    with Archive.open(path, write=True, create=True) as archive:
        resolved = str(directory.path.resolve())
        yield config_directory_read.directory_estate(contents, resolved, archive), path


def _prepare_source(estate: Estate, label: str, options: PlanOptions, collector: DiagramCollector) -> None:
    estate.agent_version = options.agent_version
    check_source(estate)
    collector.add(label, estate)
