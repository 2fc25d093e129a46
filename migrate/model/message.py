"""A message: who said what, with which files at hand. Its place in the thread is its ordinal."""

from migrate.model.kinds import SERVER_MADE, Kind, Ref

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
    },
    refs=(
        Ref("attachments[].file_id", "file"),
        Ref("content[].image_file.file_id", "file"),
        Ref("content[].text.annotations[].file_citation.file_id", "file"),
        Ref("content[].text.annotations[].file_path.file_id", "file"),
    ),
    stamped=True,
    aliases=("file_ids",),
)
