"""What the rules of adapting need to know of an estate: which objects will arrive, and who holds what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from migrate.codecs import Profile, Target
from migrate.model import Entity
from migrate.model.loss import Loss
from migrate.stages.estate import Estate


def fitting(
    source: Estate, profile: Profile, models: Mapping[str, str], blocked: Set[tuple[str, str]]
) -> Target:
    """The surroundings of every object of `source`. `blocked` may grow while objects are walked in
    the order of references: what it names by then has no counterpart."""

    def has(kind: str, id_: str) -> bool:
        return id_ in source.of(kind) and (kind, id_) not in blocked

    stores_of: dict[str, list[str]] = {}
    for thread in source.threads():
        found = ((thread.fields.get("tool_resources") or {}).get("file_search") or {}).get("vector_store_ids")
        if found:
            stores_of[thread.id] = [str(store) for store in found]

    def thread_finds(thread: str, file: str) -> bool:
        return any(
            has("vector_store", store) and file in source.store_files[store]
            for store in stores_of.get(thread, ())
        )

    return Target(
        profile=profile,
        source_type=source.type,
        models=models,
        has=has,
        file_named=source.of("file").get,
        thread_finds=thread_finds,
    )


def without_own_store(there: Entity, thread: Entity, messages: Iterable[Entity]) -> Entity:
    """A thread on the target without the vector store that the service itself made for it: attachments
    to be searched call for one where the thread brings none."""
    if (thread.fields.get("tool_resources") or {}).get("file_search"):
        return there
    tools = [
        tool for m in messages for a in m.fields.get("attachments") or [] for tool in a.get("tools") or []
    ]
    if not any(tool.get("type") == "file_search" for tool in tools):
        return there
    resources = {k: v for k, v in (there.fields.get("tool_resources") or {}).items() if k != "file_search"}
    return there.with_fields(tool_resources=resources)


def with_plan_losses(entity: Entity, losses: list[Loss], source: Estate) -> list[Loss]:
    """The losses of an object, with those that only its snapshot can tell."""
    if entity.kind == "file" and entity.fields.get("sha256"):
        blob = source.snapshot.blob(entity.id)
        if blob and blob.origin == "original":
            reason = "the bytes come from the folder of originals, matched by name and size"
            return [*losses, Loss("file", entity.id, "bytes", "adapted", reason, "", "", entity.name)]
    return losses
