"""A service that went away in mid-apply: what was not done is named, object by object."""

from __future__ import annotations

from migrate.errors import Unreachable
from migrate.stages.planning.planfile import Plan
from migrate.stages.writing.workshop import Workshop

REASON = "not carried out: the service stopped answering"


def name_unreached(plan: Plan, shop: Workshop, gone: Unreachable) -> None:
    """Put into the tally every object that has no outcome yet, and why the apply ended."""
    done = {
        (e.action, e.kind, e.source_parent, e.source_id) for e in shop.journal.entries() if e.state == "done"
    }
    messages = {thread: made for thread, _, made in shop.journal.talks()}
    named = {(f.kind, f.id) for f in shop.tally.failed}
    for action in plan.actions:
        if action.action not in ("create", "update", "delete", "adopt") or (action.kind, action.id) in named:
            continue
        carried_out = (action.action, action.kind, action.parent, action.id) in done
        written = messages.get(action.id, 0) if action.kind == "thread" else action.messages
        if carried_out and written >= action.messages:
            continue
        part = f" ({written:,} of {action.messages:,} messages are there)" if carried_out else ""
        shop.fail(action.kind, action.id, action.name, f"{REASON}{part}")
    shop.tally.outage = (gone.what, gone.why, gone.todo)
