"""What an interrupted apply may have made on the target without learning its id.

Such objects must not pass for somebody else's change when the apply goes on; the makers find and adopt
them one by one. An intent in the journal and an equal object, made after it and known to nobody before, is
ours, whether there was room for a stamp or not.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrate.errors import Incomplete, NotThere, RequestFailed
from migrate.model import Key
from migrate.stages.apply.context import Unresolved, Workshop
from migrate.stages.apply.create import Taken
from migrate.stages.plan.plan_file import Action, Plan
from migrate.stages.rollback.recover import look

SEEN = ("file", "vector_store", "vector_store_file", "assistant")
"""Kinds whose every object on the target a plan knows; of threads it knows those that it touches."""


def unsettled(plan: Plan, shop: Workshop) -> set[Key]:
    """Keys of objects on the target that answer to an intent without an outcome. Raises `Incomplete` when
    nobody can look."""
    return set(_found(plan, shop))


def _found(plan: Plan, shop: Workshop) -> Iterator[Key]:
    for action in plan.actions:
        entry = shop.record(action)
        if action.action != "create" or action.kind not in SEEN or entry is None or entry.state != "intended":
            continue
        try:
            body = look(shop, action, entry)
        except (Unresolved, NotThere, Taken):
            continue
        except RequestFailed as failed:
            raise _unseen(action, failed) from None
        if body is not None:
            store = shop.ids.get(("vector_store", action.parent), "") if action.parent else ""
            yield action.kind, store, str(body["id"])


def _unseen(action: Action, failed: RequestFailed) -> Incomplete:
    return Incomplete(
        f"what became of {action.kind} {action.name or '(no name)'} [{action.id}] could not be seen",
        str(failed),
        "run the same apply again when the target answers",
    )
