"""What every maker of objects needs: both sides, the rules, the journal, the id map and the tally."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.id_map import Side, derivations, id_map, reverse_message_ids
from migrate.archive.journal import Journal, JournalEntry
from migrate.codecs import CODECS, Capabilities, Target
from migrate.errors import PlanStale, RequestFailed
from migrate.model import JSON, KINDS, Entity
from migrate.model.references import references_of, remap_references
from migrate.model.results.apply import ApplyResult, FailedObject
from migrate.model.results.plan import Action, Plan
from migrate.stages.estate import Estate
from migrate.stages.match.lineage import Lineage
from migrate.stages.plan.adaptation import accepted_forms_only, adaptation_target
from migrate.stages.progress import Progress

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer


RequestBody = dict[str, JSON]


class UnresolvedReference(RequestFailed):
    """An object names another that could not be made."""


class ApplyContext:
    """What every maker needs: both sides, the rules, the journal and the id map. Shared by threads."""

    def __init__(
        self, source: Estate, writer: Writer, fit: Target, journal: Journal, progress: Progress
    ) -> None:
        self.source, self.writer, self.fit, self.journal, self.progress = (
            source,
            writer,
            fit,
            journal,
            progress,
        )
        self.codec = CODECS[writer.type]
        self.tally = ApplyResult()
        self.ids: dict[tuple[str, str], str] = {}
        self.reload()
        self.origins: Callable[[str, str], Mapping[str, str]] = lambda thread, there: {}
        """As in `Known`: messages that were made from those on the target."""
        self.noted: set[tuple[str, str, str]] = set()
        """Kind, source id and target id of what earlier moves noted."""
        self.same_place = False
        """Whether the target is the very place that the source was read from."""
        self.preexisting_ids: frozenset[str] = frozenset()
        """Ids that were on the target when the plan was made: never something we made since."""
        self.sent = {e.source_id for e in self.earlier.values() if e.kind == "file"}
        """Files of which an upload was begun, now or by an earlier run."""
        self.unmarked = {
            (e.target_parent, e.target_id): e.id
            for e in self.earlier.values()
            if (e.action, e.kind, e.state) == ("create", "vector_store_file", "done") and not e.written
        }
        """(store, file) on the target -> journal line of a row of which is not noted yet how it was left."""
        self._claims: dict[tuple[str, str], str] = {}
        self._alike: dict[tuple[JSON, ...], threading.Lock] = {}
        self.stop = writer.limiter.stop
        progress.watch(writer.limiter.waiting)
        self.lock = threading.Lock()

    def reload(self) -> None:
        """Read what this plan's journal says now, but for messages: their threads are read instead."""
        self.earlier: dict[tuple[str, str, str, str], JournalEntry] = {
            (e.action, e.kind, e.source_parent, e.source_id): e for e in self.journal.entries(messages=False)
        }

    def record(self, action: Action) -> JournalEntry | None:
        """What this plan's journal says of an action already."""
        return self.earlier.get((action.action, action.kind, action.parent, action.id))

    def settle(self, entity: Entity, target_id: str) -> None:
        """An object is on the target under this id."""
        self.claim(entity.kind, target_id, entity.id)
        self.ids[(entity.kind, entity.id)] = target_id

    def claim(self, kind: str, target_id: str, source_id: str) -> bool:
        """Take an object of the target for one of the source; False where it is another's already."""
        with self.lock:
            return self._claims.setdefault((kind, target_id), source_id) == source_id

    @contextmanager
    def alike(self, *shape: JSON) -> Iterator[None]:
        """One at a time among objects that look the same on the target."""
        with self.lock:
            lock = self._alike.setdefault(shape, threading.Lock())
        with lock:
            yield

    def count(self, what: str, number: int = 1, kind: str = "") -> None:
        """Add to the tally."""
        with self.lock:
            setattr(self.tally, what, getattr(self.tally, what) + number)
        self.progress.count(kind or what, number)

    def fail(self, kind: str, id_: str, name: str, reason: str) -> None:
        """Name something that did not arrive."""
        with self.lock:
            self.tally.failed.append(FailedObject(kind, id_, name, reason))

    def note(self, text: str) -> None:
        """Something the user should know although nothing failed."""
        with self.lock:
            if text not in self.tally.notes:
                self.tally.notes.append(text)

    def fitted(self, entity: Entity) -> Entity:
        """The object as it is to be written: adapted, with the ids of the target.

        Raises `UnresolvedReference` when it names something that could not be made."""
        return self._with_new_ids(entity, self.fit)

    def surely(self, entity: Entity) -> Entity:
        """The same in forms that the service was seen to accept."""
        return self._with_new_ids(entity, accepted_forms_only(self.fit))

    def _with_new_ids(self, entity: Entity, fit: Target) -> Entity:
        adapted, _ = self.codec.adapt(entity, fit)
        form = KINDS[entity.kind]
        missing: list[str] = []

        def lookup(kind: str, old: str) -> str | None:
            new = self.ids.get((kind, old))
            if new is None:
                missing.append(old)
            return new

        found = remap_references(form, adapted, lookup)
        for path, kind, old in references_of(form, adapted) if missing else ():
            if (kind, old) not in self.ids:
                raise UnresolvedReference(f"{path} names {kind} {old}, which could not be made")
        return self.fit.with_new_ids(found, lambda kind, old: self.ids.get((kind, old)))


def apply_context(
    plan: Plan,
    source: Estate,
    archive: Archive,
    writer: Writer,
    capabilities: Capabilities,
    progress: Progress,
) -> ApplyContext:
    """What carrying out a plan, and taking it back, work with. Raises `PlanStale` when the snapshot is not
    the one that was planned."""
    if source.snapshot.info.digest != plan.source.digest:
        raise PlanStale(
            f"snapshot {plan.source.snapshot} is not the one that was planned",
            "its fingerprint changed",
            "run plan again and read the new one",
        )
    sides = (Side(plan.source.type, plan.source.url), Side(plan.target.type, plan.target.url))
    journal = Journal(archive, plan.digest, *sides, json.dumps(plan.model_dump()).encode())
    blocked = {
        (a.kind, a.id)
        for a in plan.actions
        if a.action == "blocked" and a.kind != "vector_store_file" and not a.target_id
    }
    fit = adaptation_target(source, capabilities, plan.settled.decided(), blocked)
    ctx = ApplyContext(source, writer, fit, journal, progress)
    origins = partial(reverse_message_ids, archive.conn)
    ctx.origins = Lineage(derivations(archive.conn)).message_origins(source, sides[1], origins)
    ctx.same_place = sides[0] == sides[1]
    ctx.preexisting_ids = frozenset(id_ for _, _, id_, _ in plan.target.objects)
    return ctx


def load_id_map(plan: Plan, ctx: ApplyContext, archive: Archive) -> None:
    """Fill the workshop's id map from every earlier move between the two sides, and from what the plan found
    on the target."""
    sides = (Side(plan.source.type, plan.source.url), Side(plan.target.type, plan.target.url))
    for line in id_map(archive.conn, *sides, messages=False):
        ctx.noted.add((line.kind, line.source_id, line.target_id))
        if line.kind in ("file", "vector_store", "assistant", "thread"):
            ctx.ids.setdefault((line.kind, line.source_id), line.target_id)
    for kind, id_, there in plan.settled.further:
        ctx.ids.setdefault((kind, id_), there)
    for action in plan.actions:
        if action.target_id and action.action != "delete" and action.kind != "vector_store_file":
            ctx.ids[(action.kind, action.id)] = action.target_id
