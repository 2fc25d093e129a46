"""Results of `drill` as report and JSON: ages, times, what could not be rebuilt, what was left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from migrate.model.entity import JSON
from migrate.model.loss import EVERY_OBJECT
from migrate.model.results.drill import DrillResult, DrillStep, KindReading, StoppedDrill
from migrate.reports.commands.apply import verify_report
from migrate.reports.commands.plan import loss_items
from migrate.reports.commands.retirements import report_endings, retiring_document
from migrate.reports.commands.stopped import stopped_lines, work_document
from migrate.reports.report import ItemDetail, Report, ReportItem, ReportTable, sort_items
from migrate.reports.text_table import number_of, shorten

# What each step of a drill does, in reports.
STEP_TITLES = {
    "check": "check that the place is empty",
    "plan": "plan",
    "restore": "restore",
    "verify": "read back and compare",
    "remove": "take everything back",
    "list": "list what is left",
}
EMULATOR_NOTE = (
    "the place was an emulator on this machine: the comparison counts, the times say nothing about a service"
)
# What the steps that write do with objects.
WORK_VERBS = {"restore": "restored", "remove": "removed"}
MAX_OBJECTS_LEFT_SHOWN = 40
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def drill_document(result: DrillResult) -> dict[str, JSON]:
    """The JSON document of `drill`."""
    plan, seconds = result.plan, [step.seconds for step in result.steps]
    return {
        "ok": result.exit_code == 0,
        "archive": plan.source.archive,
        "snapshot": plan.source.snapshot,
        "source": {"type": plan.source.type, "url": plan.source.url},
        "target": {"estate": plan.target.estate, "type": plan.target.type, "url": plan.target.url},
        "emulated": result.emulated,
        "sample": asdict(result.sample) if result.sample else None,
        "objects": result.objects,
        "all_objects": result.all_objects,
        "readings": [asdict(row) for row in result.readings],
        "steps": [asdict(step) for step in result.steps],
        "seconds": sum(seconds),
        "seconds_for_all": sum(step.seconds_for_all for step in result.steps),
        "created": result.applied.created,
        "checked": sum(result.verified.checked.values()),
        "findings": [asdict(row) for row in result.findings],
        "not_rebuilt": list(_not_rebuilt(result)),
        "losses": [asdict(row) for row in (*plan.losses, *result.applied.losses)],
        "removed": result.removed.removed,
        "not_removed": [asdict(row) for row in result.removed.failed],
        "left_behind": [asdict(row) for row in result.remaining],
        "removed_before": result.removed_before,
        "notes": list(_notes(result)),
        **retiring_document(result.retiring),
    }


def _not_rebuilt(result: DrillResult) -> Iterator[dict[str, JSON]]:
    """Objects and fields that did not arrive, each with the reason: losses of the plan, objects that could
    not be written, and what the snapshot lacks."""
    for row in result.losses:
        yield {
            "kind": row.kind, "id": row.id, "name": row.name, "field": row.field, "grade": row.grade,
            "reason": row.reason, "accepted": row.accepted,
        }  # fmt: skip
    rows = [(row.kind, row.id, row.name, "failed", row.reason) for row in result.failed]
    rows += [(gap.kind, gap.id, gap.name, "missing", gap.reason) for gap in result.gaps]
    for kind, id_, name, grade, reason in rows:
        yield {
            "kind": kind, "id": id_, "name": name, "field": EVERY_OBJECT, "grade": grade, "reason": reason,
            "accepted": False,
        }  # fmt: skip


def drill_report(result: DrillResult, all_objects: bool = False) -> Report:
    """Ages and times as tables, then what could not be rebuilt, findings, and what was left behind."""
    plan, findings = result.plan, len(result.findings)
    not_rebuilt = sum(1 for _ in _not_rebuilt(result))
    left = len(_left_behind(result))
    checked = replace(result.verified, findings=result.findings, losses=[])  # they are among `result.losses`
    verified = verify_report(checked)
    source = f"{plan.source.url} (snapshot {plan.source.snapshot})"
    return Report(
        command="drill",
        title=f"drill: {source} -> {plan.target.url}",
        left=source,
        right=plan.target.url,
        ok=result.exit_code == 0,
        last_line=(
            f"{number_of(findings, 'finding')}, {not_rebuilt:,} not rebuilt, "
            f"{number_of(left, 'object') if left else 'nothing'} left behind; {_restored_text(result)}"
        ),
        summary=(
            ("restored", result.applied.created),
            ("checked", sum(result.verified.checked.values())),
            ("findings", findings),
            ("not rebuilt", not_rebuilt),
            ("left behind", left),
        ),
        counts=verified.counts,
        items=sort_items([*loss_items(result.losses), *verified.items, *_items(result)]),
        gaps=tuple(f"{gap.kind} {gap.parent or gap.id}: {gap.reason}" for gap in result.gaps),
        notes=tuple(_notes(result)),
        tables=(_readings_table(result.readings), _steps_table(result.steps)),
        all_objects=all_objects,
        endings=report_endings(result.retiring, "on the source"),
    )


def stopped_drill_document(result: StoppedDrill) -> dict[str, JSON]:
    """The JSON document of a drill that was stopped; `stopped` is the step."""
    return {
        "ok": False,
        "stopped": result.step,
        "target": result.plan.target.url if result.plan else None,
        "emulated": result.emulated,
        "steps": [asdict(step) for step in result.steps],
        "done": work_document(result.done),
        "left": work_document(result.left),
        "left_behind": [asdict(row) for row in result.in_place],
    }


def stopped_drill_text(result: StoppedDrill) -> str:
    """The step that was stopped, what it did, and what is in the place now."""
    lines = [f"stopped in the step: {STEP_TITLES.get(result.step, result.step or 'before the first one')}"]
    lines += stopped_lines(result.done, result.left, WORK_VERBS.get(result.step, "done"))
    if result.emulated:
        lines.append("nothing is left behind: the place was an emulator on this machine")
    elif not result.in_place:
        lines.append("nothing is left behind")
    else:
        lines.append(f"left behind: {number_of(len(result.in_place), 'object')}")
        # What a stopped restoring left behind is what it did, listed above.
        shown = () if result.step == "restore" else result.in_place[:MAX_OBJECTS_LEFT_SHOWN]
        lines += [f"  {row.kind} {shorten(row.name) or '(no name)'} [{row.id}]" for row in shown]
        if shown and len(result.in_place) > len(shown):
            lines.append(f"  and {len(result.in_place) - len(shown):,} more; all of them: --json")
    return "\n".join(lines)


def _restored_text(result: DrillResult) -> str:
    spent, for_all = (
        duration_words(sum(getattr(step, name) for step in result.steps))
        for name in ("seconds", "seconds_for_all")
    )
    counts = f"{result.applied.created:,} of {result.all_objects:,} objects"
    text = f"{counts} restored, compared and removed in {spent}"
    return text if result.sample is None else f"{text}; everything would take about {for_all}"


def _left_behind(result: DrillResult) -> dict[tuple[str, str, str], str]:
    """Kind, id and name of each object that is still in the place -> why."""
    left = {(row.kind, row.id, row.name): "it is still there after the drill" for row in result.remaining}
    reasons = {(row.kind, row.id, row.name): row.reason for row in result.removed.failed}
    return left or {key: f"it could not be removed: {reason}" for key, reason in reasons.items()}


def _items(result: DrillResult) -> Iterator[ReportItem]:
    """Objects that could not be written, and objects that were left behind."""
    for row in result.failed:
        details = (ItemDetail("", reason=row.reason),)
        yield ReportItem("findings", "missing", row.kind, row.name, row.id, "", "", "error", details)
    for (kind, id_, name), reason in _left_behind(result).items():
        details = (ItemDetail("", reason=reason),)
        yield ReportItem("findings", "stray", kind, name, "", id_, "", "error", details)


def _notes(result: DrillResult) -> Iterator[str]:
    if result.emulated:
        yield EMULATOR_NOTE
    if result.sample is not None:
        yield (
            f"a sample of {result.sample.percent:g} % of threads and assistants; --seed {result.sample.seed} "
            "chooses the same ones again; the time for all is in proportion to the number of objects"
        )
    if result.removed_before:
        yield f"{number_of(result.removed_before, 'object')} of an interrupted drill were removed first"
    yield from (f"{row.kind}: {row.remark}" for row in result.readings if row.remark)
    yield from dict.fromkeys([*result.applied.notes, *result.verified.notes, *result.removed.notes])


def _readings_table(readings: tuple[KindReading, ...]) -> ReportTable:
    rows = tuple(
        (
            row.kind.replace("_", " "),
            "none" if row.snapshot is None else str(row.snapshot),
            row.started_at[:16].replace("T", " "),
            "never read completely" if row.age_s is None else duration_words(row.age_s),
        )
        for row in readings
    )
    return ReportTable(
        "Newest complete reading: what is younger would be lost today",
        ("kind", "snapshot", "read at (UTC)", "age"),
        rows,
    )


def _steps_table(steps: tuple[DrillStep, ...]) -> ReportTable:
    total = DrillStep(
        "total", sum(step.seconds for step in steps), sum(step.seconds_for_all for step in steps)
    )
    rows = tuple(
        (
            STEP_TITLES.get(step.step, step.step),
            duration_words(step.seconds),
            duration_words(step.seconds_for_all),
        )
        for step in (*steps, total)
    )
    return ReportTable("Time of each step", ("step", "took", "for everything"), rows)


def duration_words(seconds: float) -> str:
    """A duration in two units at most: `0.42 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 days 1 h`."""
    if seconds < 10 and not isinstance(seconds, int):
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min {whole % MINUTE_S} s"
    if whole < DAY_S:
        return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"
    return f"{number_of(whole // DAY_S, 'day')} {whole % DAY_S // HOUR_S} h"
