"""Losses, shown: what will not arrive as it was, gravest first, each with its way out where there is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from migrate.reports.tables import short, table

MOST = {"blocked": 60, "lost": 40, "adapted": 20}
"""Lines shown per grade; all of them are in the file and in the JSON document."""


def unaccepted(rows: Iterable[Any]) -> list[Any]:
    """Losses that nobody agreed to."""
    return [row for row in rows if row.grade != "adapted" and not row.accepted]


def lines(rows: Iterable[Any], where: str = "in the plan file") -> list[str]:
    """One block per grade."""
    out: list[str] = []
    every = list(rows)
    for grade, most in MOST.items():
        found = [row for row in every if row.grade == grade]
        if not found:
            continue
        out.append(f"{grade}: {len(found):,}")
        cells = [
            (f"  {row.kind}", short(row.name or row.id, 34), row.field, short(_words(row), 150))
            for row in found[:most]
        ]
        out.append(table(cells, widest=150))
        if len(found) > most:
            out.append(f"  and {len(found) - most:,} more, all {where}")
    return out


def _words(row: Any) -> str:
    return f"{row.reason} -> {row.way_out}" if row.grade == "blocked" and row.way_out else str(row.reason)


def last_line(rows: Iterable[Any]) -> str:
    """What is left to accept."""
    left = len(unaccepted(rows))
    if left:
        return f"{left:,} loss(es) not accepted; --accept-loss FIELD or all"
    return "no loss left to accept"
