"""A plan, shown: what will be done, and what will not arrive."""

from __future__ import annotations

from typing import Any

from migrate.reports import losses
from migrate.reports.losses import last_line
from migrate.reports.tables import short

SIGNS = {"create": "+", "update": "~", "delete": "-", "adopt": "=", "blocked": "!"}
SHOWN = 40


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
    lines += losses.lines(plan.losses)
    lines += [f"not in the snapshot: {gap}" for gap in plan.unread]
    lines.append(", ".join(f"{number:,} {name}" for name, number in plan.counts().items() if number))
    lines.append(last_line(plan.losses))
    return "\n".join(filter(None, lines))
