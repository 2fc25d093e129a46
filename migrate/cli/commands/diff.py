"""diff: what differs between two estates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import click

from migrate.cli.config import Config
from migrate.cli.estate_argument import ArchivedEstate, ConfigDirectory, archives_of, resolve_estate
from migrate.cli.options import (
    FILE_PATH,
    Common,
    common_options,
    environment,
    exit_with,
    filter_options,
    workers,
)
from migrate.cli.report_options import DiagramCollector, ReportOptions, report_options, write_report
from migrate.cli.sides import open_estate
from migrate.errors import BadUsage
from migrate.reports.commands.diff import diff_document, diff_report
from migrate.stages.diff.ignore_rules import read_ignore_rules
from migrate.stages.diff.run import diff
from migrate.stages.diff.scope import DIRECTORY_KINDS, Baseline, DiffScope, kinds_to_read
from migrate.stages.estate import Estate
from migrate.stages.filters import ObjectFilter, must_be_kinds
from migrate.stages.match.journal_pairs import known_threads, open_journals
from migrate.stages.progress import Progress


@contextmanager
def _open_sides(
    left: str, right: str, config: Config, kinds: frozenset[str], archives: list[Path], workers: int,
    progress: Progress,
) -> Iterator[tuple[Estate, Estate]]:  # fmt: skip
    """Both sides, with as much of a live one as the comparison of these kinds needs.

    An archive is opened first: it may know threads of a service that does not list them.
    """
    estates = [resolve_estate(text, config) for text in (left, right)]
    if any(isinstance(estate, ConfigDirectory) for estate in estates):
        kinds &= DIRECTORY_KINDS
    swap = not isinstance(estates[0], ArchivedEstate)
    first, second = (right, left) if swap else (left, right)
    configs = [config.for_command(config.environment, text) for text in (second, first)]
    models = not kinds or "assistant" in kinds
    with open_estate(first, configs[0], workers, progress, kinds, models=models) as opened:
        threads = partial(known_threads, archives, opened)
        with open_estate(second, configs[1], workers, progress, kinds, threads, models) as other:
            yield (other, opened) if swap else (opened, other)


@contextmanager
def _open_baseline(which: str, left: str, right: str, config: Config) -> Iterator[Baseline]:
    """The snapshot that --since names: FILE.db@SNAPSHOT, or the number or tag of one in a compared archive.

    Raises `BadUsage` if it is not clear which archive is meant.
    """
    archives = archives_of((left, right), config, None)
    named = "@" in which or Path(which).is_file()
    if not named and len(archives) != 1:
        raise BadUsage(f"--since {which} does not name an archive", todo="write it as FILE.db@SNAPSHOT")
    text = which if named else f"{archives[0]}@{which}"
    with open_estate(text, config, 1, Progress()) as base:
        yield Baseline(base)


def _check_baseline(baseline: Baseline, left: Estate, right: Estate) -> None:
    if not baseline.covers(left, right):
        raise BadUsage(
            f"--since names a snapshot of {baseline.estate.side.url}",
            "neither side of the comparison is that estate",
            "name a snapshot of one of the two: `snapshots FILE.db` lists them",
        )


@click.command("diff")
@click.argument("left")
@click.argument("right")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind; may be repeated.")
@filter_options
@click.option(
    "--ignore", "ignore", multiple=True, type=FILE_PATH, help="File of rules for differences to ignore."
)
@click.option("--since", metavar="SNAPSHOT", help="Only objects that changed since this snapshot.")
@click.option("--journal", type=FILE_PATH, help="Archive whose id map shows which objects are pairs.")
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

    With a config directory only configuration is compared: assistants, the vector stores and files that
    they use, and named stores.

    Exit 0 when nothing differs, 1 when something does, 3 when a side could not be read completely.

    \b
    Examples:
      assistants-migrate diff east west
      assistants-migrate diff estate.db@1 east -o changes.html
      assistants-migrate diff agents estate.db
    """
    must_be_kinds(kinds)
    reports.check(left, right, *ignore, *([journal] if journal else []))
    collector = DiagramCollector(reports.shows_diagrams)
    config, progress = common.config.for_command(environment, ""), common.progress()
    archives = archives_of((left, right), config, journal)
    with ExitStack() as stack:
        scope = DiffScope(
            kinds=frozenset(kinds),
            object_filter=ObjectFilter.parse(include, exclude),
            rules=tuple(rule for file in ignore for rule in read_ignore_rules(file)),
            since=stack.enter_context(_open_baseline(since, left, right, config)) if since else None,
            models=config.models,
            connections=config.connections,
        )
        estates = stack.enter_context(
            _open_sides(left, right, config, kinds_to_read(scope.kinds), archives, workers, progress)
        )
        if scope.since:
            _check_baseline(scope.since, *estates)
        for label, estate in zip((left, right), estates, strict=True):
            collector.add(label, estate)
        result = diff(*estates, stack.enter_context(open_journals(archives, *estates)), scope)
    write_report(common, reports, diff_document(result), diff_report(result, left, right), collector)
    exit_with(result.exit_code)
