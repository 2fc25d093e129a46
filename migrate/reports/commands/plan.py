"""A plan as report and JSON: its actions and losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from migrate.reports.commands import plan as commands_plan
from migrate.reports.commands.snapshot import expected_gaps_text, hidden_text
from migrate.reports.formats.terminal import terminal_text as plain
from migrate.reports.report import ItemDetail, ObjectCounts, Report, ReportItem, sort_items
from migrate.reports.values import number_of

LOSS_SEVERITIES = {"blocked": "error", "lost": "warning", "adapted": "notice"}
ALL_OBJECTS = "*"


def unaccepted_losses(rows: Iterable[Any]) -> list[Any]:
    """Losses that nobody agreed to."""
    return [row for row in rows if row.grade != "adapted" and not row.accepted]


def loss_items(rows: Iterable[Any]) -> list[ReportItem]:
    """One item per object, grade and whether it was accepted, with a detail for each field."""
    found: dict[tuple[str, str, str, str, bool], list[Any]] = {}
    for row in rows:
        agreed = row.accepted and row.grade != "adapted"
        found.setdefault((row.kind, row.parent, row.id, row.grade, agreed), []).append(row)
    return [_item(*key, fields) for key, fields in found.items()]


def _item(kind: str, parent: str, id_: str, grade: str, agreed: bool, rows: list[Any]) -> ReportItem:
    return ReportItem(
        section="losses",
        verdict=grade,
        kind=kind,
        name=rows[0].name if id_ != ALL_OBJECTS else rows[0].name or "every one",
        left_id="" if id_ == ALL_OBJECTS else id_,
        parent=parent,
        severity="notice" if agreed else LOSS_SEVERITIES[grade],
        details=tuple(
            ItemDetail(
                WHOLE_OBJECT if row.field == ALL_OBJECTS else row.field,
                reason=row.reason,
                way_out=row.way_out,
            )
            for row in rows
        ),
        note="accepted" if agreed else "",
    )


WHOLE_OBJECT = "the whole object"


def losses_last_line(rows: Iterable[Any]) -> str:
    """What is left to accept."""
    left = len(unaccepted_losses(rows))
    if left:
        return f"{number_of(left, 'loss', 'losses')} not accepted; --accept-loss FIELD or all"
    return "no loss left to accept"


PLAN_ACTIONS = ("create", "update", "delete", "adopt", "skip", "blocked")
LISTED_ACTIONS = frozenset(PLAN_ACTIONS) - {"skip"}


def plan_document(plan: Any, path: object) -> dict[str, Any]:
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


def plan_report(
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
        ok=not commands_plan.unaccepted_losses(plan.losses),
        last_line=f"{done or 'nothing to do'}; {commands_plan.losses_last_line(plan.losses)}",
        summary=tuple((name, counts[name]) for name in PLAN_ACTIONS if counts[name]),
        counts=_counts(plan),
        items=sort_items([*_actions(plan), *commands_plan.loss_items(plan.losses)]),
        gaps=tuple(plan.unread),
        notes=tuple(filter(None, [expected_gaps_text(plan.expected_gaps), *map(hidden_text, plan.hidden)])),
        pictures=pictures,
        made_at=made_at,
        version=version,
    )


def _counts(plan: Any) -> ObjectCounts:
    by_kind: Counter[tuple[str, str]] = Counter()
    for row in plan.actions:
        by_kind[row.kind, row.action] += 1
        if row.messages:
            by_kind["message", "create"] += row.messages
    used = [name for name in PLAN_ACTIONS if any(action == name for _, action in by_kind)]
    kinds = dict.fromkeys(kind for kind, _ in by_kind)
    return ObjectCounts(
        tuple(used), tuple((kind, tuple(by_kind[kind, name] for name in used)) for kind in kinds)
    )


def _actions(plan: Any) -> Iterator[ReportItem]:
    """Every action but skips, and but what a loss tells better. Files of a store stand in the line of their
    store where it has one."""
    stores = {row.id for row in plan.actions if row.kind == "vector_store" and row.action in LISTED_ACTIONS}
    inside: Counter[str] = Counter()
    for row in plan.actions:
        if row.kind == "vector_store_file" and row.parent in stores and row.action == "create":
            inside[row.parent] += 1
    reported_losses = {(loss.kind, loss.parent, loss.id) for loss in plan.losses if loss.grade == "blocked"}
    for row in plan.actions:
        if row.action == "blocked" and (row.kind, row.parent, row.id) in reported_losses:
            continue
        within = row.kind == "vector_store_file" and row.parent in stores and row.action != "blocked"
        if row.action in LISTED_ACTIONS and not within:
            messages = [f"with {number_of(row.messages, 'message')}"] if row.messages else []
            files = inside[row.id] if row.kind == "vector_store" else 0
            yield ReportItem(
                section="actions",
                verdict=row.action,
                kind=row.kind,
                name=row.name,
                left_id=row.id,
                right_id=row.target_id or row.target_name,
                parent=row.parent,
                details=tuple(ItemDetail(field) for field in row.fields),
                note=", ".join(messages + ([f"with {number_of(files, 'file')}"] if files else [])),
            )


def plan_text(plan: Any, path: object) -> str:
    """In words."""
    return plain(plan_report(plan, path))
