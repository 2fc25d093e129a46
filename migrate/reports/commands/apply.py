"""Results of `apply`, `verify`, `rollback` and `sync` as text, report and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace

from migrate.model.entity import JSON
from migrate.model.results.apply import (
    NOT_CARRIED_OUT,
    NOT_DELETED,
    NOT_ROLLED_BACK,
    ApplyResult,
    ApplySummary,
    FailedObject,
    RollbackResult,
    SyncResult,
    VerifyFinding,
    VerifyResult,
)
from migrate.model.results.plan import LossRow, unaccepted_losses
from migrate.reports.commands.archive import snapshot_document, snapshot_text
from migrate.reports.commands.changes import change_item, planned_change_document
from migrate.reports.commands.plan import loss_items, plan_document, plan_report
from migrate.reports.commands.retirements import report_endings, retiring_document
from migrate.reports.commands.stopped import stopped_lines, work_document
from migrate.reports.formats.terminal import losses_text, report_item_text, terminal_text
from migrate.reports.report import ItemDetail, ObjectCounts, Report, ReportItem, sort_items
from migrate.reports.text_table import number_of, shorten, table

APPLY_COUNTERS = ("created", "updated", "deleted", "adopted", "skipped")
APPLY_COLUMNS = ("created", "updated", "deleted", "failed")
MAX_FAILURES_SHOWN = 20
MAX_STEPS_SHOWN = 40


def _failure_line(failure: FailedObject) -> str:
    name = f"{failure.kind} {shorten(failure.name or '')} [{failure.id}]"
    return f"failed: {name}: {shorten(failure.reason, 240)}"


def apply_document(result: ApplyResult) -> dict[str, JSON]:
    """The JSON document of `apply`."""
    return {
        **asdict(result),
        "changes": list(map(planned_change_document, result.changes)),
        "done": work_document(result.done),
        "left": work_document(result.left),
    }


def apply_text(result: ApplyResult, command: str = "apply", all_objects: bool = False) -> str:
    """Counts, then everything that failed, by name, and what was lost. `command`: the one that says it.
    `all_objects`: see `Report`."""
    lines = [", ".join(f"{getattr(result, name):,} {name}" for name in APPLY_COUNTERS)]
    lines += stopped_lines(result.done, result.left, "carried out")
    failed = [row for row in result.failed if not row.reason.startswith(NOT_CARRIED_OUT)]
    lines += map(_failure_line, failed[:MAX_FAILURES_SHOWN])
    if len(failed) > MAX_FAILURES_SHOWN:
        lines.append(f"failed: {len(failed) - MAX_FAILURES_SHOWN:,} more, --json lists all of them")
    lines += _losses_lines(result.losses, command, all_objects)
    lines += [f"note: {note}" for note in result.notes[:MAX_FAILURES_SHOWN]]
    return "\n".join(lines)


def _losses_lines(losses: Sequence[LossRow], command: str, all_objects: bool) -> list[str]:
    """What the service did not take, one line for each kind, field and reason, or for every object."""
    if not losses:
        return []
    count = len(unaccepted_losses(losses))
    verdict = f"{count:,} not accepted" if count else "accepted"
    head = f"not taken by the service: {number_of(len(losses), 'loss', 'losses')}, {verdict}:"
    return [head, losses_text(sort_items(loss_items(losses)), command, all_objects)]


def applies_document(applies: Sequence[ApplySummary]) -> list[dict[str, JSON]]:
    """The JSON document of `applies`."""
    return [asdict(apply) for apply in applies]


def applies_text(applies: Sequence[ApplySummary]) -> str:
    """A table of the applies, and a line for each with its target."""
    if not applies:
        return "nothing was applied from this archive"
    head = ("apply", "when", "plan", *APPLY_COLUMNS, "state")
    rows = [
        (row.apply, row.at[:16], row.plan[:12], *(getattr(row, name) for name in APPLY_COLUMNS), row.state)
        for row in applies
    ]
    targets = [f"apply {row.apply}: {row.source} -> {row.target}" for row in applies]
    return "\n".join([table(rows, head), "", *targets])


def rollback_document(result: RollbackResult) -> dict[str, JSON]:
    """The JSON document of `rollback`, or of its dry run."""
    counts = {"removed": result.removed, "restored": result.restored, "gone": result.gone}
    steps = [
        {k: v for k, v in asdict(step).items() if k not in ("before", "change")} for step in result.steps
    ]
    changes = [*(step.change for step in result.steps), *(row.change for row in result.left)]
    return {
        **counts,
        "failed": list(map(asdict, result.failed)),
        "notes": result.notes,
        "steps": steps,
        "changes": [planned_change_document(change) for change in changes if change],
        "done": work_document(result.done),
        "left": work_document(result.left),
        "outage": result.outage,
    }


def rollback_text(result: RollbackResult) -> str:
    """Counts, or the steps of a dry run, then everything that failed."""
    lines = []
    for step in result.steps[:MAX_STEPS_SHOWN]:
        verb, name = "gone" if step.gone else step.how, shorten(step.name) or "(no name)"
        lines.append(f"{verb} {step.kind} {name} [{step.target_id}]")
        if step.change:
            lines += report_item_text(change_item(step.change, "update")).splitlines()[1:]
    if len(result.steps) > MAX_STEPS_SHOWN:
        lines.append(f"  and {len(result.steps) - MAX_STEPS_SHOWN:,} more")
    if result.steps:
        lines.append(f"{number_of(len(result.steps), 'object')} would be rolled back")
    else:
        lines.append(
            f"{result.removed:,} removed with what they contain, {result.restored:,} restored, "
            f"{result.gone:,} gone already"
        )
    lines += stopped_lines(result.done, result.left, "rolled back")
    failed = [row for row in result.failed if row.reason != NOT_ROLLED_BACK]
    lines += map(_failure_line, failed[:MAX_STEPS_SHOWN])
    lines += [f"note: {note}" for note in result.notes]
    return "\n".join(lines)


def verify_document(result: VerifyResult) -> dict[str, JSON]:
    """The JSON document of `verify`."""
    return {
        "ok": not result.exit_code,
        "checked": sum(result.checked.values()),
        "checked_by_kind": result.checked,
        "findings": [asdict(finding) for finding in result.findings],
        "losses": [asdict(row) for row in result.losses],
        "notes": result.notes,
        **retiring_document(result.retiring),
    }


def verify_report(result: VerifyResult, source: str = "", target: str = "") -> Report:
    """How many objects were compared, and every finding."""
    count, total = len(result.findings), sum(result.checked.values())
    items = sort_items([*loss_items(result.losses), *_items(result.findings)])
    losses = len(unaccepted_losses(result.losses))
    by_kind = Counter(finding.kind for finding in result.findings)
    return Report(
        command="verify",
        title=f"{source} -> {target}" if source or target else "verify",
        left=source,
        right=target,
        ok=not result.exit_code,
        last_line=f"{number_of(count, 'finding')} in {number_of(total, 'object')}"
        + (f"; {number_of(losses, 'loss', 'losses')} not accepted" if losses else ""),
        summary=(("checked", total), ("findings", count), *Counter(item.verdict for item in items).items()),
        counts=ObjectCounts(
            ("checked", "findings"),
            tuple(
                (kind, (result.checked.get(kind, 0), by_kind[kind]))
                for kind in dict.fromkeys([*result.checked, *by_kind])
            ),
        ),
        items=items,
        notes=tuple(result.notes),
        endings=report_endings(result.retiring, "on the target"),
    )


def _items(findings: list[VerifyFinding]) -> list[ReportItem]:
    """One item per object and verdict."""
    groups: dict[tuple[str, str, str, str, str], list[VerifyFinding]] = {}
    for finding in findings:
        ids = (finding.source_id or "", finding.target_id or "")
        groups.setdefault((_verdict(finding), finding.kind, finding.name or "", *ids), []).append(finding)
    return [
        ReportItem(
            section="findings",
            verdict=verdict,
            kind=kind,
            name=name,
            left_id=source,
            right_id=target,
            severity="error",
            details=tuple(_detail(finding) for finding in group),
        )
        for (verdict, kind, name, source, target), group in groups.items()
    ]


def _verdict(finding: VerifyFinding) -> str:
    if not finding.path:
        return "missing" if finding.source_id and finding.reason != NOT_DELETED else "stray"
    return "differs" if finding.expected != finding.found else "wrong" if finding.source_id else "stray"


def _detail(finding: VerifyFinding) -> ItemDetail:
    if finding.expected == finding.found:
        return ItemDetail(finding.path, reason=finding.reason)
    return ItemDetail(finding.path, finding.expected, finding.found, finding.reason)


def verify_text(result: VerifyResult, command: str, all_objects: bool) -> str:
    """The report as text, as a part of the output of another command, whose plan has reported what ends.
    `all_objects`: see `Report`."""
    report = replace(verify_report(result), command=command, all_objects=all_objects, endings=())
    return terminal_text(report)


def sync_document(result: SyncResult) -> dict[str, JSON]:
    """The JSON document of `sync`: one key per step, null if the step was not reached."""
    return {
        "snapshot": snapshot_document(result.snapshot, result.archive),
        "plan": plan_document(result.plan, result.plan_file),
        "plan_kept": result.plan_kept,
        "apply": apply_document(result.applied) if result.applied else None,
        "verify": verify_document(result.verified) if result.verified else None,
    }


def sync_text(result: SyncResult, all_objects: bool) -> str:
    """Each step in the form of its own command. `all_objects`: see `Report`."""
    parts = [
        snapshot_text(result.snapshot, result.archive),
        terminal_text(replace(plan_report(result.plan, result.plan_file, all_objects), command="sync")),
    ]
    if result.applied:
        parts.append(apply_text(result.applied, "sync", all_objects))
    else:
        parts.append("nothing was written (--dry-run)")
    if result.verified:
        parts.append(verify_text(result.verified, "sync", all_objects))
    if result.plan_kept:
        parts.append(
            f"{result.plan_file} is still the last plan that changed something: rollback can take it"
        )
    return "\n\n".join(parts)
