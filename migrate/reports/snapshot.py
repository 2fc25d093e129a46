"""Snapshots, shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from migrate.reports.tables import short, table

NAMED = 20
"""Missing objects shown in text; JSON has all of them."""


def as_dict(taken: Any, path: object) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "snapshot": taken.id,
        "archive": str(path),
        "state": taken.state,
        "counts": taken.counts,
        "missing": [asdict(gap) for gap in taken.missing],
        "notes": list(taken.notes),
        **({"shard": taken.shard} if taken.shard else {}),
    }


def as_text(taken: Any, path: object) -> str:
    """Counts, and every gap by name."""
    lines = [
        f"snapshot {taken.id} in {path}: {_state(taken.state, taken.shard)}",
        table(sorted(taken.counts.items())),
    ]
    for gap in taken.missing[:NAMED]:
        name = f" {gap.name}" if gap.name else ""
        lines.append(f"missing: {gap.kind} {gap.parent or ''} {gap.id}{name}: {short(gap.reason, 200)}")
    if len(taken.missing) > NAMED:
        lines.append(f"missing: {len(taken.missing) - NAMED:,} more, all named with --json")
    return "\n".join(line for line in lines if line)


def _state(state: str, shard: Any, interrupted: bool = False) -> str:
    """A state, and of how much of the estate."""
    return f"{state}{f' (shard {shard})' if shard else ''}{' (interrupted)' if interrupted else ''}"


def list_as_dict(rows: Iterable[tuple[Any, dict[str, int]]]) -> list[dict[str, Any]]:
    """As a JSON document."""
    return [{**asdict(info), "counts": counts} for info, counts in rows]


def list_as_text(rows: Iterable[tuple[Any, dict[str, int]]]) -> str:
    """One line a snapshot."""
    head = ("no", "started", "state", "estate", "tag", "objects", "new", "bytes added")
    lines = [
        (
            info.id,
            info.started_at,
            _state(info.state, info.options.get("shard"), info.interrupted),
            f"{info.type} {info.url}",
            info.tag,
            sum(counts.values()),
            info.bodies_added,
            info.bytes_added,
        )
        for info, counts in rows
    ]
    return table(lines, head) if lines else "no snapshot yet"
