"""The result of `transcript --all` as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from migrate.model.entity import JSON
from migrate.model.results.transcripts import TranscriptFailure, TranscriptsResult
from migrate.reports.sizes import size_text
from migrate.reports.text_table import number_of, shorten

MAX_GAPS_SHOWN = 20
MAX_GAP_CHARS = 200
# Format -> the file to open first.
FIRST_FILES = {"html": "index.html", "markdown": "index.md", "jsonl": "conversations.jsonl"}


def transcripts_document(result: TranscriptsResult) -> dict[str, JSON]:
    """The JSON document of `transcript --all`."""
    return {
        "dir": str(result.folder),
        "format": result.format,
        "index": str(result.folder / FIRST_FILES[result.format]),
        "threads": result.threads,
        "messages": result.messages,
        "files": result.files,
        "bytes": result.bytes,
        "files_without_bytes": result.without_bytes,
        "removed": result.removed,
        "incomplete": [asdict(row) for row in result.incomplete],
        "failed": [asdict(row) for row in result.failed],
        "unknown_ids": list(result.unknown_ids),
        "notes": result.notes,
    }


def transcripts_text(result: TranscriptsResult) -> str:
    """What was written, and where to begin."""
    numbers = [number_of(result.threads, "thread"), number_of(result.messages, "message")]
    if result.files:
        numbers.append(f"{number_of(result.files, 'file')} ({size_text(result.bytes)})")
    lines = [f"{', '.join(numbers)}: {result.folder / FIRST_FILES[result.format]}"]
    if result.without_bytes:
        lines.append(f"the archive does not have the bytes of {number_of(result.without_bytes, 'file')}")
    if result.removed:
        lines.append(f"{number_of(result.removed, 'file')} of an earlier run removed")
    return "\n".join([*lines, *result.notes])


def transcripts_failure_lines(result: TranscriptsResult) -> Iterator[str]:
    """What is not complete, for standard error."""
    yield from _listed("not complete", result.incomplete)
    yield from _listed("not written", result.failed)


def _listed(words: str, rows: list[TranscriptFailure]) -> Iterator[str]:
    for row in rows[:MAX_GAPS_SHOWN]:
        yield f"{words}: {row.kind} {shorten(row.id)}: {shorten(row.reason, MAX_GAP_CHARS)}"
    if len(rows) > MAX_GAPS_SHOWN:
        yield f"{words}: {len(rows) - MAX_GAPS_SHOWN:,} more, in the JSON document (--json)"
