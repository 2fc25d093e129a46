"""Plan every object of a source in the order of references, and report losses that concern many of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from migrate.model import KINDS, Entity
from migrate.model.entity import usability
from migrate.model.first_of import first_of
from migrate.model.loss import EVERY_OBJECT, Grade, Loss
from migrate.model.results.plan import Action
from migrate.stages.plan.adaptation import AssistantDependencies
from migrate.stages.plan.decision import DecisionLog
from migrate.stages.plan.inputs import PlanInputs
from migrate.stages.plan.object_decider import ObjectDecider
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.relink import RelinkPlanner, ThreadLookup
from migrate.stages.plan.served_versions import agents_of, source_version_notes, target_version_notes
from migrate.stages.plan.threads import ThreadPlanner

# Names that one line of a plan shows.
MAX_FILES_NAMED = 5


class Planner:
    """Walks the source and asks the decider about each object. `actions` fills the log."""

    def __init__(self, decider: ObjectDecider, log: DecisionLog, inputs: PlanInputs) -> None:
        self._deployments_error, self.selected = inputs.inventory.deployments_error, inputs.selected
        self.decider, self.log, self.target = decider, log, inputs.target
        self.source, self.pairs, self.settings = inputs.source, inputs.pairs, decider.settings
        self.threads = ThreadPlanner(decider, log, inputs.conversations)
        self._source_agents, self._target_agents = agents_of(self.source), agents_of(self.target)

    def all_actions(self, threads_now: ThreadLookup | None, options: PlanOptions) -> list[Action]:
        """Every action; those of a restore with the updates of references to new ids."""
        actions = list(self.actions())
        if not options.restore or threads_now is None:
            return actions
        conversations = self.threads.conversations
        relink = RelinkPlanner(self.decider, self.log, self.target, threads_now, conversations)
        return relink.add_to(actions, options.relink)

    def actions(self) -> Iterator[Action]:
        """Files, stores and their files, assistants, threads with their messages."""
        # In its own place, a lost copy comes back as itself.
        is_restore = bool(self.decider.restore) and self.decider.same_place
        second_copies = {} if is_restore else self.decider.journal.second_copies
        for kind in ("file", "vector_store"):
            for entity in self._selected(self.source.objects(kind).values()):
                if origin := second_copies.get((kind, entity.id)):
                    reason = f"a second copy of {origin} on the target; references to it are changed to that"
                    self.log.add_loss(entity, "id", reason, "adapted")
                    continue
                existing = self.decider.counterpart(entity, self.target.objects(kind))
                if kind == "file" and existing is None:
                    self._note_ambiguous_file(entity)
                self._note_unusable(entity, existing)
                yield self._needed(self.log.add(self.decider.decide(entity, existing)))
        for store in self._selected(self.source.objects("vector_store").values()):
            if ("vector_store", store.id) not in second_copies:
                yield from self._store_files(store.id)
        assistants = {a.id: a for a in self._selected(self.source.objects("assistant").values())}
        for wave in AssistantDependencies(assistants, self.settings.present_assistants).waves():
            for entity in map(assistants.__getitem__, wave):
                existing = self.decider.counterpart(entity, self.target.objects("assistant"))
                action = self.log.add(self.decider.decide(entity, existing))
                self._note_versions(entity, action)
                yield self._needed(action)
        existing_threads = self.target.threads_by_id
        for thread in self._selected_threads():
            if thread_action := self.threads.plan_thread(thread, existing_threads):
                yield thread_action
        yield from self.threads.message_updates

    def _selected(self, entities: Iterable[Entity]) -> Iterator[Entity]:
        """Those that the plan is about."""
        return (e for e in entities if self.selected is None or (e.kind, e.id) in self.selected)

    def _selected_threads(self) -> Iterator[Entity]:
        """The threads that the plan is about. Of many threads, only those are decoded."""
        if self.selected is None:
            return self.source.iter_threads()
        threads = self.source.threads_by_id
        return (threads[id_] for kind, id_ in self.selected.chosen if kind == "thread")

    def _needed(self, action: Action) -> Action:
        """The action, with the object that needs its object, where the user did not select that itself."""
        owner = self.selected and self.selected.needed_by.get((action.kind, action.id))
        return replace(action, needed_by=" ".join(owner)) if owner else action

    def _note_unusable(self, entity: Entity, existing: Entity | None) -> None:
        """In a restore, an object that is there and of no use any more, such as an expired store."""
        if self.decider.restore and existing and usability(existing) != usability(entity) == "usable":
            reason = (
                f"{existing.id} is there, and is {usability(existing)} since the snapshot: it cannot be used"
            )
            hint = "delete it and restore again: it comes back, and what refers to it gets the new id"
            self.log.add_loss(entity, "status", reason, "lost", hint)

    def _note_ambiguous_file(self, file: Entity) -> None:
        """Several files of one name and size: none is used by a guess."""
        if candidates := self.pairs.ambiguous_matches.get(file.id):
            reason = (
                f"{len(candidates):,} on the target have its name and size, and neither their bytes nor "
                "where they are used show which is its copy: none is used "
                f"({first_of(candidates, MAX_FILES_NAMED)})"
            )
            hint = "compare them by hand, and delete those that are not needed"
            self.log.add_loss(file, "id", reason, "adapted", hint)

    def _note_versions(self, entity: Entity, action: Action) -> None:
        """Which version of an agent users get, on both sides, and whether it is enabled."""
        if action.action == "blocked":
            return
        target_agent = self._target_agents.get(action.target_id, {})
        notes = [
            *source_version_notes(self._source_agents.get(entity.id, {}), self.settings.agent_version),
            *target_version_notes(target_agent, action.action == "update"),
        ]
        for name, grade, reason, way_out in notes:
            self.log.add_loss(entity, name, reason, grade, way_out)

    def _store_files(self, store: str) -> Iterator[Action]:
        target_store = self.pairs.right("vector_store", store) or ""
        rows = self.target.members("vector_store_file", target_store) if target_store else ()
        existing = {str(row.fields["file_id"]): row for row in rows}
        owner = self.source.objects("vector_store")[store]
        is_blocked = ("vector_store", store) in self.log.blocked
        if not self.source.is_complete("vector_store_file", store):
            reason = self.source.snapshot.listing_state("vector_store_file", store)[1] or "not read"
            self.log.add_loss(owner, "files", f"not read to the end: {reason}")
        missing: list[str] = []
        limit = self.decider.target.capabilities.store_files_max
        for number, entity in enumerate(self.source.members("vector_store_file", store)):
            file_id = str(entity.fields["file_id"])
            file = self.source.objects("file").get(file_id)
            entity = replace(entity, label=file.name) if file else entity  # for people who read the plan
            counterpart = existing.get(self.pairs.right("file", file_id) or "")
            is_in_place = ("vector_store", store) in self.settings.in_place
            is_gone = is_in_place and counterpart is None and not self.decider.restore
            if number >= limit:
                self.log.add_loss(entity, "file_id", f"beyond {limit:,} files", "blocked")
            if is_gone:
                reason = "the source's own store is used where it is, and no longer contains it"
                self.log.add_loss(entity, "file_id", reason, "blocked")
            if is_blocked or is_gone or number >= limit:
                action = Action("blocked", entity.kind, entity.id, store, entity.name)
            else:
                if counterpart is not None and not self.source.codec.reports_state:
                    # the service has indexed it already, so its file extension is accepted
                    entity = replace(entity, facts={"status": "completed"})
                action = self.log.add(self.decider.decide(entity, counterpart, target_store))
            if action.action == "blocked":
                missing.append(entity.name or entity.id)
            yield action
        if missing and not is_blocked:
            reason = f"{len(missing):,} of its files will not be in it: {first_of(missing, MAX_FILES_NAMED)}"
            self.log.add_loss(owner, "files", reason, way_out="see the lines of these files")

    def general_losses(self, actions: Sequence[Action]) -> list[Loss]:
        """Losses that concern many objects, one line each. Call it when all actions are known."""
        created = [
            self.source.objects("assistant")[action.id]
            for action in actions
            if action.kind == "assistant" and action.action == "create"
        ]
        return [
            *self._fact_losses(),
            *self._agent_losses(created),
            *self._mention_losses(),
            *self._file_losses(),
            *self._unlisted_thread_losses(actions),
        ]

    def _unlisted_thread_losses(self, actions: Sequence[Action]) -> Iterator[Loss]:
        """A service that lists no threads cannot show whether a lost thread was put back before."""
        is_listed = self.target.snapshot.info.options.get("threads", True)
        created = [action.id for action in actions if action.kind == "thread" and action.action == "create"]
        if self.decider.restore and created and not is_listed:
            reason = (
                f"{len(created):,} are recreated ({first_of(created, MAX_FILES_NAMED)}); the service does "
                "not list its threads, so one that another archive put back before is not recognised, and "
                "would exist twice"
            )
            yield general_loss("thread", "id", reason, "restore each thread from one archive only")

    def _fact_losses(self) -> Iterator[Loss]:
        """What no service lets anybody write, once per kind and field that occurs."""
        if not self.source.codec.reports_state:
            return
        for kind, names in sorted(self.log.facts.items()):
            for name in sorted(names):
                yield general_loss(kind, name, KINDS[kind].facts[name], "kept in the archive")
        counts = self.source.snapshot.counts() if self.selected is None else {}
        subjects = [("run", "runs and their steps")] if self.decider.target.bytes_later else []
        subjects += [(kind, f"{counts[kind]:,}") for kind in ("run", "run_step") if counts.get(kind)]
        for kind, subject in subjects:
            reason = f"{subject} are archived, never replayed: creating a run executes a model"
            yield general_loss(kind, EVERY_OBJECT, reason, "read them in the archive")

    def _agent_losses(self, created: Sequence[Entity]) -> Iterator[Loss]:
        if not created:
            return
        if self.decider.target.capabilities.creates_identities:
            reason = f"each of the {len(created):,} new agents also creates an Entra identity in the tenant"
            yield general_loss("assistant", "identity", reason, "inform those who govern identities")
        if self.settings.deployments is None:
            used = {str(entity.fields.get("model")) for entity in created}
            names = ", ".join(sorted(self.settings.models.get(name, name) for name in used))
            why = f" ({self._deployments_error})" if self._deployments_error else ""
            reason = f"whether the target has these models cannot be seen{why}: {names}"
            yield general_loss("assistant", "model", reason, "map others in [models]")

    def _mention_losses(self) -> Iterator[Loss]:
        if mentions := self.threads.mentions:
            thread, messages = next(iter(mentions.items()))
            reason = (
                f"{sum(map(len, mentions.values())):,} name ids of the source (the first is {messages[0]} in "
                f"{thread}); the text of messages is never rewritten"
            )
            yield general_loss("message", "content", reason, "`ids FILE.db` lists the new ids")

    def _file_losses(self) -> Iterator[Loss]:
        files = self._selected(self.source.objects("file").values())
        total = sum(int(file.fields.get("bytes") or 0) for file in files)
        limit = self.decider.target.capabilities.files_total
        if 0 < limit < total:
            reason = f"{total:,} bytes in all, the target accepts {limit:,}"
            yield general_loss("file", "bytes", reason, "leave files out: --exclude file:GLOB", "lost")
        if self.settings.in_place and self.source.codec.files_immutable:
            reason = (
                f"{len(self.settings.in_place):,} files and stores are shared with the source's project and "
                "used where they are: deleting one there deletes it here"
            )
            yield general_loss("file", "id", reason, "--copy-files copies them")


def general_loss(kind: str, name: str, reason: str, way_out: str, grade: Grade = "adapted") -> Loss:
    """A loss that concerns every object of a kind."""
    return Loss(kind, EVERY_OBJECT, name, grade, reason, way_out)
