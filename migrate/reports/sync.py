"""What a sync did, step by step, shown."""

from __future__ import annotations

from typing import Any

from migrate.reports import apply, plan, snapshot, verify


def as_dict(sync: Any) -> dict[str, Any]:
    """As a JSON document: one key a step; null where a step was not reached."""
    return {
        "snapshot": snapshot.as_dict(sync.taken, sync.archive),
        "plan": plan.as_dict(sync.plan, sync.plan_file),
        "apply": apply.as_dict(sync.tally) if sync.tally else None,
        "verify": verify.as_dict(sync.verified) if sync.verified else None,
    }


def as_text(sync: Any) -> str:
    """Each step as its own command shows it."""
    parts = [snapshot.as_text(sync.taken, sync.archive), plan.as_text(sync.plan, sync.plan_file)]
    parts += [apply.as_text(sync.tally)] if sync.tally else ["nothing was written (--dry-run)"]
    parts += [verify.as_text(sync.verified)] if sync.verified else []
    return "\n\n".join(parts)
