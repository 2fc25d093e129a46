"""A message: role, content and attached files. Its order in the thread is the order of the listing.

A Foundry conversation also has items that are not messages (a tool call, its result, reasoning). Here they
are messages with the role `ITEM_ROLE` whose only part is the item itself. `phase` says whether an answer is a
remark before the end (`commentary`) or the last one (`final_answer`); only conversations have it.

The references follow the API description of 2026-08: the output of a call is a list of parts or one
screenshot, results of searches refer to files, and items may contain tools.
"""

from collections.abc import Iterator

from migrate.model.entity import JSON, Entity
from migrate.model.json_paths import value_at
from migrate.model.kinds import SERVER_SET_FACTS, Kind, Ref

# Items that can be written again (recorded), if both the call and its output exist.
FUNCTION_CALL, FUNCTION_CALL_OUTPUT = "function_call", "function_call_output"

# The role of an item of a conversation that is not a message.
ITEM_ROLE = "item"

MESSAGE_KIND = Kind(
    name="message",
    plural="messages",
    parent="thread",
    fields=("role", "content", "phase", "attachments", "metadata"),
    facts={
        **SERVER_SET_FACTS,
        "thread_id": "follows from its thread",
        "assistant_id": "no service accepts it on writing",
        "run_id": "runs are archived, never replayed",
        "status": "a message that is written is complete",
        "incomplete_details": "belongs to the run that stopped",
        "completed_at": "set by the server",
        "incomplete_at": "set by the server",
        "service": "set by the service: who created it, where it is stored",
    },
    refs=(
        Ref("attachments[].file_id", "file"),
        Ref("content[].image_file.file_id", "file"),
        Ref("content[].text.annotations[].file_citation.file_id", "file"),
        Ref("content[].text.annotations[].file_path.file_id", "file"),
        Ref("content[].text.annotations[].file_id", "file"),
        Ref("content[].file_id", "file"),
        Ref("content[].output[].file_id", "file"),
        Ref("content[].results[].file_id", "file"),
        Ref("content[].tools[].container.file_ids[]", "file"),
        Ref("content[].tools[].environment.file_ids[]", "file"),
        Ref("content[].tools[].input_image_mask.file_id", "file"),
        Ref("content[].tools[].vector_store_ids[]", "vector_store"),
    ),
    aliases=("file_ids",),
)


def count_citations(message: Entity) -> int:
    """How many citations the texts of a message have."""
    return sum(len(_citations_of(part)) for part in _parts(message))


def without_citations(message: Entity) -> Entity:
    """The message with its texts as they are, without citations."""
    if not count_citations(message):
        return message
    parts = [
        {**part, "text": {**part["text"], "annotations": []}} if _citations_of(part) else part
        for part in _parts(message)
    ]
    return message.with_fields(content=parts)


def _parts(message: Entity) -> Iterator[JSON]:
    content = message.fields.get("content")
    return iter(content) if isinstance(content, list) else iter(())


def _citations_of(part: JSON) -> list[JSON]:
    annotations = value_at(part, "text", "annotations")
    return annotations if isinstance(annotations, list) else []
