"""The result of `extract` as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from migrate.reports.text_table import table


def extract_document(done: Any) -> list[dict[str, Any]]:
    """What was written, as a JSON document."""
    return [
        {
            "id": row.id,
            "name": row.name,
            "path": str(row.path),
            "bytes": row.bytes,
            "sha256": row.sha256,
            "bytes_from": row.bytes_from,
        }
        for row in done.written
    ]


def extract_text(done: Any) -> str:
    """A line per file, under the name that it has now."""
    lines = [(row.id, str(row.path), row.bytes, row.bytes_from) for row in done.written]
    return (
        table(lines, ("id", "written to", "bytes", "bytes from"), widest=250) if lines else "nothing written"
    )


def extract_failure_lines(done: Any) -> Iterator[str]:
    """What was not written, by name."""
    for row in done.failed:
        name = f" {row.name!r}" if row.name else ""
        yield f"not written: file {row.id}{name}: {row.reason}"
