"""A thread (or a Foundry conversation): contains messages in order."""

from migrate.model.kinds import SERVER_SET_FACTS, Kind, Ref

THREAD_KIND = Kind(
    name="thread",
    plural="threads",
    fields=("tool_resources", "metadata"),
    facts=SERVER_SET_FACTS,
    refs=(
        Ref("tool_resources.code_interpreter.file_ids[]", "file"),
        Ref("tool_resources.file_search.vector_store_ids[]", "vector_store"),
    ),
)
