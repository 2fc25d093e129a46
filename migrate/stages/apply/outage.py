"""A service that went away in mid-apply, or before: what was not done is named, object by object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.codecs import profile_for
from migrate.errors import Unreachable
from migrate.stages.apply.context import Tally, Workshop
from migrate.stages.estate import Estate
from migrate.stages.plan.plan_file import Plan
from migrate.stages.progress import Progress
from migrate.stages.writing.equipping import workshop

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

REASON = "not carried out: the service stopped answering"
NEVER = "not carried out: the service could not be reached"


def none_reached(plan: Plan, source: Estate, archive: Archive, writer: Writer, gone: Unreachable) -> Tally:
    """What is told of an apply that could not begin: every object that no earlier run has made. Raises
    `PlanStale` when the snapshot is not the one that was planned."""
    rules = profile_for(writer.type, "")  # nothing is made by them
    shop = workshop(plan, source, archive, writer, rules, Progress())
    name_unreached(plan, shop, gone, NEVER)
    return shop.tally


def name_unreached(plan: Plan, shop: Workshop, gone: Unreachable, reason: str = REASON) -> None:
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
        shop.fail(action.kind, action.id, action.name, f"{reason}{part}")
    shop.tally.outage = (gone.what, gone.why, gone.todo)
