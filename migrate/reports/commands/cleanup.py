"""Cleanup findings as text and JSON: the object, the reason, and its size in bytes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.text_table import shorten, table

MAX_CLEANUP_CELL_CHARS = 100


def cleanup_document(found: Any, kind: str | None = None) -> dict[str, Any]:
    """As a JSON document."""
    rows = _of_kind(found, kind)
    return {
        "objects": [asdict(row) for row in rows],
        "totals": {name: {"objects": n, "bytes": size} for name, (n, size) in cleanup_totals(rows).items()},
        "unsaid": list(found.unproven),
        "notes": list(found.notes),
    }


def cleanup_text(found: Any, kind: str | None = None) -> str:
    """A table, how many bytes each kind takes, and what cannot be said."""
    rows = _of_kind(found, kind)
    lines = [
        (r.mark, r.kind, r.id, shorten(r.name, 40), r.parent, "" if r.bytes is None else r.bytes, r.why)
        for r in rows
    ]
    head = ("which", "kind", "id", "name", "in", "bytes", "why")
    shown = [table(lines, head, MAX_CLEANUP_CELL_CHARS)] if lines else ["nothing found"]
    for name, (number, size) in cleanup_totals(rows).items():
        end = "" if number == 1 else "s"
        shown.append(f"{number:,} {name.replace('_', ' ')}{end}" + (f", {size:,} bytes" if size else ""))
    shown += [f"cannot be said: {shorten(gap, 300)}" for gap in found.unproven]
    shown += [f"note: {note}" for note in found.notes]
    return "\n".join(shown)


def cleanup_totals(rows: list[Any]) -> dict[str, tuple[int, int]]:
    """Kind -> how many objects and how many bytes; an object with several marks counts once."""
    once = {(row.kind, row.parent, row.id): row for row in rows}
    found: dict[str, tuple[int, int]] = {}
    for row in once.values():
        number, size = found.get(row.kind, (0, 0))
        found[row.kind] = (number + 1, size + (row.bytes or 0))
    return found


def _of_kind(found: Any, kind: str | None) -> list[Any]:
    return [row for row in found.findings if kind in (None, row.kind)]
