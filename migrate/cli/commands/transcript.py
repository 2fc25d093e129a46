"""transcript: the messages of a thread."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from migrate.archive.database import check_not_an_archive
from migrate.archive.snapshots.history import describe_other_snapshot
from migrate.cli import print_message, safe_text
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with
from migrate.cli.streams import stdout_is_broken, write_data
from migrate.errors import BadUsage
from migrate.files.output import STDOUT_PATH, resolve_destination, write_text
from migrate.model.known_secrets import redact
from migrate.model.results.query import Transcript
from migrate.reports.commands.transcript import TRANSCRIPT_FORMATS, transcript_document
from migrate.stages.object_lookup import ObjectLookup
from migrate.stages.query.transcript import read_transcript


@click.command("transcript")
@click.argument("archive")
@click.argument("thread")
@click.option(
    "--format", "format_", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True
)
@click.option("-o", "--output", type=FILE_PATH, help="File to write to; - is stdout.")
@common_options
def transcript_command(common: Common, archive: str, thread: str, format_: str, output: Path | None) -> None:
    """Print the messages of a thread, or the items of a conversation, of ARCHIVE[@SNAPSHOT] in order.

    THREAD is the id of a thread, or a beginning of its id that no other thread has.

    Files, images, citations and tool calls are shown by name. Exit 3 when the snapshot does not have all
    messages of the thread.
    """
    output = None if output == STDOUT_PATH else output
    if output:
        resolve_destination(output)
        check_not_an_archive(output)
    with archived_snapshot(archive, common.config) as snapshot:
        thread = ObjectLookup(snapshot.conn, snapshot).resolve(thread, ("thread",))
        transcript = read_transcript(snapshot, thread)
        if transcript is None:
            raise BadUsage(
                f"snapshot {snapshot.info.id} has no thread {thread!r}"
                f"{describe_other_snapshot(snapshot, thread)}",
                todo=f"name the snapshot: ARCHIVE@NUMBER; or list the threads: ls {archive} --kind thread",
            )
        used_format = "json" if common.as_json else format_
        lines = (f"{line}\n" for line in _safe_lines(transcript, used_format))
        if output:
            write_text(output, lines)
        else:
            to_terminal = used_format == "text" or sys.stdout.isatty()
            for line in lines:
                if stdout_is_broken():
                    break
                if to_terminal:
                    click.echo(line, nl=False)
                else:
                    write_data(line)
    if transcript.gap and not common.quiet:
        print_message(f"the thread is incomplete: {transcript.gap}")
    exit_with(3 if transcript.gap else 0)


def _safe_lines(transcript: Transcript, format_: str) -> Iterator[str]:
    """Lines without characters that control a terminal, also for a file: it may be shown on one later."""
    if format_ == "json":
        yield redact(json.dumps(transcript_document(transcript), indent=1, ensure_ascii=True, default=str))
    else:
        yield from map(safe_text, TRANSCRIPT_FORMATS[format_](transcript))
