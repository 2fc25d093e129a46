"""The result of `rollback`, or of its dry run, as text and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.text_table import shorten
from migrate.reports.values import number_of

MAX_STEPS_SHOWN = 40


def rollback_document(done: Any) -> dict[str, Any]:
    """As a JSON document."""
    steps = [{k: v for k, v in asdict(step).items() if k != "before"} for step in done.steps]
    failed = [asdict(failure) for failure in done.failed]
    counts = {"removed": done.removed, "restored": done.restored, "gone": done.gone}
    return {**counts, "failed": failed, "notes": done.notes, "steps": steps}


def rollback_text(done: Any) -> str:
    """Counts, or the steps of a dry run, then everything that failed."""
    lines = []
    for step in done.steps[:MAX_STEPS_SHOWN]:
        sign = "gone" if step.gone else step.how
        lines.append(f"{sign} {step.kind} {shorten(step.name) or '(no name)'} [{step.target_id}]")
    if len(done.steps) > MAX_STEPS_SHOWN:
        lines.append(f"  and {len(done.steps) - MAX_STEPS_SHOWN:,} more")
    if done.steps:
        lines.append(f"{number_of(len(done.steps), 'object')} would be taken back")
    else:
        lines.append(f"{done.removed:,} removed, {done.restored:,} restored, {done.gone:,} gone already")
    for failure in done.failed[:MAX_STEPS_SHOWN]:
        named = f"{failure.kind} {shorten(failure.name or '')} [{failure.id}]"
        lines.append(f"failed: {named}: {shorten(failure.reason, 240)}")
    lines += [f"note: {note}" for note in done.notes]
    return "\n".join(lines)
