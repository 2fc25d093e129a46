"""A transcript as text, Markdown or JSON, line by line.

Message texts are data. In text they are indented, so that none looks like a heading of the transcript. In
Markdown each special character is escaped, so that no text becomes HTML, a link or an image that is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict

from migrate.model.entity import JSON
from migrate.model.results.query import Transcript, TranscriptEntry
from migrate.reports.text_table import shorten

ITEM_LABEL = "(item)"
# Characters of an argument or an output that are shown; JSON has all of them.
MAX_LABEL_CHARS = 200

MARKDOWN_SPECIALS = re.compile(r"([\\`*_\[\]~|$])")
MARKDOWN_LINE_STARTS = re.compile(r"^(\s*\d*)([-+=#:.)])")
LINE_ENDS = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


def transcript_document(transcript: Transcript) -> dict[str, JSON]:
    """The JSON document of `transcript`."""
    entries = [asdict(entry) for entry in transcript.entries]
    facts = {k: v for k, v in vars(transcript).items() if k != "entries"}
    return {**facts, "complete": not transcript.gap, "said": entries}


def transcript_text(transcript: Transcript) -> Iterator[str]:
    """Plain text, line by line."""
    yield f"thread {shorten(transcript.thread)}{_since(transcript)}, {transcript.count:,} messages"
    yield f"snapshot {transcript.snapshot} of {transcript.source}"
    if transcript.gap:
        yield f"the thread is incomplete: {shorten(transcript.gap, MAX_LABEL_CHARS)}"
    for entry in transcript.entries:
        yield ""
        yield _heading(entry)
        for part in (*entry.called, *entry.parts):
            if part.what == "text":
                yield from (f"    {line}" for line in split_lines(part.text))
            else:
                yield f"    [{part.what}: {shorten(part.text, MAX_LABEL_CHARS)}]"


def transcript_markdown(transcript: Transcript) -> Iterator[str]:
    """Markdown, line by line; texts are quoted."""
    yield f"# Thread {escape_markdown(shorten(transcript.thread))}"
    yield ""
    snapshot = f"snapshot {transcript.snapshot} of {transcript.source}"
    yield escape_markdown(f"{transcript.count:,} messages{_since(transcript)}; {snapshot}")
    if transcript.gap:
        yield ""
        yield f"**Not complete:** {escape_markdown(shorten(transcript.gap, MAX_LABEL_CHARS))}"
    for entry in transcript.entries:
        yield ""
        yield f"## {escape_markdown(_heading(entry))}"
        for part in (*entry.called, *entry.parts):
            yield ""
            if part.what == "text":
                yield from (f"> {escape_markdown(line)}  " for line in split_lines(part.text))
            else:
                yield f"- *{part.what}*: {escape_markdown(shorten(part.text, MAX_LABEL_CHARS))}"


TRANSCRIPT_FORMATS: dict[str, Callable[[Transcript], Iterator[str]]] = {
    "text": transcript_text,
    "markdown": transcript_markdown,
}


def escape_markdown(text: str) -> str:
    """One line that Markdown shows unchanged."""
    escaped = MARKDOWN_SPECIALS.sub(r"\\\1", text)
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = MARKDOWN_LINE_STARTS.sub(r"\1\\\2", escaped.replace("\t", "    "))  # a list, a heading, a rule
    blanks = len(escaped) - len(escaped.lstrip(" "))
    return "&nbsp;" * blanks + escaped[blanks:]


def split_lines(text: str) -> list[str]:
    """The lines of a text, for every line end that Unicode knows."""
    return LINE_ENDS.split(text)


def _since(transcript: Transcript) -> str:
    return f", begun {transcript.at} UTC" if transcript.at else ""


def _heading(entry: TranscriptEntry) -> str:
    assistant = f" ({shorten(entry.assistant)})" if entry.assistant else ""
    role = f"{shorten(entry.role) or ITEM_LABEL}{assistant}"
    return f"{entry.number}. {role}{f', {entry.at} UTC' if entry.at else ''}, {shorten(entry.id)}"
