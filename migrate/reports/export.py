"""An export, shown."""

from __future__ import annotations

from typing import Any

NAMED = 20
"""Paths that are named in text; JSON has all of them."""
PLURAL = {"assistant": "assistants", "vector_store": "vector stores", "file": "files"}


def as_dict(found: Any) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "directory": str(found.folder),
        "environment": found.environment,
        "counts": found.counts,
        "written": found.written,
        "unchanged": found.unchanged,
        "removed": found.removed,
        "left_out": found.left_out,
        "notes": found.notes,
    }


def as_text(found: Any) -> str:
    """Counts, what was written and removed, and what was left out."""
    counts = ", ".join(f"{number:,} {PLURAL[kind]}" for kind, number in found.counts.items())
    environment = f", environment {found.environment}" if found.environment else ""
    lines = [f"{found.folder}: {counts}{environment}"]
    lines += _named("wrote", found.written) + _named("removed", found.removed)
    if found.unchanged:
        lines.append(f"{found.unchanged:,} files are as they were")
    if found.left_out:
        left = " and ".join(f"{number:,} {PLURAL[kind]}" for kind, number in found.left_out.items())
        lines.append(f"left out: {left} that no assistant uses or that belong to another environment")
    return "\n".join([*lines, *found.notes])


def _named(verb: str, paths: list[str]) -> list[str]:
    more = [f"{verb} {len(paths) - NAMED:,} more"] if len(paths) > NAMED else []
    return [f"{verb} {path}" for path in paths[:NAMED]] + more
