"""The result of `apply` as text and JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from migrate.reports.commands.plan import unaccepted_losses
from migrate.reports.text_table import shorten
from migrate.reports.values import number_of

APPLY_COUNTERS = ("created", "updated", "deleted", "adopted", "skipped")
MAX_FAILURES_SHOWN = 20


def confirmation_question(plan: Any) -> str:
    """What is asked before anything is written."""
    counts = ", ".join(f"{number:,} {name}" for name, number in plan.counts().items() if number)
    losses = len(unaccepted_losses(plan.losses))
    losses_text = f"; {number_of(losses, 'loss was', 'losses were')} not accepted" if losses else ""
    return f"{plan.target.url}: {counts}{losses_text}. Write it?"


def apply_document(done: Any) -> dict[str, Any]:
    """As a JSON document."""
    return asdict(done)


def apply_text(done: Any) -> str:
    """Counts, then everything that failed, by name."""
    lines = [", ".join(f"{getattr(done, name):,} {name}" for name in APPLY_COUNTERS)]
    lines += [
        f"failed: {f.kind} {shorten(f.name or '')} [{f.id}]: {shorten(f.reason, 240)}"
        for f in done.failed[:MAX_FAILURES_SHOWN]
    ]
    if len(done.failed) > MAX_FAILURES_SHOWN:
        lines.append(f"failed: {len(done.failed) - MAX_FAILURES_SHOWN:,} more, all named with --json")
    lines += [f"note: {note}" for note in done.notes[:MAX_FAILURES_SHOWN]]
    return "\n".join(lines)
