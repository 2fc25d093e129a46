"""The options --format and -o: write one report in several formats, to files and to standard output."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from migrate import __version__
from migrate.archive.database import check_not_an_archive
from migrate.archive.snapshots.reader import SnapshotReader, newest_snapshot
from migrate.archive.snapshots.writer import utc_now
from migrate.cli.options import Common
from migrate.errors import BadUsage
from migrate.files.output import STDOUT_PATH, resolve_destination, write_text
from migrate.model.known_secrets import redact
from migrate.model.results.query import Diagram
from migrate.reports.formats.terminal import terminal_screen, terminal_text
from migrate.reports.report import Report
from migrate.stages.estate import Estate
from migrate.stages.query.cleanup import OTHER_GENERATION
from migrate.stages.query.diagram import estate_diagram


class DiagramCollector:
    """Diagrams of estates, as (label, diagram). It collects none unless `enabled`: a diagram takes time."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self.diagrams: tuple[tuple[str, Diagram], ...] = ()

    def add(self, label: str, estate: Estate) -> None:
        """Add the diagram of one estate."""
        if not self._enabled:
            return
        conn, side = estate.snapshot.conn, estate.side
        info = newest_snapshot(conn, OTHER_GENERATION.get(side.type, ""), side.url)
        beside = Estate(SnapshotReader(conn, info)) if info else None
        self.diagrams = (*self.diagrams, (label, estate_diagram(estate, sibling=beside)))


NO_DIAGRAMS = DiagramCollector(enabled=False)

ReportCommand = TypeVar("ReportCommand", bound=Callable[..., Any])

FORMATS = ("text", "json", "markdown", "html", "junit")
ENDINGS = {
    ".txt": "text", ".json": "json", ".md": "markdown", ".markdown": "markdown",
    ".html": "html", ".htm": "html", ".xml": "junit",
}  # fmt: skip


@dataclass(frozen=True)
class ReportOptions:
    """The format ('': text on standard output, by its ending for a file) and the files to write."""

    format: str
    files: tuple[Path, ...]

    def format_of(self, file: Path) -> str:
        """The format of one file."""
        return self.format or ENDINGS.get(file.suffix.lower(), "text")

    @property
    def shows_diagrams(self) -> bool:
        """Whether a requested format shows diagrams of the estates."""
        return "html" in ([self.format_of(file) for file in self.files] or [self.format])

    def check(self, *inputs: Path | str) -> None:
        """Check, before anything is read, that each file can be written and is no archive and none of
        `inputs`.

        Raises `BadUsage`.
        """
        for file in self.files:
            resolve_destination(file)
            check_not_an_archive(file)
            if any(_is_same_file(file, Path(path)) for path in inputs):
                raise BadUsage(
                    f"{file} belongs to this command", "it would be overwritten", "name another file"
                )


def report_options(function: ReportCommand) -> ReportCommand:
    """--format and -o; the command receives a `ReportOptions` as `reports`."""
    return _with_options(function, "-o", "--output")


def report_options_beside(function: ReportCommand) -> ReportCommand:
    """--format and --report, for a command whose -o has another meaning."""
    return _with_options(function, "--report")


def _with_options(function: ReportCommand, *spellings: str) -> ReportCommand:
    def wrapped(format_: str | None, files: tuple[Path, ...], **others: Any) -> Any:
        return function(reports=ReportOptions(format_ or "", files), **others)

    wrapped.__doc__, wrapped.__name__ = function.__doc__, function.__name__
    wrapped.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    for option in (
        click.option(
            *spellings, "files", multiple=True, metavar="FILE", type=click.Path(path_type=Path),
            help="Write a report: .md .html .xml .json, else text; - is stdout; may be repeated.",
        ),
        click.option(
            "--format", "format_", type=click.Choice(FORMATS),
            help="Format of the output (default: from the ending of FILE, else text).",
        ),
    ):  # fmt: skip
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def write_report(
    common: Common,
    options: ReportOptions,
    document: Any,
    report: Report,
    collector: DiagramCollector,
    stdout_used: bool = False,
) -> None:
    """Write the result to standard output, unless that is used for something else, and to each requested
    file."""
    report = replace(
        report, made_at=report.made_at or utc_now(), version=__version__, pictures=collector.diagrams
    )
    files = [file for file in options.files if file != STDOUT_PATH]
    for_stdout = "text" if files and STDOUT_PATH not in options.files else options.format or "text"
    if stdout_used:
        common.end_progress()
    elif common.as_json or for_stdout == "json":
        common.write_result(document, rendered("json", document, report), data=True)
    elif for_stdout == "text":
        _print_text(common, report)
    else:
        common.write_result(document, rendered(for_stdout, document, report), data=True)
    for file in files:
        write_text(file, [rendered(options.format_of(file), document, report), "\n"])


def _print_text(common: Common, report: Report) -> None:
    if not sys.stdout.isatty():
        common.write_result(None, terminal_text(report))
        return
    common.end_progress()
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    click.echo(redact(terminal_screen(report, shutil.get_terminal_size().columns, colour)), color=colour)


def rendered(format_: str, document: Any, report: Report) -> str:
    """One report in one format, without secrets of this run."""
    return redact(_rendered(format_, document, report))


def _rendered(format_: str, document: Any, report: Report) -> str:
    # Each format loads its own libraries: jinja2 and the XML writer would slow down every other command.
    if format_ == "json":
        return json.dumps(document, indent=1, ensure_ascii=True, default=str)
    if format_ == "markdown":
        from migrate.reports.formats.markdown import markdown_text

        return markdown_text(report)
    if format_ == "junit":
        from migrate.reports.formats.junit import junit_xml

        return junit_xml(report)
    if format_ == "html":
        from migrate.reports.formats.html import html_page

        return html_page(report)
    return terminal_text(report, whole=True)


def _is_same_file(first: Path, second: Path) -> bool:
    """Whether two paths lead to the same plain file, also by links. A pipe or a device may be given twice."""
    try:
        if first.exists() and not first.is_file():
            return False
        return os.path.realpath(first) == os.path.realpath(second) or first.samefile(second)
    except (OSError, ValueError):
        return False
