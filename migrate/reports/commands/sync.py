"""What a sync did, step by step, shown."""

from __future__ import annotations

from typing import Any

from migrate.reports.commands import apply, plan, snapshot, verify


def as_dict(sync: Any) -> dict[str, Any]:
    """As a JSON document: one key a step; null where a step was not reached. `plan_kept`: the plan file holds
    an earlier plan, which can be taken back, not this one."""
    return {
        "snapshot": snapshot.as_dict(sync.taken, sync.archive),
        "plan": plan.as_dict(sync.plan, sync.plan_file),
        "plan_kept": sync.plan_kept,
        "apply": apply.as_dict(sync.tally) if sync.tally else None,
        "verify": verify.as_dict(sync.verified) if sync.verified else None,
    }


def as_text(sync: Any) -> str:
    """Each step as its own command shows it."""
    parts = [snapshot.as_text(sync.taken, sync.archive), plan.as_text(sync.plan, sync.plan_file)]
    parts += [apply.as_text(sync.tally)] if sync.tally else ["nothing was written (--dry-run)"]
    parts += [verify.as_text(sync.verified)] if sync.verified else []
    if sync.plan_kept:
        parts.append(f"{sync.plan_file} is still the last plan that changed something: rollback can take it")
    return "\n\n".join(parts)
