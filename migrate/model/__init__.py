"""What an estate is made of, in one form for every generation of the service. Pure: no network, no disk."""

from migrate.model import assistant, file, message, run, thread, vector_store
from migrate.model.entity import JSON, Entity, Key
from migrate.model.kinds import Kind, Ref
from migrate.model.stamp import STAMP

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        file.KIND,
        vector_store.VECTOR_STORE,
        vector_store.VECTOR_STORE_FILE,
        assistant.KIND,
        thread.KIND,
        message.KIND,
        run.RUN,
        run.RUN_STEP,
    )
}
"""Every kind, in the order in which references allow them to be created (a test derives it)."""

__all__ = ["JSON", "KINDS", "STAMP", "Entity", "Key", "Kind", "Ref"]
