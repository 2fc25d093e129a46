"""A source and a target in, an ordered plan out: every action, every loss, fingerprints of both sides.

Nothing is written. Objects are matched with what lies on the target by the journal and by stamps only;
a like name is no proof, so an assistant of the same name that somebody else made is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migrate.archive.snapshots import now
from migrate.codecs import CODECS, Codec, Profile, Target
from migrate.errors import Incomplete
from migrate.model import KINDS, Entity
from migrate.model.loss import EVERY, Loss
from migrate.model.normal import normal, written_form
from migrate.model.refs import remap
from migrate.stages.differing import differing
from migrate.stages.estate import Estate
from migrate.stages.fitting import as_sent, fitting, with_plan_losses
from migrate.stages.limits import Choices, within_thresholds
from migrate.stages.pairing import Pairs
from migrate.stages.planfile import FORMAT, Action, LossRow, Plan, SourceSide, TargetSide
from migrate.stages.present import combined, fingerprint, states
from migrate.stages.pruning import deletions


def make(
    source: Estate,
    target: Estate,
    conversations: Estate | None,
    pairs: Pairs,
    known: frozenset[tuple[str, str]],
    profile: Profile,
    choices: Choices,
    sides: tuple[SourceSide, TargetSide],
) -> Plan:
    """Plan how `target` becomes like `source`. `known`: (kind, target id) that the journal made.

    Raises `Refused` when a threshold is exceeded or deletes would follow from a partial reading.
    """
    planner = Planner(source, target, conversations, pairs, known, profile, choices)
    actions = list(planner.actions())
    actions += deletions(source, target, pairs, known) if choices.prune else []
    within_thresholds(actions, target, choices)
    losses = [_row(loss, choices.accept) for loss in planner.losses + planner.general()]
    touched = {a.target_id for a in actions if a.kind == "thread" and a.target_id}
    present = states(target, touched)
    objects = tuple((*key, state) for key, state in sorted(present.items()))
    return Plan(
        format=FORMAT,
        created_at=now(),
        source=sides[0],
        target=sides[1].model_copy(update={"digest": combined(present), "objects": objects}),
        models=dict(choices.models),
        actions=tuple(actions),
        losses=tuple(losses),
        unread=tuple(f"{k} {p or EVERY}: {r}" for k, p, r in source.snapshot.incomplete()),
    ).sealed()


class Planner:
    """Walks the source in the order of references and decides about each object."""

    def __init__(
        self,
        source: Estate,
        target: Estate,
        conversations: Estate | None,
        pairs: Pairs,
        known: frozenset[tuple[str, str]],
        profile: Profile,
        choices: Choices,
    ) -> None:
        self.source, self.target, self.conversations = source, target, conversations
        self.pairs, self.known, self.choices = pairs, known, choices
        self.codec: Codec = CODECS[profile.service]
        self.blocked: set[tuple[str, str]] = set()
        self.fit: Target = fitting(source, profile, choices.models, self.blocked)
        self.losses: list[Loss] = []
        self.seen_facts: dict[str, set[str]] = {}
        self.relabelled: list[Action] = []
        """Updates of messages whose metadata changed; nothing else of a message can be rewritten."""

    def actions(self) -> Iterator[Action]:
        """Files, stores and what is in them, assistants, threads with their messages."""
        for kind in ("file", "vector_store"):
            for entity in self.source.of(kind).values():
                yield self._decide(entity, self._counterpart(entity, self.target.of(kind)))
        for store in self.source.of("vector_store"):
            yield from self._store_files(store)
        for entity in self.source.of("assistant").values():
            yield self._decide(entity, self._counterpart(entity, self.target.of("assistant")))
        present = {e.id: e for e in self.target.threads()}
        for entity in self.source.threads():
            yield from self._thread(entity, present)
        yield from self.relabelled

    def general(self) -> list[Loss]:
        """What no service lets anybody write, once per kind and field that occurs."""
        found = [
            Loss(kind, EVERY, name, "adapted", KINDS[kind].facts[name], "kept in the archive")
            for kind, names in sorted(self.seen_facts.items())
            for name in sorted(names)
        ]
        counts = self.source.snapshot.counts()
        for kind in ("run", "run_step"):
            if counts.get(kind):
                reason = f"{counts[kind]:,} are archived, never replayed: creating a run executes a model"
                found.append(Loss(kind, EVERY, EVERY, "adapted", reason, "read them in the archive"))
        return found

    def _counterpart(self, entity: Entity, present: Mapping[str, Entity]) -> Entity | None:
        return present.get(self.pairs.right(entity.kind, entity.id) or "")

    def _decide(self, entity: Entity, there: Entity | None, parent: str = "") -> Action:
        fitted, losses = self._fitted(entity)
        row = Action(action="create", kind=entity.kind, id=entity.id, parent=entity.parent, name=entity.name)
        if any(loss.grade == "blocked" for loss in losses):
            self.blocked.add((entity.kind, entity.id))
            return row.model_copy(update={"action": "blocked"})
        if there is None:
            return row.model_copy(update={"target_parent": parent})
        if (entity.kind, entity.id) in self.pairs.guessed:
            self._lose(entity, "id", f"recognised as {there.id} on the target by name and size", "adapted")
        changed = self._changed(fitted, there)
        allowed = set(self.codec.updatable.get(entity.kind, ()))
        if len(fitted.fields.get("instructions") or "") > self.fit.profile.instructions_modify_max:
            allowed.discard("instructions")
        place = {"target_id": there.id, "target_parent": there.parent}
        if not changed:
            known = (entity.kind, there.id) in self.known
            return row.model_copy(update={**place, "action": "skip" if known else "adopt"})
        if not changed <= allowed:
            for name in sorted(changed - allowed):
                self._lose(entity, name, "differs on the target and cannot be changed there")
        if not changed & allowed:
            return row.model_copy(update={**place, "action": "skip"})
        return row.model_copy(
            update={
                **place,
                "action": "update",
                "fields": tuple(sorted(changed & allowed)),
                "before": fingerprint(there),
            }
        )

    def _changed(self, fitted: Entity, there: Entity) -> set[str]:
        """Fields in which the object on the target is not what it should be."""
        wanted = normal(remap(KINDS[fitted.kind], fitted, self.pairs.right))
        present = written_form(there)
        return {path.path.split(".")[0].split("[")[0] for path in differing(wanted, present)} - {"sha256"}

    def _store_files(self, store: str) -> Iterator[Action]:
        there = self.pairs.right("vector_store", store)
        present = {
            str(e.fields["file_id"]): e
            for e in (self.target.members("vector_store_file", there) if there else ())
        }
        blocked = ("vector_store", store) in self.blocked
        if not self.source.read("vector_store_file", store):
            reason = self.source.snapshot.scope("vector_store_file", store)[1] or "not read"
            self._lose(self.source.of("vector_store")[store], "files", f"not read to the end: {reason}")
        for number, entity in enumerate(self.source.members("vector_store_file", store)):
            if number >= self.fit.profile.store_files_max:
                self._lose(entity, "file_id", f"beyond {self.fit.profile.store_files_max:,} files", "blocked")
            if blocked or number >= self.fit.profile.store_files_max:
                yield Action(action="blocked", kind=entity.kind, id=entity.id, parent=store)
                continue
            file = self.pairs.right("file", str(entity.fields["file_id"])) or ""
            yield self._decide(entity, present.get(file), there or "")

    def _thread(self, entity: Entity, present: Mapping[str, Entity]) -> Iterator[Action]:
        state, reason = self.source.snapshot.scope("message", entity.id)
        if state == "gone":
            return
        messages = self.source.members("message", entity.id)
        fitted = [self._fitted(message)[0] for message in messages]
        row = self._decide(entity, self._as_sent(self._counterpart(entity, present), entity, fitted))
        if state != "complete":
            self._lose(entity, "messages", f"not read to the end: {reason or 'not read'}", "lost")
        done = self._arrived(entity, row.target_id, messages, fitted)
        if row.action in ("create", "update", "skip", "adopt"):
            action = (
                "update" if row.target_id and len(fitted) > done and row.action != "create" else row.action
            )
            row = row.model_copy(update={"messages": len(fitted) - done, "action": action})
            if action == "update" and not row.before:
                row = row.model_copy(update={"before": fingerprint(present[row.target_id])})
        yield row

    def _as_sent(self, there: Entity | None, thread: Entity, messages: list[Entity]) -> Entity | None:
        if there is None:
            return None
        written = [remap(KINDS[e.kind], e, self.pairs.right) for e in (self._fit(thread)[0], *messages)]
        return as_sent(there, written[0], written[1:])

    def _arrived(self, thread: Entity, there: str, messages: list[Entity], fitted: list[Entity]) -> int:
        """How many of a thread's messages are on the target already, in order."""
        if not there or self.conversations is None:
            return 0
        present = self.conversations.members("message", there)
        for number, (wanted, found) in enumerate(zip(fitted, present, strict=False)):
            changed = self._changed(wanted, found)
            if changed == {"metadata"}:
                self.relabelled.append(_relabelled(messages[number], found))
            elif changed:
                self._lose(
                    messages[number],
                    sorted(changed - {"metadata"})[0],
                    f"message {found.id} on the target is not the one expected there, and no message can be "
                    "rewritten; nothing is appended to this thread",
                    "blocked",
                )
                return len(fitted)
        if len(present) > len(fitted):
            self._lose(
                thread, "messages", f"{len(present) - len(fitted)} on the target are not from here", "lost"
            )
        return min(len(present), len(fitted))

    def _fit(self, entity: Entity) -> tuple[Entity, list[Loss]]:
        return self.codec.adapt(entity, self.fit)

    def _fitted(self, entity: Entity) -> tuple[Entity, list[Loss]]:
        fitted, losses = self._fit(entity)
        losses = with_plan_losses(entity, losses, self.source)
        self.losses += losses
        told = self.seen_facts.setdefault(entity.kind, set())
        told.update(
            name
            for name, value in entity.facts.items()
            if name != "object" and value not in (None, "", {}, [])
        )
        return fitted, losses

    def _lose(self, entity: Entity, name: str, reason: str, grade: str = "lost") -> None:
        self.losses.append(
            Loss(entity.kind, entity.id, name, grade, reason, "", entity.parent, entity.name)  # type: ignore[arg-type]
        )


def _relabelled(message: Entity, there: Entity) -> Action:
    return Action(
        action="update", kind="message", id=message.id, parent=message.parent, target_id=there.id,
        target_parent=there.parent, before=fingerprint(there), fields=("metadata",),
    )  # fmt: skip


def _row(loss: Loss, accept: frozenset[str]) -> LossRow:
    names = {"all", loss.field, loss.field.split(".")[0], f"{loss.kind}.{loss.field}"}
    return LossRow(**loss.__dict__, accepted=loss.grade == "adapted" or bool(accept & names))


def must_not_be_empty(source: Estate) -> None:
    """Raises `Incomplete` when the source holds nothing (more often a mistake than a wish), or is still
    being read: what is reviewed must be what is applied."""
    if source.snapshot.info.interrupted:
        raise Incomplete(
            f"snapshot {source.snapshot.info.id} of {source.side.url} was interrupted",
            "it may still grow, so no plan can be made from it",
            "run the same snapshot command again: it continues",
        )
    if not any(source.snapshot.counts().values()):
        raise Incomplete(
            f"snapshot {source.snapshot.info.id} of {source.side.url} holds nothing",
            "there is nothing to plan from it",
            "look at `snapshots FILE.db` and take a snapshot of the right estate",
        )
