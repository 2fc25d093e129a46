"""Compare one object of the source at a time with its counterpart on the target, and report differences.

The expected form is the adapted one, computed anew from the archive; only what the plan announced may differ.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING

from migrate.codecs import CODECS, Capabilities, Target
from migrate.codecs.adapt.metadata import merge_existing_metadata
from migrate.codecs.capabilities import unsupported_fields_of
from migrate.errors import IncompleteResult, RequestFailed
from migrate.model import KINDS, Entity
from migrate.model.file import is_same_filename
from migrate.model.normalize import normalize_entity, normalize_written_fields
from migrate.model.object_diff import diff_objects
from migrate.model.project_resources import connections_in_other_project
from migrate.model.references import remap_references
from migrate.model.results.apply import VerifyFinding, VerifyResult
from migrate.model.results.plan import Plan
from migrate.model.secrets import remove_owner_secrets, with_target_credentials
from migrate.model.vector_store import ingestion_error
from migrate.stages.config_directory.match import is_equal_on_target
from migrate.stages.estate import Estate, LazyMessage, stamp
from migrate.stages.fingerprints import is_unchanged, message_fingerprint
from migrate.stages.match.messages import pair_messages
from migrate.stages.plan.adaptation import (
    accepted_forms_only,
    adaptation_target,
    iter_messages,
    replayed_messages,
    without_folded_attachments,
)
from migrate.stages.progress import Progress
from migrate.stages.worker_pool import run_parallel

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


# Kinds whose target ids must each belong to one object of the source.
KINDS_WITH_UNIQUE_TARGET = frozenset({"file", "vector_store", "assistant", "thread"})

THREADS_COMPARED = "threads compared"

# Kind and state on the target -> why an object that is there is no use.
UNUSABLE_REASONS = {
    ("vector_store", "expired"): "the store has expired and cannot be searched",
    ("vector_store_file", "in_progress"): "the service is still taking it in",
    ("file", "error"): "the service could not take it in",
}


class Inspector:
    def __init__(
        self,
        source: Estate,
        plan: Plan,
        capabilities: Capabilities,
        ids: Mapping[tuple[str, str], str],
        blocked: set[tuple[str, str]],
        expected: set[tuple[str, str, str]],
    ) -> None:
        self.source, self.ids, self.expected = source, ids, expected
        self.message_targets: Callable[[str], list[str]] = lambda id_: []
        """What the journal says became of a message: asked for only where one is not found."""
        self.arrived_messages: Callable[[str], Mapping[str, tuple[str, str]]] = lambda thread: {}
        """Thread -> id on the target of its messages -> id on the source, and how each was left there."""
        self.message_counts = {a.id: a.standing for a in plan.actions if a.kind == "thread"}
        """Thread -> how many messages stood on the target before this plan."""
        self.codec = CODECS[capabilities.service]
        self.origins: Callable[[str, str], Mapping[str, str]] = lambda thread, there: {}
        """As in `Known`: messages that were made from those on the target."""
        self.same_place = (plan.source.type, plan.source.url) == (plan.target.type, plan.target.url)
        self.kept_fields = {(a.kind, a.parent, a.id): a.left for a in plan.actions if a.left}
        self.staying = frozenset(plan.staying)
        self.created = {(a.kind, a.parent, a.id) for a in plan.actions if a.action == "create"}
        self.in_place = frozenset(plan.settled.in_place)
        self.further = plan.settled.further
        self.fit = adaptation_target(source, capabilities, plan.settled.decided(), blocked)
        self.maps = plan.settled.models, plan.settled.connections
        self.result = VerifyResult()

    def check_configuration(self, target: Estate) -> None:
        """Check files, vector stores with their files, and assistants."""
        for kind in ("file", "vector_store", "assistant"):
            for entity in self.expected_objects(kind, self.source.objects(kind).values()):
                self._one(entity, target.objects(kind).get(self.ids.get((kind, entity.id), "")))
        second = {id_ for kind, id_, _ in self.further if kind == "vector_store"}
        for store in self.source.objects("vector_store"):
            if store in second:  # its origin is compared with the one that is its counterpart
                continue
            there = self.ids.get(("vector_store", store), "")
            present = {e.id: e for e in target.members("vector_store_file", there)} if there else {}
            for entity in self.expected_objects(
                "vector_store_file", self.source.members("vector_store_file", store)
            ):
                file = self.ids.get(("file", str(entity.fields["file_id"])), "")
                self._one(entity, present.pop(file, None))
            # A directory does not own the rest, and where the source itself was read it came since.
            owned = self.source.codec.owns_rest and not self.same_place
            for stray in present if owned else ():
                if ("vector_store_file", there, stray) in self.staying:
                    continue
                self.add_finding(
                    "vector_store_file", "", stray, "", "", f"in store {there}, but not in {store}"
                )

    def check_duplicates(self, target: Estate) -> None:
        """Report objects that were created twice, and target objects that stand for two source objects."""
        owners: dict[tuple[str, str], str] = {}
        for kind, _, id_ in sorted(self.expected):
            there = self.ids.get((kind, id_), "")
            copy = (kind, id_) in self.in_place or there == id_
            if (
                kind in KINDS_WITH_UNIQUE_TARGET
                and there
                and not copy
                and owners.setdefault((kind, there), id_) != id_
            ):
                self.add_finding(
                    kind, id_, there, "", "id", f"is on the target what {owners[kind, there]} is"
                )
        for kind in ("vector_store", "assistant", "thread"):
            rows = target.iter_threads() if kind == "thread" else iter(target.objects(kind).values())
            for found in rows:
                type_, _, old = stamp(found).partition(":")
                mine = self.ids.get((kind, old))
                named = self.source.names_are_ids and kind == "assistant"
                if type_ == self.source.type and mine and mine != found.id and not named:
                    self.add_finding(
                        kind, old, found.id, found.name, "id", f"was made twice: {mine} is the other one"
                    )

    def check_deletions(self, plan: Plan, target: Estate) -> None:
        """Report objects that the plan deleted and that still exist."""
        for action in plan.actions:
            if action.action != "delete" or action.kind == "thread":
                continue
            if action.target_parent:
                there = {row.id for row in target.members(action.kind, action.target_parent)}
            else:
                there = set(target.objects(action.kind))
            if action.target_id in there:
                self.add_finding(
                    action.kind, action.id, action.target_id, action.name, "", "was deleted, and is there"
                )

    def check_threads(self, target: Estate, reader: Reader, workers: int, progress: Progress) -> None:
        """Threads, and every message in its place: read and compared page by page, thread beside thread."""
        present = target.threads_by_id
        progress.expect(THREADS_COMPARED, sum(1 for kind, _, _ in self.expected if kind == "thread"))
        progress.total_known(THREADS_COMPARED)
        wrong: dict[int, list[VerifyFinding]] = {}
        merging = threading.Lock()

        def one(job: tuple[int, str, str]) -> None:
            number, thread, there = job
            part = copy(self)
            part.result = VerifyResult()
            part._messages(thread, there, target, reader)
            with merging:
                self._count("message", part.result.checked.get("message", 0))
                if part.result.findings:
                    wrong[number] = part.result.findings
            progress.count(THREADS_COMPARED)

        def jobs() -> Iterator[tuple[int, str, str]]:
            for number, thread in enumerate(self.expected_objects("thread", self.source.iter_threads())):
                there = self.ids.get(("thread", thread.id), "")
                found = present.get(there)
                messages = map(self._written, self._said(thread.id))
                self._one(
                    thread, found and without_folded_attachments(found, self._written(thread), messages)
                )
                if there in present:
                    yield number, thread.id, there

        try:
            run_parallel(workers, jobs(), one, reader.limiter.stop)
        except KeyboardInterrupt:
            raise IncompleteResult(
                "stopped before every message was compared", "nothing was written", "run verify again"
            ) from None
        self.result.findings += [finding for number in sorted(wrong) for finding in wrong[number]]

    def _count(self, kind: str, number: int = 1) -> None:
        self.result.checked[kind] = self.result.checked.get(kind, 0) + number

    def _messages(self, thread: str, there: str, target: Estate, reader: Reader) -> None:
        def found() -> Iterator[LazyMessage]:
            pages = reader.pages("message", there)
            return (target.lazy_message(there, body) for page in pages for body in page.bodies)

        wanted = iter_messages(self.source, self.codec, self.fit, thread)
        arrived = self.arrived_messages(thread)
        made_from = {new: old for new, (old, _) in arrived.items()}

        def here() -> set[str]:
            return {message.id for message in iter_messages(self.source, self.codec, self.fit, thread)}

        try:
            if not (self.same_place and thread == there and self._as_archived(thread, found())):
                self._in_order(thread, there, pair_messages(wanted, found(), made_from, here), arrived)
        except RequestFailed as failed:
            self.result = VerifyResult()
            self.add_finding("thread", thread, there, "", "messages", f"could not be read back: {failed}")

    def _as_archived(self, thread: str, found: Iterator[LazyMessage]) -> bool:
        """Whether a thread of the very place that was archived holds its messages as they were, in order.
        What came behind them since is its own."""
        number = 0
        for number, message in enumerate(self.source.iter_lazy_messages(thread), 1):  # noqa: B007 - how many they were
            there = next(found, None)
            if there is None or there.id != message.id:
                return False
            words = message.text_message is not None and message.text_message == there.text_message
            if not words and not is_unchanged(message.entity, there.entity):
                return False
        self._count("message", number)
        return True

    def _in_order(
        self,
        thread: str,
        there: str,
        pairs: Iterator[tuple[LazyMessage | None, LazyMessage | None]],
        arrived: Mapping[str, tuple[str, str]],
    ) -> None:
        plain = place = 0
        origins = self.origins(thread, there)
        for message, found in pairs:
            earlier = place < self.message_counts.get(thread, 0)
            line = arrived.get(found.id) if found is not None and earlier else None
            if message is None:
                assert found
                if line is None:  # else the source no longer has what it was made from, as the plan reported
                    self.add_finding(
                        "message", "", found.id, "", f"[{place}]", f"in {there}, but not in {thread}"
                    )
            elif found is not None and message.text_message and message.text_message == found.text_message:
                plain += 1  # no rule changes them
            elif found is not None and origins.get(message.id) == found.id:
                plain += 1  # ours was made from it: nothing was written there
            else:
                as_left = found is not None and line == (message.id, self._mark(found, there))
                self._message(message.entity, found.entity if found else None, as_left)
            place += found is not None
        self._count("message", plain)

    def _mark(self, found: LazyMessage, there: str) -> str:
        return message_fingerprint(self.codec, found.body, there)

    def _message(self, message: Entity, found: Entity | None, as_left: bool) -> None:
        """One that arrived before this plan and stands as it was left is what it should be, also where the
        source would give another one today; what can be written anew, its metadata, counts all the same."""
        first = len(self.result.findings)
        self._one(message, found)
        if as_left:
            kept = [find for find in self.result.findings[first:] if find.path.startswith("metadata")]
            self.result.findings[first:] = kept

    def _said(self, thread: str) -> Iterator[Entity]:
        return replayed_messages(self.source, self.codec, self.fit, thread)

    def expected_objects(self, kind: str, entities: object) -> Iterator[Entity]:
        """Those that the plan put, or found, on the target."""
        for entity in entities:  # type: ignore[attr-defined]
            if (kind, entity.parent, entity.id) in self.expected:
                yield entity

    def _one(self, entity: Entity, found: Entity | None) -> None:
        self._count(entity.kind)
        if found is None:
            known = self.message_targets(entity.id) if entity.kind == "message" else []
            there = known[-1] if known else self.ids.get((entity.kind, entity.id), "")
            self.add_finding(entity.kind, entity.id, there, entity.name, "", "it is not on the target")
            return
        if self.same_place and is_unchanged(entity, found):
            return
        if self.source.codec.ids_are_keys and is_equal_on_target(
            entity, found, *self.maps, lambda kind, old: self.ids.get((kind, old))
        ):
            if (entity.kind, entity.parent, entity.id) in self.created:
                self._state(entity, found)
            return
        if not self.source.codec.stores_secrets:
            entity = with_target_credentials(entity, found)
        written = merge_existing_metadata(self._written(entity), found, self.fit.capabilities)
        wanted = normalize_entity(written)
        present = normalize_written_fields(remove_owner_secrets(found))
        if self.codec.is_unproven(written) and not diff_objects(
            normalize_entity(self._surely(entity)), present
        ):
            return  # it was refused as it was tried, and written in the sure form
        wanted.pop("sha256", None)  # bytes are proven by reading them, not by what a listing says
        kept = {
            *self.kept_fields.get((entity.kind, entity.parent, entity.id), ()),
            *unsupported_fields_of(entity, self.fit.capabilities),
        }
        for path in diff_objects(wanted, present):
            if path.path == "filename" and is_same_filename(path.left, path.right):
                continue  # moved before endings were spelled as vector stores want them
            if re.split(r"[.\[]", path.path)[0] in kept:
                continue
            self.add_finding(
                entity.kind, entity.id, found.id, entity.name, path.path, "differs", path.left, path.right
            )
        named = entity.kind != "message"  # no field of a message names a connection
        for one, other in connections_in_other_project(written.fields, found.fields) if named else ():
            self.add_finding(
                entity.kind, entity.id, found.id, entity.name, "connections", "differs", one, other
            )
        self._state(entity, found)

    def _written(self, entity: Entity) -> Entity:
        """The object as it should stand on the target: adapted, with the target's ids."""
        return self._in_place_of(entity, self.fit)

    def _surely(self, entity: Entity) -> Entity:
        """The same in forms that the service was seen to accept."""
        return self._in_place_of(entity, accepted_forms_only(self.fit))

    def _in_place_of(self, entity: Entity, fit: Target) -> Entity:
        fitted, _ = self.codec.adapt(entity, fit)

        def lookup(kind: str, old: str) -> str | None:
            return self.ids.get((kind, old))

        return self.fit.with_new_ids(remap_references(KINDS[entity.kind], fitted, lookup), lookup)

    def _state(self, entity: Entity, found: Entity) -> None:
        """A store's file that the service failed to take in is there and yet not searchable."""
        status = found.facts.get("status")
        wrong = UNUSABLE_REASONS.get((entity.kind, str(status)))
        if wrong and "status" not in self.kept_fields.get((entity.kind, entity.parent, entity.id), ()):
            self.add_finding(entity.kind, entity.id, found.id, entity.name, "status", wrong, "usable", status)
        bad = ("failed", "cancelled")
        if entity.kind == "vector_store_file" and found.facts.get("status") in bad:
            if entity.facts.get("status") in bad:
                return
            why = ingestion_error(found.facts)
            self.add_finding(
                entity.kind, entity.id, found.id, "", "status", f"the service could not ingest it: {why}"
            )

    def add_finding(
        self, kind: str, source: str, target: str, name: str, path: str, reason: str, *values: object
    ) -> None:
        self.result.findings.append(VerifyFinding(kind, source, target, name, path, reason, *values))
