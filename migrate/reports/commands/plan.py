"""A plan in, a report out: what will be done, and what will not arrive; and the JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from migrate.reports.commands import losses
from migrate.reports.commands.snapshot import expected_gaps, hidden
from migrate.reports.formats.terminal import as_text as plain
from migrate.reports.report import Counts, Detail, Item, Report, in_order
from migrate.reports.values import number_of

ACTIONS = ("create", "update", "delete", "adopt", "skip", "blocked")
LISTED = frozenset(ACTIONS) - {"skip"}


def as_dict(plan: Any, path: object) -> dict[str, Any]:
    """As a JSON document."""
    return {
        "plan": str(path),
        "digest": plan.digest,
        "source": plan.source.model_dump(),
        "target": plan.target.model_dump(exclude={"objects"}),
        "actions": plan.counts(),
        "losses": [asdict(row) for row in plan.losses],
        "unread": list(plan.unread),
        "expected_gaps": plan.expected_gaps,
        "hidden": list(plan.hidden),
    }


def as_report(
    plan: Any,
    path: object,
    made_at: str = "",
    version: str = "",
    pictures: tuple[tuple[str, Any], ...] = (),
) -> Report:
    """Actions by name, losses by grade."""
    counts = plan.counts()
    done = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return Report(
        command="plan",
        title=f"plan {path}: {plan.source.url} (snapshot {plan.source.snapshot}) -> {plan.target.url}",
        left=f"{plan.source.url} (snapshot {plan.source.snapshot})",
        right=plan.target.url,
        ok=not losses.unaccepted(plan.losses),
        last_line=f"{done or 'nothing to do'}; {losses.last_line(plan.losses)}",
        summary=tuple((name, counts[name]) for name in ACTIONS if counts[name]),
        counts=_counts(plan),
        items=in_order([*_actions(plan), *losses.items(plan.losses)]),
        gaps=tuple(plan.unread),
        notes=tuple(filter(None, [expected_gaps(plan.expected_gaps), *map(hidden, plan.hidden)])),
        pictures=pictures,
        made_at=made_at,
        version=version,
    )


def _counts(plan: Any) -> Counts:
    by_kind: Counter[tuple[str, str]] = Counter()
    for row in plan.actions:
        by_kind[row.kind, row.action] += 1
        if row.messages:
            by_kind["message", "create"] += row.messages
    used = [name for name in ACTIONS if any(action == name for _, action in by_kind)]
    kinds = dict.fromkeys(kind for kind, _ in by_kind)
    return Counts(tuple(used), tuple((kind, tuple(by_kind[kind, name] for name in used)) for kind in kinds))


def _actions(plan: Any) -> Iterator[Item]:
    """Every action but skips, and but what a loss tells better. Files of a store stand in the line of their
    store where it has one."""
    stores = {row.id for row in plan.actions if row.kind == "vector_store" and row.action in LISTED}
    inside: Counter[str] = Counter()
    for row in plan.actions:
        if row.kind == "vector_store_file" and row.parent in stores and row.action == "create":
            inside[row.parent] += 1
    told = {(loss.kind, loss.parent, loss.id) for loss in plan.losses if loss.grade == "blocked"}
    for row in plan.actions:
        if row.action == "blocked" and (row.kind, row.parent, row.id) in told:
            continue
        within = row.kind == "vector_store_file" and row.parent in stores and row.action != "blocked"
        if row.action in LISTED and not within:
            messages = [f"with {number_of(row.messages, 'message')}"] if row.messages else []
            files = inside[row.id] if row.kind == "vector_store" else 0
            yield Item(
                section="actions",
                verdict=row.action,
                kind=row.kind,
                name=row.name,
                left_id=row.id,
                right_id=row.target_id or row.target_name,
                parent=row.parent,
                details=tuple(Detail(field) for field in row.fields),
                note=", ".join(messages + ([f"with {number_of(files, 'file')}"] if files else [])),
            )


def as_text(plan: Any, path: object) -> str:
    """In words."""
    return plain(as_report(plan, path))
