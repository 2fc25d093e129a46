"""A message: who said what, with which files at hand. Its place in the thread is its ordinal.

A Foundry conversation also holds items that nobody said (a tool call, its result, reasoning). They are
messages whose role is `ITEM_ROLE` and whose one part is the item itself. `phase` says whether an answer is a
remark on the way (`commentary`) or the last word (`final_answer`); only conversations have it.

The references follow the API description of 2026-08: outputs of calls are lists of parts or one picture of a
screen, results of searches name files, and items may bring tools along.
"""

from migrate.model.kinds import SERVER_SET_FACTS, Kind, Ref

# Items that can be written again (recorded), if both halves are there.
FUNCTION_CALL, FUNCTION_CALL_OUTPUT = "function_call", "function_call_output"

# The role of what stands in a conversation and was said by nobody.
ITEM_ROLE = "item"

MESSAGE_KIND = Kind(
    name="message",
    plural="messages",
    parent="thread",
    fields=("role", "content", "phase", "attachments", "metadata"),
    facts={
        **SERVER_SET_FACTS,
        "thread_id": "follows from where it lies",
        "assistant_id": "no service accepts it on writing",
        "run_id": "runs are archived, never replayed",
        "status": "a written message is complete",
        "incomplete_details": "belongs to the run that stopped",
        "completed_at": "set by the server",
        "incomplete_at": "set by the server",
        "service": "made by the service: who created it, where it is kept",
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
    stamped=True,
    aliases=("file_ids",),
)
