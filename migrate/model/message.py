"""A message: who said what, with which files at hand. Its place in the thread is its ordinal.

A Foundry conversation also holds items that nobody said (a tool call, its result, reasoning). They are
messages whose role is `ITEM` and whose one part is the item itself.
"""

from migrate.model.kinds import SERVER_MADE, Kind, Ref

CALL, RESULT = "function_call", "function_call_output"
"""Items that can be written again (recorded), if both halves are there."""

ITEM = "item"
"""The role of what stands in a conversation and was said by nobody."""

KIND = Kind(
    name="message",
    plural="messages",
    parent="thread",
    fields=("role", "content", "attachments", "metadata"),
    facts={
        **SERVER_MADE,
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
    ),
    stamped=True,
    aliases=("file_ids",),
)
