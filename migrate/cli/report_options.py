"""Where a report goes: the options --format and -o, and one reading written in as many forms as asked for."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from migrate.cli.options import Common
from migrate.errors import BadUsage
from migrate.files.output import STDOUT_PATH, resolve_destination, write_text
from migrate.model.known_secrets import redact

if TYPE_CHECKING:
    from migrate.model.results.query import Diagram
    from migrate.reports.report import Report
    from migrate.stages.estate import Estate


class DiagramCollector:
    """`pictures` are pairs of a label and a picture; none when nobody will look."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self.pictures: tuple[tuple[str, Diagram], ...] = ()

    def take(self, label: str, estate: Estate) -> None:
        """One more picture, unless nobody wants any."""
        if not self._wanted:
            return
        from migrate.archive.snapshots.reader import SnapshotReader, newest_snapshot
        from migrate.stages.estate import Estate
        from migrate.stages.query.cleanup import OTHER_GENERATION
        from migrate.stages.query.diagram import estate_diagram

        conn, side = estate.snapshot.conn, estate.side
        info = newest_snapshot(conn, OTHER_GENERATION.get(side.type, ""), side.url)
        beside = Estate(SnapshotReader(conn, info)) if info else None
        self.pictures = (*self.pictures, (label, estate_diagram(estate, beside=beside)))


NO_DIAGRAMS = DiagramCollector(wanted=False)


ReportCommand = TypeVar("ReportCommand", bound=Callable[..., Any])

FORMATS = ("text", "json", "markdown", "html", "junit")
ENDINGS = {
    ".txt": "text", ".json": "json", ".md": "markdown", ".markdown": "markdown",
    ".html": "html", ".htm": "html", ".xml": "junit",
}  # fmt: skip


@dataclass(frozen=True)
class ReportOptions:
    """A format (nothing: text on a terminal, the ending for a file) and the files to write."""

    format: str
    files: tuple[Path, ...]

    def of(self, file: Path) -> str:
        """The format of one file."""
        return self.format or ENDINGS.get(file.suffix.lower(), "text")

    @property
    def pictures(self) -> bool:
        """Whether any of it shows the estates as pictures."""
        return "html" in ([self.of(file) for file in self.files] or [self.format])

    def check(self, *inputs: Path | str) -> None:
        """Raises before anything is read when a file cannot be written or must not be: an archive, or one
        of `inputs`."""
        from migrate.archive.database import check_not_an_archive

        for file in self.files:
            resolve_destination(file)
            check_not_an_archive(file)
            if any(_is_same_file(file, Path(one)) for one in inputs):
                raise BadUsage(
                    f"{file} belongs to this command", "it would be overwritten", "name another file"
                )


def report_options(function: ReportCommand) -> ReportCommand:
    """--format and -o; the command receives a `ReportOptions` as `wanted`."""
    return _with_options(function, "-o", "--output")


def report_options_beside(function: ReportCommand) -> ReportCommand:
    """--format and --report, for a command whose -o is something else."""
    return _with_options(function, "--report")


def _with_options(function: ReportCommand, *spellings: str) -> ReportCommand:
    def wrapped(format_: str | None, files: tuple[Path, ...], **others: Any) -> Any:
        return function(wanted=ReportOptions(format_ or "", files), **others)

    wrapped.__doc__, wrapped.__name__ = function.__doc__, function.__name__
    wrapped.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    for option in (
        click.option(
            *spellings, "files", multiple=True, metavar="FILE", type=click.Path(path_type=Path),
            help="Write a report: .md .html .xml .json, else text; - is stdout; may be repeated.",
        ),
        click.option(
            "--format", "format_", type=click.Choice(FORMATS),
            help="What to write (default: text, or as FILE ends).",
        ),
    ):  # fmt: skip
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def show(common: Common, wanted: ReportOptions, document: Any, report: Report, taken: bool = False) -> None:
    """The result on standard output, unless something else is written there, and in every file that was
    asked for."""
    files = [file for file in wanted.files if file != STDOUT_PATH]
    for_stdout = "text" if files and STDOUT_PATH not in wanted.files else wanted.format or "text"
    if taken:
        common.hush()
    elif common.as_json or for_stdout == "json":
        common.answer(document, rendered("json", document, report), data=True)
    elif for_stdout == "text":
        _speak(common, report)
    else:
        common.answer(document, rendered(for_stdout, document, report), data=True)
    for file in files:
        write_text(file, [rendered(wanted.of(file), document, report), "\n"])


def _speak(common: Common, report: Report) -> None:
    from migrate.reports.formats.terminal import terminal_screen, terminal_text

    if not sys.stdout.isatty():
        common.answer(None, terminal_text(report))
        return
    common.hush()
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    click.echo(redact(terminal_screen(report, shutil.get_terminal_size().columns, colour)), color=colour)


def rendered(format_: str, document: Any, report: Report) -> str:
    """One report in one format, without secrets of this run."""
    return redact(_rendered(format_, document, report))


def _rendered(format_: str, document: Any, report: Report) -> str:
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
    from migrate.reports.formats.terminal import terminal_text

    return terminal_text(report, whole=True)


def _is_same_file(file: Path, other: Path) -> bool:
    """Whether two paths name one plain file, by whatever links. A pipe or a device may be named twice."""
    try:
        if file.exists() and not file.is_file():
            return False
        return os.path.realpath(file) == os.path.realpath(other) or file.samefile(other)
    except (OSError, ValueError):
        return False
