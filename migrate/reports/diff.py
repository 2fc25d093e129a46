"""Differences, shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.objects import masked
from migrate.reports.tables import short

SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def as_dict(found: Any) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "differences": len(found.changes),
        "changes": [_change(change) for change in found.changes],
        "compared": found.compared,
        "unread": found.unread,
        "ignored": [asdict(row) for row in found.ignored],
        "expired_rules": list(found.expired),
        "left_out": list(found.left_out),
    }


def _change(change: Any) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "left_id": change.left_id or None,
        "right_id": change.right_id or None,
        "name": change.name,
        "action": change.action,
        "paths": [path.path for path in change.paths],
        "values": [_values(path) for path in change.paths],
        "guessed": change.guessed,
        "paired_by": change.how,
        "left_parent": change.left_parent or None,
        "right_parent": change.right_parent or None,
        "since": change.since or None,
    }


def _values(path: Any) -> dict[str, Any]:
    left, right = (masked({path.field: value})[path.field] for value in (path.left, path.right))
    if path.field in ("tools", "tool_resources") and any(
        word in path.path.lower() for word in ("header", "authorization")
    ):
        left = right = "(masked)"
    return {"path": path.path, "left": left, "right": right}


def as_text(found: Any, left: str, right: str) -> str:
    """+ only right, - only left, ~ changed, each with its paths."""
    lines = [f"{left} -> {right}"]
    for change in found.changes:
        ids = " -> ".join(dict.fromkeys(filter(None, (change.left_id, change.right_id))))
        guess = "  (paired by guess)" if change.guessed else ""
        lines.append(
            f"{SIGNS[change.action]} {change.kind} {short(change.name) or '(no name)'} [{ids}]{guess}"
        )
        for path in change.paths:
            values = _values(path)
            lines.append(f"    {path.path}: {short(repr(values['left']))} -> {short(repr(values['right']))}")
    lines += [f"not compared: {gap}" for gap in found.unread]
    lines += [f"left out: {line}" for line in found.left_out]
    lines += [f"ignored: {row.count:,} by {row.rule}: {row.reason}" for row in found.ignored]
    lines += [f"rule not applied: {line}" for line in found.expired]
    total = sum(found.compared.values())
    count = len(found.changes)
    lines.append(f"{count:,} difference{'' if count == 1 else 's'} in {total:,} objects")
    return "\n".join(lines)
