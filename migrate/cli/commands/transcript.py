"""transcript: the messages of a thread, or of all threads as files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.archive.database import check_not_an_archive
from migrate.archive.snapshots.history import describe_other_snapshot
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.cli import print_message, safe_text
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with
from migrate.cli.selection_options import listing_selection_options
from migrate.cli.streams import stdout_is_broken, write_data
from migrate.errors import BadUsage, NothingSelected
from migrate.files.output import STDOUT_PATH, resolve_destination, write_text
from migrate.model.known_secrets import redact
from migrate.model.results.query import Transcript
from migrate.model.selection import Selection
from migrate.reports.commands.archive import unknown_id_text, unmatched_text
from migrate.reports.commands.transcript import TRANSCRIPT_FORMATS, transcript_document
from migrate.stages.object_lookup import ObjectLookup
from migrate.stages.query.transcript import read_transcript

if TYPE_CHECKING:
    from migrate.model.results.transcripts import TranscriptForm, TranscriptPage
    from migrate.stages.selection import SelectedObjects

TRANSCRIPT_FORMAT_NAMES = ("text", "markdown", "json", "html", "jsonl")
# Formats of files, and of one thread that is no stream of lines of a transcript.
FOLDER_FORMATS, PAGE_FORMATS = ("html", "markdown", "jsonl"), ("html", "jsonl")


@click.command("transcript")
@click.argument("archive")
@click.argument("thread", required=False)
@click.option(
    "--all", "all_threads", is_flag=True, help="Write every thread, or the selected ones, as files."
)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False),
    help="With --all: folder to write to; it is created if necessary.",
)  # fmt: skip
@click.option(
    "--format", "format_", type=click.Choice(TRANSCRIPT_FORMAT_NAMES), show_default="text; html with --all",
    help="Form of the transcript. With --all: html, markdown or jsonl.",
)  # fmt: skip
@click.option("-o", "--output", type=FILE_PATH, help="File to write one thread to; - is stdout.")
@click.option("--force", is_flag=True, help="With --all: replace the transcripts of an earlier run.")
@listing_selection_options
@common_options
def transcript_command(
    common: Common, archive: str, thread: str | None, all_threads: bool, folder: Path | None,
    format_: str | None, output: Path | None, force: bool, selection: Selection,
) -> None:  # fmt: skip
    """Print the messages of a thread, or the items of a conversation, of ARCHIVE[@SNAPSHOT] in order.

    THREAD is the id of a thread, or a beginning of its id that no other thread has.

    Files, images, citations and tool calls are shown by name. Exit 3 when the snapshot does not have all
    messages of the thread.

    --all writes every thread into the folder --dir: as HTML pages with a list, which need no server and no
    network; as Markdown files with a list; or as JSONL, one conversation of chat messages on each line. With
    HTML, the files that messages refer to are written too. --include, --id, --after and others select
    threads. Exit 1 when no thread matches, 3 when something is not complete (everything else is written), 4
    when the folder already contains other files or transcripts.

    \b
    Examples:
      assistants-migrate transcript estate.db thread_dpoh --format html -o t.html
      assistants-migrate transcript estate.db --all --dir site
      assistants-migrate transcript estate.db --all --dir eval --format jsonl
    """
    _check_options(thread, all_threads, folder, format_, output, force, selection)
    if all_threads:
        assert folder is not None
        _write_all(common, archive, folder, format_ or "html", force, selection)
        return
    output = None if output == STDOUT_PATH else output
    if output:
        resolve_destination(output)
        check_not_an_archive(output)
    used_format = "json" if common.as_json else format_ or "text"
    with archived_snapshot(archive, common.config) as snapshot:
        id_ = ObjectLookup(snapshot.conn, snapshot).resolve(thread or "", ("thread",))
        if used_format in PAGE_FORMATS:
            gap, pieces = _page_pieces(snapshot, id_, used_format)
        else:
            gap, pieces = _transcript_lines(snapshot, id_, used_format)
        if pieces is None:
            raise BadUsage(
                f"snapshot {snapshot.info.id} has no thread {id_!r}{describe_other_snapshot(snapshot, id_)}",
                todo=f"name the snapshot: ARCHIVE@NUMBER; or list the threads: ls {archive} --kind thread",
            )
        _write_pieces(pieces, output, to_terminal=used_format == "text" or sys.stdout.isatty())
    if output and not common.quiet:
        print_message(f"wrote {output}")
    if gap and not common.quiet:
        print_message(f"the thread is incomplete: {gap}")
    exit_with(3 if gap else 0)


def _check_options(
    thread: str | None, all_threads: bool, folder: Path | None, format_: str | None, output: Path | None,
    force: bool, selection: Selection,
) -> None:  # fmt: skip
    """Raises `BadUsage` for options that do not belong together."""
    if not all_threads:
        if thread is None:
            raise BadUsage(
                "no thread is named", todo="give the id of a THREAD, or write all of them: --all --dir DIR"
            )
        if folder or force or not selection.is_whole:
            raise BadUsage(
                "--dir, --force and a selection need --all",
                "one THREAD is printed, or written with -o FILE",
                "leave THREAD out and add --all, or leave these options out",
            )
    elif thread is not None or output is not None:
        raise BadUsage(
            "--all writes every thread into --dir",
            "it takes no THREAD and no -o",
            "leave -o out; for one thread: leave --all and --dir out, or add --id ID",
        )
    elif folder is None:
        raise BadUsage("--all needs a folder", "there is a file for each thread", "add --dir DIR")
    elif format_ not in (None, *FOLDER_FORMATS):
        raise BadUsage(f"--all has no format {format_}", todo=f"formats are {', '.join(FOLDER_FORMATS)}")


def _transcript_lines(
    snapshot: SnapshotReader, thread: str, format_: str
) -> tuple[str, Iterator[str] | None]:
    """Why messages are missing or '', and the transcript line by line; None when there is no such thread."""
    transcript = read_transcript(snapshot, thread)
    if transcript is None:
        return "", None
    return transcript.gap, (f"{line}\n" for line in _safe_lines(transcript, format_))


def _safe_lines(transcript: Transcript, format_: str) -> Iterator[str]:
    """Lines without characters that control a terminal, also for a file: it may be shown on one later."""
    if format_ == "json":
        yield redact(json.dumps(transcript_document(transcript), indent=1, ensure_ascii=True, default=str))
    else:
        yield from map(safe_text, TRANSCRIPT_FORMATS[format_](transcript))


def _page_pieces(snapshot: SnapshotReader, thread: str, format_: str) -> tuple[str, Iterator[str] | None]:
    """The same for a thread as one page, or as one line of chat messages."""
    from migrate.stages.transcripts.run import single_page

    page: TranscriptPage | None = single_page(snapshot, thread)
    if page is None:
        return "", None
    return page.summary.gap, map(redact, _form(format_, alone=True).thread(page))


def _write_pieces(pieces: Iterable[str], output: Path | None, to_terminal: bool) -> None:
    if output:
        write_text(output, pieces)
        return
    for piece in pieces:
        if stdout_is_broken():
            break
        if to_terminal:
            click.echo(piece, nl=False)
        else:
            write_data(piece)


def _form(name: str, alone: bool = False) -> TranscriptForm:
    """How transcripts of a format look. `alone`: one thread, with nothing beside it."""
    # Loaded here: a transcript as text must not wait for templates.
    if name == "jsonl":
        from migrate.reports.transcripts.chat_lines import ChatLines

        return ChatLines()
    if name == "markdown":
        from migrate.reports.transcripts.markdown_files import MarkdownFiles

        return MarkdownFiles()
    from migrate.reports.transcripts.html_site import HtmlPage, HtmlSite

    return HtmlPage() if alone else HtmlSite()


def _write_all(
    common: Common, archive: str, folder: Path, format_: str, force: bool, selection: Selection
) -> None:
    from migrate.reports.commands.transcripts import (
        transcripts_document,
        transcripts_failure_lines,
        transcripts_text,
    )
    from migrate.stages.transcripts.run import write_transcripts

    with archived_snapshot(archive, common.config) as snapshot:
        selected = _select(snapshot, selection)
        threads = selected.ids("thread") if selected else None
        result = write_transcripts(snapshot, folder, _form(format_), threads, force, common.progress())
    if selected:
        others = dict(selected.other_snapshots)
        result.unknown_ids = selected.unknown_ids
        result.notes += [unknown_id_text(id_, others.get(id_)) for id_ in selected.unknown_ids]
        result.notes += [*map(unmatched_text, selected.unmatched_rules), *selected.notes]
    common.write_result(transcripts_document(result), transcripts_text(result))
    for line in transcripts_failure_lines(result):
        print_message(line)
    exit_with(0 if result.is_complete else 3)


def _select(snapshot: SnapshotReader, selection: Selection) -> SelectedObjects | None:
    """The selected threads; None for all. Raises `NothingSelected`."""
    if selection.is_whole:
        return None
    from migrate.stages.estate import Estate
    from migrate.stages.selection import select_objects

    selected = select_objects(Estate(snapshot), selection, with_needed=False)
    if selected is not None and not selected.ids("thread"):
        raise NothingSelected(
            "the selection has no thread", "only threads have transcripts", "ls ARCHIVE --kind thread"
        )
    return selected
