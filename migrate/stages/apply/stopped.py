"""What an apply has done, and what is left, when it stops midway: Ctrl-C, SIGTERM, or a service that is gone.

Every run of the plan counts, so that an apply that was stopped twice still lists all of it.
"""

from __future__ import annotations

from typing import cast

from migrate.archive.journal import JournalEntry
from migrate.model.results.apply import NOT_CARRIED_OUT, FailedObject, WorkAction, WorkRow
from migrate.model.results.plan import Action, ChangeRow, Plan
from migrate.stages.apply.context import ApplyContext, LineKey, line_key

SERVICE_STOPPED = f"{NOT_CARRIED_OUT}the service stopped answering"
SERVICE_UNREACHABLE = f"{NOT_CARRIED_OUT}the service could not be reached"
APPLY_STOPPED = f"{NOT_CARRIED_OUT}the apply was stopped"

ACTIONS_WITH_OUTCOME = ("create", "update", "delete", "adopt")


def report_stopped(plan: Plan, ctx: ApplyContext, reason: str) -> None:
    """Add to the result what is done and what is left; each object that is left counts as failed. `reason`:
    why it was not carried out, unless something else was reported of it before."""
    finished = {
        (e.action, e.kind, e.source_parent, e.source_id): e
        for e in ctx.journal.entries(messages=False)
        if e.state == "done"
    }
    messages = {thread: created for thread, _, created in ctx.journal.threads_with_messages()}
    changes, result = {row.key: row for row in plan.changes}, ctx.result
    reported = {(row.kind, row.id) for row in result.failed}
    for action in plan.actions:
        there = _messages_there(action, ctx, messages, finished)
        done, left = _split(action, finished, changes, there)
        result.done += done
        result.left += left
        if left and (action.kind, action.id) not in reported:
            part = f" ({there:,} of {action.messages:,} messages are there)" if there else ""
            result.failed.append(FailedObject(action.kind, action.id, action.name, f"{reason}{part}"))
        result.changes += [row.change for row in left if row.change is not None]


def _messages_there(
    action: Action,
    ctx: ApplyContext,
    messages: dict[str, int],
    finished: dict[LineKey, JournalEntry],
) -> int | None:
    """How many of the planned messages of a thread are on the target; None where an earlier run may have
    sent some that it did not note any more."""
    if action.kind != "thread" or not action.messages:
        return 0
    there = max(ctx.messages_there.get(action.id, 0), messages.get(action.id, 0))
    was_visited = action.id in ctx.messages_there or there
    may_have_some = action.action == "update" or line_key(action) in finished
    return None if not was_visited and may_have_some and ctx.is_resumed else there


def _split(
    action: Action,
    finished: dict[LineKey, JournalEntry],
    changes: dict[tuple[str, str, str], ChangeRow],
    there: int | None,
) -> tuple[list[WorkRow], list[WorkRow]]:
    """What is done of an action, and what is left of it: of a thread it may be both."""
    if action.action not in ACTIONS_WITH_OUTCOME:
        return [], []
    line = finished.get(line_key(action))
    # A thread to which messages are appended has no line of its own, unless its fields are changed too.
    has_line = action.action != "update" or bool(action.fields)
    is_done = line is not None or not has_line
    change = changes.get((action.kind, action.parent, action.id)) if action.action == "update" else None
    target_id = (line.target_id if line else "") or action.target_id

    def row(messages: int | None, with_change: bool) -> WorkRow:
        verb = cast(WorkAction, action.action)
        place = action.kind, action.id, action.name, action.parent, target_id
        return WorkRow(verb, *place, messages, change if with_change and has_line else None)

    done = [row(there, True)] if is_done and has_line and action.action != "adopt" else []
    if not done and there:
        done = [row(there, False)]
    missing = None if there is None else action.messages - there
    left = [] if is_done and missing == 0 else [row(missing, not is_done)]
    return done, left
