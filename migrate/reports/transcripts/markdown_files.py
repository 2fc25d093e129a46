"""Transcripts as Markdown: a file for each thread, as `transcript --format markdown` prints it; a list."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from migrate.model.results.transcripts import IndexPage, ListedThread, TranscriptForm, TranscriptPage
from migrate.reports.commands.transcript import escape_markdown, transcript_markdown
from migrate.reports.text_table import escape_control, number_of, shorten

MAX_TITLE_CHARS = 120


class MarkdownFiles(TranscriptForm):
    """A folder of Markdown files."""

    name, extension = "markdown", ".md"
    index_rows = 500

    def thread(self, page: TranscriptPage) -> Iterator[str]:
        return (f"{escape_control(line)}\n" for line in transcript_markdown(page.transcript()))

    def index(self, page: IndexPage) -> Iterator[str]:
        """A page of the list."""
        lines = [f"# {number_of(page.threads, 'conversation')}", ""]
        lines.append(escape_markdown(f"{page.source}, snapshot {page.snapshot}, newest first"))
        if page.incomplete:
            lines += ["", f"**Not complete:** {number_of(page.incomplete, 'thread')}"]
        lines += ["", *map(_row, page.rows), *_neighbours(page)]
        yield from (f"{escape_control(line)}\n" for line in lines)


def _row(row: ListedThread) -> str:
    summary = row.summary
    title = escape_markdown(shorten(summary.first_words or summary.id, MAX_TITLE_CHARS))
    facts = [
        summary.newest_at[:16].replace("T", " "),
        number_of(summary.count, "message"),
        *(name for _, name in summary.assistants),
        "not complete" if summary.gap else "",
        summary.id,
    ]
    about = ", ".join(escape_markdown(shorten(fact)) for fact in facts if fact)
    return f"- [{title}]({quote(row.path)})  \n  {about}"


def _neighbours(page: IndexPage) -> list[str]:
    """Links to the pages before and after one."""
    links = []
    if page.number > 1:
        links.append(f"[newer]({page.pages[page.number - 2][0]})")
    if page.number < len(page.pages):
        links.append(f"[older]({page.pages[page.number][0]})")
    if not links:
        return []
    return ["", f"Page {page.number:,} of {len(page.pages):,}: {', '.join(links)}"]
