"""What adapters need to know of an estate and its target, and the objects as they will be on the target.

Plan, apply, verify and rollback use the same functions, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace

from migrate.codecs import Capabilities, Codec, Target
from migrate.model import Entity
from migrate.model.file import BYTES_FROM_ORIGINAL
from migrate.model.loss import Loss
from migrate.model.message import count_citations
from migrate.model.references import IdLookup, references_of, remap_references, tool_resource_ids
from migrate.model.results.plan import TargetSettings
from migrate.stages.estate import Estate
from migrate.stages.plan.source_mentions import SourceIds


def adaptation_target(
    source: Estate,
    capabilities: Capabilities,
    settings: TargetSettings,
    blocked: Set[tuple[str, str]],
    bytes_later: bool = False,
) -> Target:
    """The target with all facts that the adapters of objects of `source` need.

    `blocked`: (kind, id) of objects that are not created. It may grow while objects are adapted in the order
    of references."""

    def has(kind: str, id_: str) -> bool:
        is_known = id_ in source.objects(kind) or (kind, id_) in settings.arrived
        return is_known and (kind, id_) not in blocked

    source_ids = SourceIds(source)
    dependencies = AssistantDependencies(source.objects("assistant"), settings.present_assistants)
    return Target(
        capabilities=capabilities,
        source_type=capabilities.service if source.codec.ids_are_keys else source.type,
        stamp_type=source.type,
        models=settings.models,
        connections=settings.connections,
        deployments=settings.deployments,
        target_connections=settings.connections_there,
        names=settings.names,
        reasoning=settings.reasoning,
        bytes_later=bytes_later,
        allow_citations=settings.citations,
        in_place=lambda kind, id_: (kind, id_) in settings.in_place,
        has_call_and_output=lambda thread, call: call in source.paired_calls(thread),
        has=has,
        can_reference=lambda id_, referenced: (
            has("assistant", referenced) and not dependencies.in_cycle(id_, referenced)
        ),
        find_file=source.objects("file").get,
        moves_thread_store=lambda thread: any(
            has("vector_store", store) for store in source.thread_stores.get(thread, ())
        ),
        vector_store_states=lambda id_: source.file_states.get(id_, frozenset()),
        with_new_ids=lambda entity, lookup: (
            source_ids.replace_in(entity, lookup, capabilities) if settings.rewrite_ids else entity
        ),
    )


def accepted_forms_only(target: Target) -> Target:
    """The same target, for forms only that the service was seen to accept.

    A message that was refused in the form that was tried first arrives in this form, so both are compared."""
    return replace(target, allow_unproven=False)


def target_without_citations(target: Target) -> Target:
    """The same target, for messages without citations."""
    return replace(target, allow_citations=False)


def alternative_targets(
    codec: Codec, target: Target, adapted: Entity, citations_may_lack: bool = True
) -> list[Target]:
    """The same target for the other forms in which an adapted message may have been written, in the order in
    which apply tries them. `citations_may_lack`: it may be on the target without its citations."""
    with_citations = [accepted_forms_only(target)] if codec.is_unproven(adapted) else []
    if not (citations_may_lack and count_citations(adapted)):
        return with_citations
    alternatives = [target_without_citations(target)]
    for accepted in with_citations:
        alternatives += [accepted, target_without_citations(accepted)]
    return alternatives


def losses_of_other_form(message: Entity, codec: Codec, target: Target, other: Target) -> list[Loss]:
    """What a message loses in one of the other forms, and not in the form that is tried first."""
    tried = codec.adapt(message, target)[1]
    return [loss for loss in codec.adapt(message, other)[1] if loss not in tried]


def adapted_for_target(entity: Entity, codec: Codec, target: Target, lookup: IdLookup) -> Entity:
    """The object as it will be on the target: adapted, and with ids of the target.

    `lookup`: kind and id on the source -> id on the target, or None, which leaves the id as it is."""
    adapted, _ = codec.adapt(entity, target)
    return with_target_ids(adapted, target, lookup)


def with_target_ids(adapted: Entity, target: Target, lookup: IdLookup) -> Entity:
    """An adapted object with ids of the target, at declared paths and, where requested, in texts."""
    return target.with_new_ids(remap_references(adapted, lookup), lookup)


def replayed_messages(source: Estate, codec: Codec, target: Target, thread: str) -> Iterator[Entity]:
    """`Estate.iter_replayed_messages`, decoded."""
    return (message.entity for message in source.iter_replayed_messages(thread, codec, target))


def without_folded_attachments(existing: Entity, written: Entity, messages: Iterable[Entity]) -> Entity:
    """A thread on the target without what the service added to it.

    The service adds the attachments of messages to the thread: as files for code and, where the thread has no
    store, as a vector store. `written` and `messages` are as they were written, with ids of the target."""
    resources = existing.fields.get("tool_resources") or {}
    if not (resources.get("code_interpreter") or resources.get("file_search")):
        return existing  # nothing was added, so the messages need not be read
    attached: dict[str, set[str]] = {"code_interpreter": set(), "file_search": set()}
    for message in messages:
        for attachment in message.fields.get("attachments") or []:
            for tool in attachment.get("tools") or []:
                attached.setdefault(tool.get("type"), set()).add(str(attachment.get("file_id")))
    own = written.fields.get("tool_resources")
    added = attached["code_interpreter"].difference(tool_resource_ids(own, "code_interpreter"))
    files = [file for file in tool_resource_ids(resources, "code_interpreter") if file not in added]
    resources = {**resources, "code_interpreter": {"file_ids": files}}
    if attached["file_search"] and not (own or {}).get("file_search"):
        resources.pop("file_search", None)
    return existing.with_fields(tool_resources=resources)


def with_snapshot_losses(entity: Entity, losses: list[Loss], source: Estate) -> list[Loss]:
    """The losses of an object, with those that only its snapshot shows."""
    if entity.kind == "file" and entity.fields.get("sha256"):
        blob = source.snapshot.blob(entity.id)
        if blob and blob.origin == BYTES_FROM_ORIGINAL:
            reason = "the bytes come from the folder of originals, matched by name and size"
            return [*losses, Loss("file", entity.id, "bytes", "adapted", reason, "", "", entity.name)]
    return losses


class AssistantDependencies:
    """Which assistants refer to which, as connected agents."""

    def __init__(self, assistants: Mapping[str, Entity], present: Set[str] = frozenset()) -> None:
        """`present`: assistants that the target has, so that nothing waits for them."""
        self._references = {
            id_: {
                referenced
                for _, kind, referenced in references_of(entity)
                if kind == "assistant" and referenced in assistants and referenced not in present
            }
            for id_, entity in assistants.items()
        }

    def in_cycle(self, id_: str, referenced: str) -> bool:
        """Whether `referenced` leads back to `id_`: then neither can be created first."""
        if referenced not in self._references.get(id_, ()):
            return False
        seen: set[str] = set()
        waiting = [referenced]
        while waiting:
            current = waiting.pop()
            if current == id_:
                return True
            if current not in seen:
                seen.add(current)
                waiting += self._references.get(current, ())
        return False

    def waves(self) -> Iterator[list[str]]:
        """Ids in groups: each refers only to ids of earlier groups, except within cycles."""
        needed = {
            id_: {referenced for referenced in references if not self.in_cycle(id_, referenced)}
            for id_, references in self._references.items()
        }
        done: set[str] = set()
        while len(done) < len(needed):
            wave = [id_ for id_, references in needed.items() if id_ not in done and references <= done]
            yield wave
            done.update(wave)
