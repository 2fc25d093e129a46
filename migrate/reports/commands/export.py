"""The result of `export` as text and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Paths that are named in text; JSON has all of them.
MAX_PATHS_SHOWN = 20


def export_document(found: Any) -> dict[str, Any]:
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


def export_text(found: Any) -> str:
    """Counts, what was written and removed, and what was left out."""
    environment = f", environment {found.environment}" if found.environment else ""
    lines = [f"{found.folder}: {_counted(found.counts)}{environment}"]
    lines += _named("wrote", found.written) + _named("removed", found.removed)
    if found.unchanged:
        lines.append(f"{found.unchanged:,} files are as they were")
    if found.left_out:
        other = " or that belong to another environment" if found.environment else ""
        lines.append(f"left out: {_counted(found.left_out)} that no assistant uses{other}")
    return "\n".join([*lines, *found.notes])


def _counted(counts: Mapping[str, int]) -> str:
    """Numbers of each kind, in words."""
    words = [
        f"{number:,} {kind.replace('_', ' ')}{'' if number == 1 else 's'}" for kind, number in counts.items()
    ]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _named(verb: str, paths: list[str]) -> list[str]:
    more = [f"{verb} {len(paths) - MAX_PATHS_SHOWN:,} more"] if len(paths) > MAX_PATHS_SHOWN else []
    return [f"{verb} {path}" for path in paths[:MAX_PATHS_SHOWN]] + more
