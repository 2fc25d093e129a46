"""The result of `sync` as text and JSON, step by step."""

from __future__ import annotations

from typing import Any

from migrate.reports.commands import apply, plan, snapshot, verify


def sync_document(sync: Any) -> dict[str, Any]:
    """As a JSON document: one key a step; null where a step was not reached. `plan_kept`: the plan file holds
    an earlier plan, which can be taken back, not this one."""
    return {
        "snapshot": snapshot.snapshot_document(sync.taken, sync.archive),
        "plan": plan.plan_document(sync.plan, sync.plan_file),
        "plan_kept": sync.plan_kept,
        "apply": apply.apply_document(sync.tally) if sync.tally else None,
        "verify": verify.verify_document(sync.verified) if sync.verified else None,
    }


def sync_text(sync: Any) -> str:
    """Each step as its own command shows it."""
    parts = [snapshot.snapshot_text(sync.taken, sync.archive), plan.plan_text(sync.plan, sync.plan_file)]
    parts += [apply.apply_text(sync.tally)] if sync.tally else ["nothing was written (--dry-run)"]
    parts += [verify.verify_text(sync.verified)] if sync.verified else []
    if sync.plan_kept:
        parts.append(f"{sync.plan_file} is still the last plan that changed something: rollback can take it")
    return "\n\n".join(parts)
