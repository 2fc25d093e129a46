"""The objects of an estate, in one form for every generation of the service. Pure: no network, no disk."""

from migrate.model import assistant, file, message, run, thread, vector_store
from migrate.model.entity import JSON, Entity, EntityKey
from migrate.model.kinds import Kind, Ref
from migrate.model.stamp import STAMP

# Every kind, in the order in which objects can be created: what is referred to comes first (tested).
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        file.FILE_KIND,
        vector_store.VECTOR_STORE,
        vector_store.VECTOR_STORE_FILE_KIND,
        assistant.ASSISTANT_KIND,
        thread.THREAD_KIND,
        message.MESSAGE_KIND,
        run.RUN_KIND,
        run.RUN_STEP_KIND,
    )
}

__all__ = ["JSON", "KINDS", "STAMP", "Entity", "EntityKey", "Kind", "Ref"]
