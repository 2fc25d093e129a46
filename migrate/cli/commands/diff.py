"""diff: what differs between two estates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.config import Config
from migrate.cli.estate_argument import (
    ArchivedEstate,
    ConfigDirectory,
    archives_of,
    opened_estate,
    resolve_estate,
)
from migrate.cli.options import Common, common_options, environment, exit_with, workers
from migrate.cli.report_options import (
    NO_DIAGRAMS,
    DiagramCollector,
    ReportOptions,
    report_options,
    write_report,
)
from migrate.errors import BadUsage
from migrate.reports.commands.diff import diff_document, diff_report
from migrate.stages.diff.ignore_rules import read_ignore_rules
from migrate.stages.diff.run import diff
from migrate.stages.diff.scope import DIRECTORY_KINDS, Baseline, DiffScope, kinds_to_read
from migrate.stages.filters import ObjectFilter, must_be_kinds
from migrate.stages.match.journal_pairs import known_threads, open_journals
from migrate.stages.progress import Progress

if TYPE_CHECKING:
    from migrate.model.results.diff import DiffResult
    from migrate.stages.diff.scope import Baseline, DiffScope
    from migrate.stages.estate import Estate
    from migrate.stages.progress import Progress


def diff_estates(
    left: str,
    right: str,
    config: Config,
    scope: DiffScope,
    journal: Path | None,
    workers: int,
    progress: Progress,
    collector: DiagramCollector = NO_DIAGRAMS,
) -> DiffResult:
    """What differs between two ESTATE arguments. An archive is opened first: it may know which threads a
    service holds that does not list them."""

    kinds = kinds_to_read(scope.kinds)
    with opened_sides(left, right, config, kinds, journal, workers, progress) as (one, other):
        if scope.since and not scope.since.covers(one, other):
            raise BadUsage(
                f"--since names a snapshot of {scope.since.estate.side.url}",
                "neither side of the comparison is that place",
                "name a snapshot of one of the two: `snapshots FILE.db` lists them",
            )
        collector.add(left, one)
        collector.add(right, other)
        archives = archives_of((left, right), config, journal)
        with open_journals(archives, one, other) as told:
            return diff(one, other, told, scope)


@contextmanager
def opened_sides(
    left: str, right: str, config: Config, kinds: frozenset[str], journal: Path | None, workers: int,
    progress: Progress,
) -> Iterator[tuple[Estate, Estate]]:  # fmt: skip
    """Both sides of a comparison, with as much read of a live one as these kinds need."""

    if any(isinstance(resolve_estate(text, config), ConfigDirectory) for text in (left, right)):
        kinds &= DIRECTORY_KINDS
    swap = not isinstance(resolve_estate(left, config), ArchivedEstate)
    first, second = (right, left) if swap else (left, right)
    archives = archives_of((left, right), config, journal)
    facing = [config.meeting(config.environment, other) for other in (second, first)]
    with opened_estate(first, facing[0], workers, progress, kinds) as one:
        known = partial(known_threads, archives, one)
        with opened_estate(second, facing[1], workers, progress, kinds, known) as other:
            yield (other, one) if swap else (one, other)


@contextmanager
def since_baseline(which: str, left: str, right: str, config: Config) -> Iterator[Baseline]:
    """The snapshot that --since names: FILE.db@SNAPSHOT, or the number or tag of one in a compared archive.
    Raises `BadUsage` when it does not say which archive is meant."""

    archives = {f.path for t in (left, right) if isinstance(f := resolve_estate(t, config), ArchivedEstate)}
    named = "@" in which or Path(which).is_file()
    if not named and len(archives) != 1:
        raise BadUsage(f"--since {which} does not say in which archive", todo="write it as FILE.db@SNAPSHOT")
    text = which if named else f"{archives.pop()}@{which}"
    with opened_estate(text, config, 1, _silent()) as base:
        yield Baseline(base)


def _silent() -> Progress:

    return Progress()


FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("diff")
@click.argument("left")
@click.argument("right")
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be repeated.")
@click.option("--include", multiple=True, metavar="KIND:GLOB", help="Only objects whose name or id fits.")
@click.option("--exclude", multiple=True, metavar="KIND:GLOB", help="Not objects whose name or id fits.")
@click.option("--ignore", "ignore", multiple=True, type=FILE, help="A file of rules: what may differ.")
@click.option("--since", metavar="SNAPSHOT", help="Only objects that are no longer as they were there.")
@click.option("--journal", type=FILE, help="An archive whose id map says which object is which.")
@report_options
@environment
@workers
@common_options
def diff_command(
    common: Common, left: str, right: str, kinds: tuple[str, ...], include: tuple[str, ...],
    exclude: tuple[str, ...], ignore: tuple[Path, ...], since: str | None, journal: Path | None,
    reports: ReportOptions, environment: str | None, workers: int,
) -> None:  # fmt: skip
    """Compare any two estates: live, archived, or a config directory. Read only.

    Beside a config directory only configuration is compared: assistants, the vector stores and files that
    they use, and named stores.

    Exit 0 when nothing differs, 1 when something does, 3 when a side could not be read whole.
    """

    must_be_kinds(kinds)
    reports.check(left, right, *ignore, *([journal] if journal else []))
    collector = DiagramCollector(reports.shows_diagrams)
    config, progress = common.config.meeting(environment, ""), common.progress()
    with ExitStack() as stack:
        scope = DiffScope(
            kinds=frozenset(kinds),
            object_filter=ObjectFilter.parse(include, exclude),
            rules=tuple(rule for file in ignore for rule in read_ignore_rules(file)),
            since=stack.enter_context(since_baseline(since, left, right, config)) if since else None,
            models=config.models,
            connections=config.connections,
        )
        result = diff_estates(left, right, config, scope, journal, workers, progress, collector)
    write_report(common, reports, diff_document(result), diff_report(result, left, right), collector)
    exit_with(result.exit_code)
