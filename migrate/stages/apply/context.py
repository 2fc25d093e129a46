"""What all parts of an apply share: source and target, rules, journal, id map and result."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrate.archive.id_map import derivations, id_map
from migrate.archive.journal import CITATIONS_ACTION, Journal, JournalEntry
from migrate.codecs import CODECS, Capabilities, Target
from migrate.errors import PlanStale, RequestFailed
from migrate.model import JSON, KINDS, Entity, EntityKey
from migrate.model.loss import ARRIVED_WITHOUT_PREFIX, Loss, is_loss_accepted
from migrate.model.references import references_of
from migrate.model.results.apply import ApplyResult, FailedObject
from migrate.model.results.archive import IdMapping
from migrate.model.results.plan import Action, LossRow, Plan
from migrate.stages.apply.citations import CitationProbe
from migrate.stages.estate import Estate
from migrate.stages.match.lineage import Lineage
from migrate.stages.plan.adaptation import adaptation_target, with_target_ids
from migrate.stages.plan_sides import PlanSides, plan_sides
from migrate.stages.progress import Progress

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

RequestBody = dict[str, JSON]
# What identifies a line of the journal: action, kind, and parent and id on the source.
LineKey = tuple[str, str, str, str]


class UnresolvedReference(RequestFailed):
    """An object refers to another one that could not be created."""


class ApplyContext:
    """What all parts of an apply share. Several threads use it.

    `target`: the rules of the target, as decided by the plan. `ids`: (kind, source id) -> target id.
    """

    def __init__(self, plan: Plan, sides: PlanSides[Writer], progress: Progress) -> None:
        origin, destination = plan_sides(plan)
        self.source, self.writer, self.progress = sides.source, sides.service, progress
        self.codec = CODECS[self.writer.type]
        self.target = planned_target(plan, self.source, sides.capabilities)
        document = json.dumps(plan.model_dump()).encode()
        self.journal = Journal(sides.archive, plan.digest, origin, destination, document)
        self.result = ApplyResult()
        # Source and target are the same resource or project.
        self.same_place = origin == destination
        # Two counterparts of a thread -> source id -> target id of the messages created from the target's.
        lineage = Lineage(derivations(sides.archive.conn))
        self.message_origins = lineage.message_origins(self.source, destination, self.journal.message_origins)
        # The values of --accept-loss with which the plan was made.
        self.accepted_fields = plan.accepted_fields
        # See `Plan.source_of`.
        self.source_of = plan.source_of
        # Ids that were on the target when the plan was made: never the result of a request of this plan.
        self.preexisting_ids = frozenset(id_ for _, _, id_, _ in plan.target.objects)
        # Key of a line of the journal -> action of the plan that has, or will have, this line.
        self.actions = {line_key(action): action for action in plan.actions}
        self.reload()
        lines = list(id_map(sides.archive.conn, origin, destination, messages=False))
        # Kind, source id and target id of the lines of the id map.
        self.mapped = {(line.kind, line.source_id, line.target_id) for line in lines}
        self.ids = self._known_ids(plan, lines)
        entries = self.entries.values()
        answers = [e.written for e in entries if e.action == CITATIONS_ACTION and e.state == "done"]
        self.citations = CitationProbe(self.journal, answers[0] if answers else "")
        # Files whose upload was started, by this run or an earlier one.
        self.started_uploads = {e.source_id for e in entries if e.kind == "file"}
        # (store, file) on the target -> journal line which does not have the final state of the file yet.
        self.unfinished_store_files = {
            (e.target_parent, e.target_id): e.id
            for e in entries
            if (e.action, e.kind, e.state) == ("create", "vector_store_file", "done") and not e.written
        }
        # Thread of the source -> how many of its planned messages are there, as far as this run knows.
        self.messages_there: dict[str, int] = {}
        # An earlier run of this plan did something.
        self.is_resumed = bool(entries)
        self.lock = threading.Lock()
        self._refusal_noted = False
        self._claims: dict[tuple[str, str], str] = {}
        self._content_locks: dict[tuple[JSON, ...], threading.Lock] = {}
        self.stop = self.writer.limiter.stop
        progress.watch(self.writer.limiter.waiting)

    def _known_ids(self, plan: Plan, lines: Iterable[IdMapping]) -> dict[tuple[str, str], str]:
        """The ids of every earlier plan between the two sides, and what the plan found on the target."""
        ids: dict[tuple[str, str], str] = {}
        for line in lines:
            if line.kind in ("file", "vector_store", "assistant", "thread"):
                ids.setdefault((line.kind, line.source_id), line.target_id)
        for action in plan.actions:  # what is created again has no id until then
            if action.action == "create" and not ((entry := self.entry_of(action)) and entry.state == "done"):
                ids.pop((action.kind, action.id), None)
        for kind, id_, target_id in plan.settled.further:
            ids.setdefault((kind, id_), target_id)
        for action in plan.actions:
            if action.target_id and action.action != "delete" and action.kind != "vector_store_file":
                ids[action.kind, action.id] = action.target_id
            if action.target_parent and action.action != "delete":  # a store that is not in the plan itself
                ids.setdefault((KINDS[action.kind].parent, action.parent), action.target_parent)
        return ids

    def reload(self) -> None:
        """Read the journal of this plan, without messages: their threads are read instead."""
        self.entries: dict[LineKey, JournalEntry] = {
            (e.action, e.kind, e.source_parent, e.source_id): e for e in self.journal.entries(messages=False)
        }

    def entry_of(self, action: Action) -> JournalEntry | None:
        """The journal line of an action, if an earlier run of this plan started it."""
        return self.entries.get(line_key(action))

    def is_done(self, action: Action, entity: Entity | None = None) -> bool:
        """Whether an earlier run of this plan carried an action out. Counts it as skipped, and adds `entity`,
        the object that it created."""
        entry = self.entry_of(action)
        if entry is None or entry.state != "done":
            return False
        if entity is not None:
            self.map_id(entity, entry.target_id)
        self.count("skipped", kind=action.kind)
        return True

    def record_intent(self, action: Action, before: JSON = None) -> int:
        """Note in the journal that a request for an action follows. Returns the line's id."""
        job = (action.action, action.kind, action.parent, action.id, action.name)
        return self.journal.record_intent([job], before)[0]

    def decode(self, kind: str, body: RequestBody, parent: str = "") -> Entity:
        """An object of the target."""
        return self.codec.decode(kind, body, parent, None)[0]

    def map_id(self, entity: Entity, target_id: str) -> None:
        """Add an object that is on the target now."""
        self.claim(entity.kind, target_id, entity.id)
        self.ids[entity.kind, entity.id] = target_id

    def target_id(self, kind: str, source_id: str) -> str | None:
        """The id of an object on the target."""
        return self.ids.get((kind, source_id))

    def claim(self, kind: str, target_id: str, source_id: str) -> bool:
        """Reserve an object of the target for one of the source. False if it is reserved for another one."""
        with self.lock:
            return self._claims.setdefault((kind, target_id), source_id) == source_id

    @contextmanager
    def one_at_a_time(self, *content: JSON) -> Iterator[None]:
        """Let one worker at a time create objects of equal content."""
        with self.lock:
            lock = self._content_locks.setdefault(content, threading.Lock())
        with lock:
            yield

    def count(self, outcome: str, number: int = 1, kind: str = "") -> None:
        """Add to a number of the result."""
        with self.lock:
            setattr(self.result, outcome, getattr(self.result, outcome) + number)
        self.progress.count(kind or outcome, number)

    def fail(self, kind: str, id_: str, name: str, reason: str) -> None:
        """Report an object that did not arrive."""
        with self.lock:
            self.result.failed.append(FailedObject(kind, id_, name, reason))

    def add_losses(self, losses: Iterable[Loss]) -> None:
        """Report what an object on the target lacks because the service did not take it."""
        with self.lock:
            self.result.losses += (arrived_without_row(loss, self.accepted_fields) for loss in losses)

    def note_refusal(self, text: str) -> None:
        """Report the first refusal of something that was only tried. The losses list the other ones."""
        with self.lock:
            is_first, self._refusal_noted = not self._refusal_noted, True
        if is_first:
            self.note(text)

    def note(self, text: str) -> None:
        """Report something that the user should know although nothing failed. Each text once."""
        with self.lock:
            if text not in self.result.notes:
                self.result.notes.append(text)

    def adapted(self, entity: Entity, target: Target | None = None) -> Entity:
        """The object as it is written: adapted to the target, with the target's ids. `target`: other rules
        than those of the plan. Raises `UnresolvedReference`."""
        target = target or self.target
        adapted, _ = self.codec.adapt(entity, target)
        missing = False

        def lookup(kind: str, source_id: str) -> str | None:
            nonlocal missing
            target_id = self.target_id(kind, source_id)
            missing |= target_id is None
            return target_id

        found = with_target_ids(adapted, target, lookup)
        for path, kind, source_id in references_of(adapted) if missing else ():
            if self.target_id(kind, source_id) is None:
                raise UnresolvedReference(f"{path} names {kind} {source_id}, which could not be created")
        return found


def arrived_without_row(loss: Loss, accepted_fields: Collection[str]) -> LossRow:
    """A loss that only an apply could find out. `accepted_fields`: of the plan."""
    accepted = is_loss_accepted(accepted_fields, loss.kind, loss.field)
    return LossRow(**{**vars(loss), "reason": f"{ARRIVED_WITHOUT_PREFIX}{loss.reason}"}, accepted=accepted)


def line_key(action: Action) -> LineKey:
    """The key of an action's line in the journal."""
    return action.action, action.kind, action.parent, action.id


def apply_context(plan: Plan, sides: PlanSides[Writer], progress: Progress) -> ApplyContext:
    """The context of applying a plan, or of rolling it back. Raises `PlanStale` when the snapshot is not the
    planned one."""
    if sides.source.snapshot.info.digest != plan.source.digest:
        raise PlanStale(
            f"snapshot {plan.source.snapshot} is not the one that was planned",
            "its fingerprint changed",
            "run plan again and read the new one",
        )
    return ApplyContext(plan, sides, progress)


def planned_target(plan: Plan, source: Estate, capabilities: Capabilities) -> Target:
    """The rules of the target as they were when the plan was made."""
    blocked = {
        (a.kind, a.id)
        for a in plan.actions
        if a.action == "blocked" and a.kind != "vector_store_file" and not a.target_id
    }
    blocked |= set(plan.left_out)
    return adaptation_target(source, capabilities, plan.settled, blocked)


def blocked_objects(plan: Plan) -> Iterator[tuple[EntityKey, str, LossRow | None]]:
    """Key, name and reason of each object that a plan does not move. A message may be blocked, because it
    cannot be written, although its thread is not."""
    rows = {(row.kind, row.parent, row.id): row for row in plan.losses if row.grade == "blocked"}
    names = {(a.kind, a.parent, a.id): a.name for a in plan.actions if a.action == "blocked"}
    names |= {key: row.name for key, row in rows.items() if row.kind == "message"}
    return ((key, name, rows.get(key)) for key, name in names.items())
