"""Recognise losses that an earlier move reported and that concern objects which did not change since.

The plans that were applied are stored with the journal. A loss is known where one of them has the same row,
the object arrived, and today's plan leaves it as it is. Blocked objects are never known: they did not arrive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from migrate.archive.applies import stored_plans
from migrate.archive.connections import SqlConnection
from migrate.archive.id_map import Side
from migrate.archive.journal import fields_not_taken
from migrate.archive.snapshots.reader import list_snapshots, open_snapshot
from migrate.model import EntityKey
from migrate.model.loss import ARRIVED_WITHOUT_PREFIX, EVERY_OBJECT, Loss
from migrate.model.results.plan import Action, TargetSide
from migrate.stages.estate import Estate
from migrate.stages.plan.decision import DecisionLog
from migrate.stages.plan.journal_state import JournalState
from migrate.stages.plan.source_mentions import reason_before_creation

# Plans that are read to find earlier losses. Usually it is one: a plan of everything has all of them.
MAX_PLANS_READ = 50
# How the losses of a plan begin in its JSON, and what shows that a plan is not about everything. In a text of
# JSON the quotation marks are escaped, so no name or reason looks like these.
LOSSES_KEY = '"losses": ['
PARTIAL_MARKS = ('"selection": {', '"restore": "missing"', '"restore": "changed"')
SNAPSHOT_NUMBER = re.compile(r'"snapshot": ?([0-9]+)')
NUMBER = re.compile(r"\d[\d,]*")
BLANKS_AND_COMMAS = " ,\n"
# Kinds of which an object may change on the source: then its loss is a new one, although it reads the same.
CHANGING_KINDS = frozenset({"file", "vector_store", "assistant", "thread"})

# Number of an earlier snapshot, kind and id -> whether the owner changed nothing in the object since.
IsUnchanged = Callable[[int, str, str], bool]


def reported_losses(conn: SqlConnection, source: Side, target: Side) -> dict[int, int]:
    """Hash of each loss that the applied plans from one side to another reported, and their applies -> number
    of the newest snapshot that it was reported for, back to the last plan that was about everything. Empty
    where an earlier version applied them, which stored no plan. Raises `RowDamaged`."""
    found: dict[int, int] = {}
    for number, (digest, document) in enumerate(stored_plans(conn, source, target)):
        text, not_taken = document.decode(), fields_not_taken(conn, digest)
        snapshot = SNAPSHOT_NUMBER.search(text)
        for row in _loss_rows(text) if snapshot else ():
            found.setdefault(_row_hash(row), int(snapshot[1]) if snapshot else 0)
            if row["field"] in not_taken and row["grade"] == "adapted":
                found.setdefault(_not_taken_hash(row), int(snapshot[1]) if snapshot else 0)
        if number + 1 >= MAX_PLANS_READ or not any(mark in text for mark in PARTIAL_MARKS):
            break
    return found


def _loss_rows(text: str) -> Iterator[Mapping[str, Any]]:
    """The losses of a plan, one at a time: there may be a million."""
    decoder = json.JSONDecoder()
    place = text.find(LOSSES_KEY) + len(LOSSES_KEY)
    while place >= len(LOSSES_KEY) and text[place] != "]":
        row, place = decoder.raw_decode(text, place)
        yield row
        while text[place] in BLANKS_AND_COMMAS:
            place += 1


def _row_hash(row: Mapping[str, Any]) -> int:
    """Equal for losses of one object, field, grade and reason, within this process. Of what holds for every
    object of a kind, numbers in the reason do not count."""
    kind, parent, id_, field, grade, reason = (
        row.get(name) or "" for name in ("kind", "parent", "id", "field", "grade", "reason")
    )
    return hash((kind, parent, id_, field, grade, NUMBER.sub("", reason) if id_ == EVERY_OBJECT else reason))


def _not_taken_hash(row: Mapping[str, Any]) -> int:
    """Equal for a loss that a plan reported as tried, and for what became of it: its apply reported that it
    was not taken, whatever the reason says."""
    return _row_hash({**row, "grade": "lost", "reason": ARRIVED_WITHOUT_PREFIX})


class KnownLosses:
    """Says of each loss of a plan whether it is known: whether earlier plans between both sides reported it,
    and it still holds."""

    def __init__(
        self,
        source: Estate,
        target: TargetSide,
        journal: JournalState,
        actions: Sequence[Action],
        log: DecisionLog,
    ) -> None:
        """`target`: with the fingerprints of its objects. `actions`, `log`: of this plan."""
        there = Side(target.type, target.url)
        reported = reported_losses(source.snapshot.conn, source.side, there) if target.url else {}
        self._reported, self._journal = reported, journal
        self._new_messages, self._arrived_without = log.new_messages, log.arrived_without
        self._is_unchanged = _unchanged_since(source)
        self._actions: dict[EntityKey, Action] = {}
        self._changing_kinds: set[str] = set()
        for action in actions if reported else ():
            self._actions[action.kind, action.parent, action.id] = action
            if action.action in ("create", "update", "delete"):
                self._changing_kinds.add("message" if _only_appends(action) else action.kind)
            if action.messages:
                self._changing_kinds.add("message")
        self._fingerprints = {row[:3]: row[3] for row in target.objects} if reported else {}

    @property
    def is_empty(self) -> bool:
        """Whether no earlier plan reported any loss."""
        return not self._reported

    def __contains__(self, loss: Loss) -> bool:
        snapshot = self._reported.get(_row_hash(vars(loss)))
        if snapshot is None and loss in self._arrived_without:
            snapshot = self._reported.get(_not_taken_hash(vars(loss)))
        if snapshot is None and (reason := reason_before_creation(loss.reason)) != loss.reason:
            snapshot = self._reported.get(_row_hash({**vars(loss), "reason": reason}))
        if loss.grade == "blocked" or snapshot is None:
            return False
        is_object = loss.id != EVERY_OBJECT and loss.kind in CHANGING_KINDS
        if is_object and not self._is_unchanged(snapshot, loss.kind, loss.id):
            return False
        if loss.id == EVERY_OBJECT:
            return loss.kind not in self._changing_kinds
        if loss.kind == "message":
            is_written = (loss.parent, loss.id) in self._new_messages or (
                ("message", loss.parent, loss.id) in self._actions
            )
            thread = self._actions.get(("thread", "", loss.parent))
            if thread is None or (thread.action == "adopt" and thread.id == thread.target_id):
                # Nothing was written to this thread. What it lacks is missing now, whatever was reported.
                return not is_written and loss.grade == "adapted"
            return not is_written and self._is_left(thread)
        action = self._actions.get((loss.kind, loss.parent, loss.id))
        return action is None or self._is_left(action)

    def _is_left(self, action: Action) -> bool:
        """Whether an object arrived before and stays as it is; messages may be appended to a thread."""
        pair = (action.kind, action.parent, action.id, action.target_id)
        if pair not in self._journal.id_map_rows:
            return False
        return _only_appends(action) or (action.action == "skip" and not self._is_changed_there(action))

    def _is_changed_there(self, action: Action) -> bool:
        """Whether fields that are not written differ on the target because others changed the object."""
        key = (action.kind, action.parent, action.id)
        present = self._fingerprints.get((action.kind, action.target_parent, action.target_id))
        return bool(action.left) and self._journal.fingerprints.get(key) != present


def _only_appends(action: Action) -> bool:
    """Whether an update of a thread does nothing but append messages."""
    return action.kind == "thread" and action.action == "update" and not action.fields


def _unchanged_since(source: Estate) -> IsUnchanged:
    """Compares objects of a source with those of earlier snapshots. Without the earlier snapshot nothing is
    known, and nothing counts as unchanged."""
    conn = source.snapshot.conn
    numbers = {info.id for info in list_snapshots(conn)}

    @cache
    def earlier(number: int) -> Estate:
        estate = Estate(open_snapshot(conn, number))
        estate.agent_version = source.agent_version
        return estate

    def is_unchanged(number: int, kind: str, id_: str) -> bool:
        if number == source.snapshot.info.id:
            return True
        if number not in numbers:
            return False
        now, before = (estate.objects(kind).get(id_) for estate in (source, earlier(number)))
        same = now is not None and before is not None
        return same and (now.fields, now.extras) == (before.fields, before.extras)  # type: ignore[union-attr]

    return is_unchanged
