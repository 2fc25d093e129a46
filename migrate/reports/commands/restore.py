"""Results of `restore` as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from migrate.model import KINDS
from migrate.model.entity import JSON
from migrate.model.results.plan import Plan
from migrate.model.results.restore import RestoreResult
from migrate.reports.commands.apply import apply_text, verify_text
from migrate.reports.commands.plan import plan_document, plan_report
from migrate.reports.commands.stopped import work_document
from migrate.reports.formats.terminal import terminal_text
from migrate.reports.text_table import table

ID_COLUMNS = ("kind", "name", "old id", "new id")


def restore_document(result: RestoreResult) -> dict[str, JSON]:
    """The JSON document of `restore`: that of its plan, what was written, findings and new ids."""
    applied, verified = result.applied, result.verified
    return {
        **plan_document(result.plan, ""),
        "unread_kinds": list(result.plan.unread_kinds),
        "restore": result.plan.restore,
        "losses": [asdict(row) for row in (*result.plan.losses, *(applied.losses if applied else ()))],
        "relinked": [
            {"kind": a.kind, "id": a.target_id, "name": a.name, "names": [id_ for _, id_ in a.relinks]}
            for a in result.plan.actions
            if a.relinks
        ],
        "stores_refilled": sorted(_refilled_stores(result.plan)),
        "created": applied.created if applied else 0,
        "updated": applied.updated if applied else 0,
        "done": work_document(applied.done if applied else ()),
        "left": work_document(applied.left if applied else ()),
        "failed": [asdict(row) for row in applied.failed] if applied else [],
        "notes": [
            *_place_note(result.plan),
            *_unread_notes(result.plan),
            *result.plan.selection_notes,
            *result.notes,
            *(applied.notes if applied else ()),
            *(verified.notes if verified else ()),
        ],
        "findings": [asdict(row) for row in verified.findings] if verified else [],
        "ids": [
            {"kind": r.kind, "name": r.name, "source_id": r.source_id, "target_id": r.target_id}
            for r in result.ids
        ],
    }


def _refilled_stores(plan: Plan) -> set[str]:
    """Ids of stores that exist and get files back."""
    return {
        a.target_parent
        for a in plan.actions
        if a.kind == "vector_store_file" and a.action == "create" and a.target_parent
    }


def restore_plan_text(plan: Plan, all_objects: bool = False, more_notes: Sequence[str] = ()) -> str:
    """The report of the plan as text. What a service sets in every object, such as times, is listed only with
    `all_objects`: a user who restores one agent need not read it again."""
    report = plan_report(plan, "restore", all_objects)
    items = tuple(item for item in report.items if all_objects or item.verdict != "adapted" or item.left_id)
    notes = [*report.notes, *_place_note(plan), *_unread_notes(plan), *more_notes]
    return terminal_text(replace(report, command="restore", items=items, notes=tuple(notes)))


def _place_note(plan: Plan) -> list[str]:
    source, target = plan.source, plan.target
    if (source.type, source.url) == (target.type, target.url):
        return []
    return [f"this is another place than {source.url}: objects are adapted to it, as in a move"]


def _unread_notes(plan: Plan) -> list[str]:
    return [
        f"the snapshot could not list all {KINDS[kind].plural}: those that it lacks are not restored, and "
        "which ones they are is not known"
        for kind in plan.unread_kinds
    ]


def _is_whole(plan: Plan) -> bool:
    """Whether the place has all that was selected: nothing is to be written, and there is nothing that cannot
    be written, that the snapshot did not read, or that it does not know."""
    is_lost = any(row.grade != "adapted" for row in plan.losses)
    return not (plan.changes_target or is_lost or plan.unread or plan.unknown_ids)


def restore_text(result: RestoreResult, all_objects: bool = False) -> str:
    """The plan, what was written, what was compared, and a table of new ids. `all_objects`: see `Report`."""
    parts = [restore_plan_text(result.plan, all_objects, result.notes)]
    if result.applied is None:
        parts.append("nothing is missing" if _is_whole(result.plan) else "nothing was written")
    else:
        parts.append(apply_text(result.applied, "restore", all_objects))
    if result.verified is not None:
        parts.append(verify_text(result.verified, "restore", all_objects))
    if result.ids:
        rows = [(row.kind, row.name, row.source_id, row.target_id) for row in result.ids]
        parts.append(table(rows, ID_COLUMNS))
    return "\n\n".join(parts)
