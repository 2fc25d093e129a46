"""transcript: what was said in a thread."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from migrate.archive.database import check_not_an_archive
from migrate.archive.snapshots.history import describe_other_snapshot
from migrate.cli import clean, tell
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import Common, common_options, exit_with
from migrate.cli.streams import broken, write_data
from migrate.errors import BadUsage
from migrate.files.output import STDOUT_PATH, resolve_destination, write_text
from migrate.model.known_secrets import redact
from migrate.reports.commands.transcript import TRANSCRIPT_FORMATS, transcript_document
from migrate.stages.query.transcript import read_transcript


@click.command("transcript")
@click.argument("archive")
@click.argument("thread")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file; - is stdout."
)
@common_options
def transcript_command(common: Common, archive: str, thread: str, format_: str, output: Path | None) -> None:
    """Print the messages of a thread, or the items of a conversation, of ARCHIVE[@SNAPSHOT] in order.

    Files, images, citations and tool calls are told by name. Exit 3 when the snapshot does not have all
    messages of the thread.
    """

    output = None if output == STDOUT_PATH else output
    if output:
        resolve_destination(output)
        check_not_an_archive(output)
    with archived_snapshot(archive, common.config) as there:
        found = read_transcript(there, thread)
        if found is None:
            raise BadUsage(
                f"snapshot {there.info.id} has no thread {thread!r}{describe_other_snapshot(there, thread)}",
                todo=f"name the snapshot: ARCHIVE@NUMBER; or list what is there: ls {archive} --kind thread",
            )
        chosen = "json" if common.as_json else format_
        pieces = _pieces(found, chosen)
        if output:
            write_text(output, (f"{piece}\n" for piece in pieces))
        else:
            show = click.echo if chosen == "text" or sys.stdout.isatty() else _data
            for piece in pieces:
                if broken():
                    break
                show(piece)
    if found.gap and not common.quiet:
        tell(f"not complete: {found.gap}")
    exit_with(3 if found.gap else 0)


def _data(piece: str) -> None:
    write_data(f"{piece}\n")


def _pieces(found: Any, format_: str) -> Iterator[str]:
    """Lines that a terminal cannot be steered with, in a file neither: somebody will print it."""

    if format_ == "json":
        yield redact(json.dumps(transcript_document(found), indent=1, ensure_ascii=True, default=str))
    else:
        yield from map(clean, TRANSCRIPT_FORMATS[format_](found))
