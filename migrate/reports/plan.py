"""A plan, shown: what will be done, and what will not arrive."""

from __future__ import annotations

from typing import Any

from migrate.reports.tables import short, table

SIGNS = {"create": "+", "update": "~", "delete": "-", "adopt": "=", "blocked": "!"}
SHOWN = 40


def unaccepted(plan: Any) -> list[Any]:
    """Losses that nobody agreed to."""
    return [row for row in plan.losses if row.grade != "adapted" and not row.accepted]


def as_dict(plan: Any, path: object) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "plan": str(path),
        "digest": plan.digest,
        "source": plan.source.model_dump(),
        "target": plan.target.model_dump(exclude={"objects"}),
        "actions": plan.counts(),
        "losses": [row.model_dump() for row in plan.losses],
        "unread": list(plan.unread),
    }


def as_text(plan: Any, path: object) -> str:
    """Counts, actions by name, losses by grade."""
    lines = [f"plan {path}: {plan.source.url} (snapshot {plan.source.snapshot}) -> {plan.target.url}"]
    shown = [a for a in plan.actions if a.action != "skip" and a.kind != "vector_store_file"]
    for action in shown[:SHOWN]:
        more = f" with {action.messages} message(s)" if action.messages else ""
        more += f" ({', '.join(action.fields)})" if action.fields else ""
        lines.append(
            f"{SIGNS[action.action]} {action.kind} {short(action.name) or '(no name)'} [{action.id}]{more}"
        )
    if len(shown) > SHOWN:
        lines.append(f"  and {len(shown) - SHOWN:,} more")
    lines += _losses(plan)
    lines += [f"not in the snapshot: {gap}" for gap in plan.unread]
    lines.append(", ".join(f"{number:,} {name}" for name, number in plan.counts().items() if number))
    left = len(unaccepted(plan))
    lines.append(
        f"{left:,} loss(es) not accepted; --accept-loss FIELD or all" if left else "no loss left to accept"
    )
    return "\n".join(filter(None, lines))


def _losses(plan: Any) -> list[str]:
    lines = []
    for grade in ("blocked", "lost", "adapted"):
        rows = [row for row in plan.losses if row.grade == grade]
        if not rows:
            continue
        lines.append(f"{grade}: {len(rows):,}")
        cells = [
            (f"  {row.kind}", short(row.name or row.id, 34), row.field, short(row.reason, 90))
            for row in rows[: SHOWN // 2]
        ]
        lines.append(table(cells))
        if len(rows) > SHOWN // 2:
            lines.append(f"  and {len(rows) - SHOWN // 2:,} more, all in the plan file")
    return lines
