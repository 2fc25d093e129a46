"""A plan and an assessment as report and JSON: actions and losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from math import ceil

from migrate.model.entity import JSON
from migrate.model.results.cost import Cost, PaceSource
from migrate.model.results.plan import ASSESS_GRADES, Assessment, LossRow, Plan, unaccepted_losses
from migrate.reports.commands.archive import expected_gaps_text, hidden_text, unknown_id_text
from migrate.reports.commands.changes import (
    change_details,
    conflict_notes,
    kept_conflict_item,
    planned_change_document,
)
from migrate.reports.commands.retirements import report_endings, retiring_document, soon_note
from migrate.reports.report import ItemDetail, ObjectCounts, Report, ReportItem, sort_items
from migrate.reports.text_table import number_of

LOSS_SEVERITIES = {"blocked": "error", "lost": "warning", "adapted": "notice"}
ALL_OBJECTS = "*"
# Beside a loss that an earlier move reported.
KNOWN = "known"
WHOLE_OBJECT = "the whole object"
PLAN_ACTIONS = ("create", "update", "delete", "adopt", "skip", "blocked")
LISTED_ACTIONS = frozenset(PLAN_ACTIONS) - {"skip"}


def loss_items(rows: Iterable[LossRow], with_known: bool = False) -> list[ReportItem]:
    """One item per object, grade and acceptance, with a detail for each field. `with_known`: losses of
    earlier moves too."""
    groups: dict[tuple[str, str, str, str, str], list[LossRow]] = {}
    for row in rows:
        note = KNOWN if row.known else "accepted" if row.accepted and row.grade != "adapted" else ""
        if with_known or not row.known:
            groups.setdefault((row.kind, row.parent, row.id, row.grade, note), []).append(row)
    return [_loss_item(*key, group) for key, group in groups.items()]


def _loss_item(kind: str, parent: str, id_: str, grade: str, note: str, rows: list[LossRow]) -> ReportItem:
    every = id_ == ALL_OBJECTS
    return ReportItem(
        section="losses",
        verdict=grade,
        kind=kind,
        name=rows[0].name or ("every one" if every else ""),
        left_id="" if every else id_,
        parent=parent,
        severity="notice" if note else LOSS_SEVERITIES[grade],
        details=tuple(
            ItemDetail(
                WHOLE_OBJECT if row.field == ALL_OBJECTS else row.field,
                reason=row.reason,
                remedy=row.way_out,
            )
            for row in rows
        ),
        note=note,
    )


def losses_last_line(rows: Sequence[LossRow]) -> str:
    """How many losses are not accepted, and how many earlier moves reported."""
    count, known = len(unaccepted_losses(rows)), sum(row.known for row in rows)
    text = "no loss left to accept"
    if count:
        text = f"{number_of(count, 'loss', 'losses')} not accepted; --accept-loss FIELD or all"
    if known:
        text += f"; {number_of(known, 'known loss', 'known losses')} of earlier moves"
    return text


def _notes(plan: Plan, cost: str = "") -> tuple[str, ...]:
    notes = [
        f"apply: {cost}" if cost else "",
        *_selection_notes(plan),
        expected_gaps_text(plan.expected_gaps),
        *map(hidden_text, plan.hidden),
        soon_note(plan.retiring),
    ]
    return tuple(filter(None, notes))


def _selection_notes(plan: Plan) -> Iterator[str]:
    if plan.selection is not None:
        yield f"selected: {' '.join(plan.selection.selection().options())}"
    yield from plan.selection_notes
    numbers = dict(plan.other_snapshots)
    yield from (unknown_id_text(id_, numbers.get(id_)) for id_ in plan.unknown_ids)


def assess_document(assessment: Assessment) -> dict[str, JSON]:
    """The JSON document of `assess`: `rows` has a line for every object and field."""
    kept = [{**asdict(row), "grade": "kept", "reason": "", "way_out": ""} for row in assessment.kept]
    losses = [asdict(row) for row in assessment.plan.losses]
    return {
        "source": assessment.source,
        "target": assessment.target,
        "totals": assessment.totals,
        "kinds": {
            kind: {grade: counts[grade] for grade in ASSESS_GRADES}
            for kind, counts in assessment.kinds.items()
        },
        "losses": losses,
        "rows": [*kept, *losses],
        "unread": list(assessment.plan.unread),
        "expected_gaps": assessment.plan.expected_gaps,
        "hidden": list(assessment.plan.hidden),
        "unknown_ids": list(assessment.plan.unknown_ids),
        **retiring_document(assessment.plan.retiring),
        **{f"source_{key}": rows for key, rows in retiring_document(assessment.source_retiring).items()},
    }


def assess_report(assessment: Assessment, all_objects: bool = False) -> Report:
    """Number of fields by kind and grade, then every loss. `all_objects`: see `Report`."""
    return Report(
        command="assess",
        title=f"{assessment.source} -> {assessment.target}",
        left=assessment.source,
        right=assessment.target,
        ok=not unaccepted_losses(assessment.plan.losses),
        last_line=losses_last_line(assessment.plan.losses),
        summary=tuple((grade, assessment.totals[grade]) for grade in ASSESS_GRADES),
        counts=ObjectCounts(
            ASSESS_GRADES,
            tuple(
                (kind, tuple(counts[grade] for grade in ASSESS_GRADES))
                for kind, counts in assessment.kinds.items()
            ),
            "fields",
        ),
        items=sort_items(loss_items(assessment.plan.losses, all_objects)),
        gaps=assessment.plan.unread,
        notes=_notes(assessment.plan),
        endings=(
            *report_endings(assessment.source_retiring, "on the source"),
            *report_endings(assessment.plan.retiring, "on the target"),
        ),
        all_objects=all_objects,
    )


def plan_document(plan: Plan, path: object) -> dict[str, JSON]:
    """The JSON document of `plan`."""
    return {
        "plan": str(path),
        "digest": plan.digest,
        "source": plan.source.model_dump(),
        "target": plan.target.model_dump(exclude={"objects"}),
        "actions": plan.counts(),
        "changes": [planned_change_document(row) for row in plan.changes],
        **_selection_document(plan),
        "losses": [asdict(row) for row in plan.losses],
        "unread": list(plan.unread),
        "expected_gaps": plan.expected_gaps,
        "hidden": list(plan.hidden),
        "cost": cost_document(plan.cost),
        **retiring_document(plan.retiring),
    }


def _selection_document(plan: Plan) -> dict[str, JSON]:
    """What was selected, what is included with it, and what was not found; nothing where everything was."""
    if plan.selection is None:
        return {}
    needed = [
        {"kind": row.kind, "id": row.id, "name": row.name, "needed_by": row.needed_by}
        for row in plan.actions
        if row.needed_by
    ]
    return {
        "selection": plan.selection.selection().options(),
        "needed": needed,
        "unknown_ids": list(plan.unknown_ids),
    }


def plan_report(plan: Plan, path: object, all_objects: bool = False) -> Report:
    """Actions by name, losses by grade. `all_objects`: see `Report`."""
    counts = plan.counts()
    actions = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    source = f"{plan.source.url} (snapshot {plan.source.snapshot})"
    return Report(
        command="plan",
        title=f"plan {path}: {source} -> {plan.target.url}",
        left=source,
        right=plan.target.url,
        ok=not unaccepted_losses(plan.losses),
        last_line=f"{actions or 'nothing to do'}; {losses_last_line(plan.losses)}",
        summary=tuple((name, counts[name]) for name in PLAN_ACTIONS if counts[name]),
        counts=_action_counts(plan),
        items=sort_items([*_action_items(plan), *loss_items(plan.losses, all_objects)]),
        gaps=plan.unread,
        notes=_notes(plan, cost_text(plan.cost)),
        endings=report_endings(plan.retiring, "on the target"),
        all_objects=all_objects,
        made_at=plan.created_at,
    )


def confirmation_question(plan: Plan) -> str:
    """The question that `apply` asks before anything is written."""
    counts = ", ".join(f"{number:,} {name}" for name, number in plan.counts().items() if number)
    losses = len(unaccepted_losses(plan.losses))
    losses_text = f"; {number_of(losses, 'loss was', 'losses were')} not accepted" if losses else ""
    cost = cost_text(plan.cost)
    return f"{plan.target.url}: {counts}{losses_text}{f'; {cost}' if cost else ''}. Write it?"


def _action_counts(plan: Plan) -> ObjectCounts:
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


def _action_items(plan: Plan) -> Iterator[ReportItem]:
    """Every action except skips and those that a loss already describes. Files of a vector store are counted
    in the item of their store, if it has one."""
    stores = {row.id for row in plan.actions if row.kind == "vector_store" and row.action in LISTED_ACTIONS}
    files: Counter[str] = Counter()
    for row in plan.actions:
        if row.kind == "vector_store_file" and row.parent in stores and row.action == "create":
            files[row.parent] += 1
    blocked = {(loss.kind, loss.parent, loss.id) for loss in plan.losses if loss.grade == "blocked"}
    changes = {row.key: row for row in plan.changes}
    yield from (kept_conflict_item(row) for row in plan.changes if row.conflict == "kept")
    for row in plan.actions:
        if row.action not in LISTED_ACTIONS:
            continue
        if row.action == "blocked":
            if (row.kind, row.parent, row.id) in blocked:
                continue
        elif row.kind == "vector_store_file" and row.parent in stores:
            continue
        change = changes.get((row.kind, row.parent, row.id))
        inside = [(row.messages, "message"), (files[row.id] if row.kind == "vector_store" else 0, "file")]
        yield ReportItem(
            section="actions",
            verdict=row.action,
            kind=row.kind,
            name=row.name or (change.name if change else ""),
            left_id=row.id,
            right_id=row.target_id or row.target_name,
            parent=row.parent,
            details=change_details(change, row.fields),
            note=", ".join(
                [
                    *conflict_notes(change),
                    *(f"with {number_of(number, noun)}" for number, noun in inside if number),
                    *([f"needed by {row.needed_by}"] if row.needed_by else []),
                ]
            ),
        )


# Where the pace was measured -> the text after the time.
PACE_TEXTS: dict[PaceSource, str] = {
    "last apply": "at the pace of the last apply",
    "reading": "if writing is as fast as reading the target was",
}


def cost_document(cost: Cost | None) -> dict[str, JSON] | None:
    """The key `cost` of a JSON document."""
    return asdict(cost) if cost else None


def cost_text(cost: Cost | None) -> str:
    """The cost in one line; '' where nothing will be written, or where it is not known."""
    if cost is None or not cost.requests:
        return ""
    parts = [number_of(cost.requests, "writing request")]
    if cost.bytes:
        parts.append(f"{number_of(cost.bytes, 'byte')} to upload")
    parts.append(_time_text(cost))
    if cost.identities:
        parts.append(number_of(cost.identities, "new Entra identity", "new Entra identities"))
    return ", ".join(parts)


def _time_text(cost: Cost) -> str:
    if cost.minutes is None or not cost.pace:
        return "time not known"
    minutes = "less than a minute" if cost.minutes <= 1 else f"about {ceil(cost.minutes):,} minutes"
    return f"{minutes} {PACE_TEXTS[cost.pace]}"
