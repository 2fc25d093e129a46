"""What the rules of adapting need to know of an estate: which objects will arrive, and who holds what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace

from migrate.codecs import Capabilities, Codec, Target
from migrate.model import KINDS, Entity
from migrate.model.file import BYTES_FROM_ORIGINAL
from migrate.model.loss import Loss
from migrate.model.references import IdLookup, references_of, remap_references
from migrate.model.results.plan import TargetSettings
from migrate.stages.estate import Estate, LazyMessage
from migrate.stages.plan.source_mentions import SourceIds


def adaptation_target(
    source: Estate, capabilities: Capabilities, decided: TargetSettings, blocked: Set[tuple[str, str]]
) -> Target:
    """The surroundings of every object of `source`. `blocked` may grow while objects are walked in
    the order of references: what it names by then has no counterpart."""

    def has(kind: str, id_: str) -> bool:
        here = id_ in source.objects(kind) or (kind, id_) in decided.arrived
        return here and (kind, id_) not in blocked

    stores_of: dict[str, list[str]] = {}
    for thread in source.iter_threads():
        found = ((thread.fields.get("tool_resources") or {}).get("file_search") or {}).get("vector_store_ids")
        if found:
            stores_of[thread.id] = [str(store) for store in found]

    def thread_searches(thread: str) -> bool:
        return any(has("vector_store", store) for store in stores_of.get(thread, ()))

    old_ids = SourceIds(source)

    def with_new_ids(entity: Entity, lookup: IdLookup) -> Entity:
        return old_ids.replaced(entity, lookup, capabilities) if decided.rewrite_ids else entity

    named = AssistantDependencies(source.objects("assistant"))
    return Target(
        capabilities=capabilities,
        source_type=capabilities.service if source.codec.ids_are_keys else source.type,
        stamp_type=source.type,
        models=decided.models,
        connections=decided.connections,
        deployments=decided.deployments,
        connections_there=decided.connections_there,
        names=decided.names,
        reasoning=decided.reasoning,
        bytes_later=decided.bytes_later,
        in_place=lambda kind, id_: (kind, id_) in decided.in_place,
        has_call_and_output=lambda thread, call: call in source.paired_calls(thread),
        has=has,
        can_reference=lambda one, other: has("assistant", other) and not named.in_circle(one, other),
        find_file=source.objects("file").get,
        moves_thread_store=thread_searches,
        vector_store_states=lambda id_: source.file_states.get(id_, frozenset()),
        with_new_ids=with_new_ids,
    )


def accepted_forms_only(fit: Target) -> Target:
    """The same surroundings, where only forms are written that the service was seen to accept. A message that
    was refused as it was tried arrives in this form, so it is looked for in either."""
    return replace(fit, allow_unproven=False)


def adapted_for_target(entity: Entity, codec: Codec, target: Target, lookup: IdLookup) -> Entity:
    """The object as it will stand on the target: adapted, and with ids of the target.

    `lookup`: kind and id on the source -> id on the target, or None, which leaves the id as it is."""
    adapted, _ = codec.adapt(entity, target)
    return with_target_ids(adapted, target, lookup)


def with_target_ids(adapted: Entity, target: Target, lookup: IdLookup) -> Entity:
    """An adapted object with ids of the target, at declared paths and, where requested, in texts."""
    return target.with_new_ids(remap_references(KINDS[adapted.kind], adapted, lookup), lookup)


def replayed_messages(source: Estate, codec: Codec, fit: Target, thread: str) -> Iterator[Entity]:
    """The messages of a thread that are replayed, in order. Planning, writing and verifying must all
    walk the same ones."""
    return (message.entity for message in iter_messages(source, codec, fit, thread))


def iter_messages(source: Estate, codec: Codec, fit: Target, thread: str) -> Iterator[LazyMessage]:
    """The same, decoded where somebody looks; `words` only where they arrive just so."""
    for message in source.iter_lazy_messages(thread):
        if message.text_message and message.text_message.fits(fit.capabilities):
            yield message
        elif not codec.why_not_replayed(message.entity, fit):
            yield message._replace(text_message=None)


def without_folded_attachments(there: Entity, thread: Entity, messages: Iterable[Entity]) -> Entity:
    """A thread on the target without what the service itself put there: it folds the attachments of
    messages into the thread, as files for code and, where the thread brings none, as a vector store.
    `thread` and `messages` are as they were written, with ids of the target."""
    wanted = thread.fields.get("tool_resources") or {}
    held = there.fields.get("tool_resources") or {}
    if not (held.get("code_interpreter") or held.get("file_search")):
        return there  # nothing was folded in, so nobody needs to look at the messages
    attached: dict[str, set[str]] = {"code_interpreter": set(), "file_search": set()}
    for message in messages:
        for attachment in message.fields.get("attachments") or []:
            for tool in attachment.get("tools") or []:
                attached.setdefault(tool.get("type"), set()).add(str(attachment.get("file_id")))
    resources = dict(held)
    own = set((wanted.get("code_interpreter") or {}).get("file_ids") or [])
    code = (resources.get("code_interpreter") or {}).get("file_ids") or []
    resources["code_interpreter"] = {
        "file_ids": [f for f in code if f in own or f not in attached["code_interpreter"]]
    }
    if attached["file_search"] and not wanted.get("file_search"):
        resources.pop("file_search", None)
    return there.with_fields(tool_resources=resources)


def with_snapshot_losses(entity: Entity, losses: list[Loss], source: Estate) -> list[Loss]:
    """The losses of an object, with those that only its snapshot can tell."""
    if entity.kind == "file" and entity.fields.get("sha256"):
        blob = source.snapshot.blob(entity.id)
        if blob and blob.origin == BYTES_FROM_ORIGINAL:
            reason = "the bytes come from the folder of originals, matched by name and size"
            return [*losses, Loss("file", entity.id, "bytes", "adapted", reason, "", "", entity.name)]
    return losses


class AssistantDependencies:
    """Who names whom among the assistants of an estate."""

    def __init__(self, assistants: Mapping[str, Entity]) -> None:
        form = KINDS["assistant"]
        self._names = {
            id_: {o for _, kind, o in references_of(form, entity) if kind == "assistant" and o in assistants}
            for id_, entity in assistants.items()
        }

    def in_circle(self, one: str, other: str) -> bool:
        """Whether `other` leads back to `one`: then neither can be made first."""
        seen: set[str] = set()
        waiting = [other]
        while waiting:
            at = waiting.pop()
            if at == one:
                return True
            if at not in seen:
                seen.add(at)
                waiting += self._names.get(at, ())
        return False

    def waves(self) -> Iterator[list[str]]:
        """Ids in groups: each names only ids of earlier groups, circles apart."""
        needed = {
            id_: {other for other in others if not self.in_circle(id_, other)}
            for id_, others in self._names.items()
        }
        done: set[str] = set()
        while len(done) < len(needed):
            wave = [id_ for id_, others in needed.items() if id_ not in done and others <= done]
            yield wave
            done.update(wave)
