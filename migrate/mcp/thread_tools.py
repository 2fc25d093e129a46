"""The tools about threads: a list of them, and the messages of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from migrate.archive.snapshots.history import describe_other_snapshot
from migrate.errors import BadUsage
from migrate.mcp.answers import QUOTED, TextSegment, cut_segments, fill_rows, json_size, quote, shorten_text
from migrate.mcp.message_segments import message_segments, metadata_segment, new_ids_value, run_segments
from migrate.mcp.tools import (
    SNAPSHOT_PARAMETER,
    ArchiveTool,
    ToolParameter,
    ToolRequest,
    WrongToolCall,
    limit_parameter,
)
from migrate.model import JSON
from migrate.model.results.conversation import Conversation, ConversationMessage
from migrate.model.results.text_search import ThreadFilters, ThreadRow
from migrate.model.selection import seconds_of_date
from migrate.model.utc_time import ISO_SECONDS, utc_text
from migrate.stages.object_lookup import ObjectLookup
from migrate.stages.query.conversation import PAGE_MEMBERS, read_conversation
from migrate.stages.query.thread_list import ThreadSort, list_threads

# A message of which less than so many characters would have room begins the next answer instead.
MIN_MESSAGE_ROOM = 300
NO_INDEX_NOTE = (
    "The snapshot is in no index: threads are in the order of their listing, and cannot be filtered. A "
    "person can make an index: assistants-migrate index {}"
)


def list_threads_answer(request: ToolRequest) -> dict[str, JSON]:
    """Threads of a snapshot, sorted and filtered."""
    head, snapshot = request.head(), request.snapshot
    arguments = request.arguments
    assistant = request.text("assistant")
    if assistant:
        assistant = ObjectLookup(snapshot.conn, snapshot).resolve(assistant, ("assistant",))
    filters = ThreadFilters(
        after=_seconds(request, "after"),
        before=_seconds(request, "before"),
        assistant=assistant,
        meta=tuple((arguments.get("metadata") or {}).items()),
        has_files=arguments.get("has_files"),
        has_errors=arguments.get("has_errors"),
    )
    sort: ThreadSort = arguments["sort"]
    cursor, limit = request.text("cursor"), request.number("limit")
    page = list_threads(snapshot, filters, sort, cursor, limit)
    rows, cut = fill_rows(page.rows, _thread_row, limit, request.room(head))
    if cut:  # there was no room for all of them: the cursor behind those that are shown
        page = list_threads(snapshot, filters, sort, cursor, len(rows))
    cursor = page.next_cursor
    note = {} if page.is_indexed else {"index": NO_INDEX_NOTE.format(request.path.name)}
    following = request.next_call(cursor=cursor) if cursor else None
    count = snapshot.count("thread", "")
    return {**head, **note, "threads_in_snapshot": count, "threads": rows, "next": following}


def _seconds(request: ToolRequest, name: str) -> int | None:
    """A date as seconds since 1970, None where it was not given. Raises `WrongToolCall`."""
    date = request.text(name)
    try:
        return seconds_of_date(date) if date else None
    except ValueError:
        raise WrongToolCall(
            f"{name}: {shorten_text(repr(date), 80)} is no date", "write 2026-03-01 or 2026-03-01T12:00:00Z"
        ) from None


def _thread_row(row: ThreadRow) -> dict[str, JSON]:
    times = {"newest_message_at": row.newest_at, "created_at": row.created_at}
    return {
        "id": row.id,
        **{name: utc_text(value, ISO_SECONDS) for name, value in times.items() if value is not None},
        "messages": row.count,
        "has_files": row.has_files,
        "has_errors": row.has_errors,
        **quote(
            first_words=row.first_words,
            assistants=[{"id": id_, "name": name} for id_, name in row.assistants],
            metadata=row.metadata,
            not_complete=row.gap,
        ),
    }


def get_thread_answer(request: ToolRequest) -> dict[str, JSON]:
    """Messages of a thread, from a message and a character on."""
    snapshot, name = request.snapshot, request.text("thread")
    first, offset = request.number("first"), request.number("offset")
    id_ = ObjectLookup(snapshot.conn, snapshot).resolve(name, ("thread",))
    conversation = read_conversation(snapshot, id_, first, request.number("count"), PAGE_MEMBERS)
    if conversation is None:
        raise BadUsage(
            f"snapshot {snapshot.info.id} has no thread {name!r}{describe_other_snapshot(snapshot, name)}",
            todo="list_threads lists threads; list_snapshots lists snapshots",
        )
    head = {**request.head(), **_head_of(conversation)}
    if first == 1 and not offset and conversation.head.metadata:
        facts, _, _ = cut_segments([metadata_segment(conversation.head.metadata)], 0, request.room(head) // 4)
        head[QUOTED] = {**head.get(QUOTED, {}), "metadata": facts}
    rows, following = _message_rows(conversation, offset, request.room(head))
    count = conversation.head.count
    if following is None and first + len(rows) <= count:
        following = {"first": first + len(rows), "offset": 0}
    goes_on = request.next_call(**following) if following else None
    return {**head, "messages": rows, "next": goes_on}


def _head_of(conversation: Conversation) -> dict[str, JSON]:
    head = conversation.head
    return {
        "thread": head.id,
        "created_at": head.created_at or None,
        "message_count": head.count,
        **({"became": new_ids_value(head.new_ids)} if head.new_ids else {}),
        **quote(
            assistants=[{"id": id_, "name": name} for id_, name in head.assistants],
            not_complete=head.gap,
            not_read=list(head.notes),
        ),
    }


def _message_rows(
    conversation: Conversation, offset: int, room: int
) -> tuple[list[JSON], dict[str, JSON] | None]:
    """Messages that have room, and where the next answer continues: None after the last one that was asked
    for."""
    rows: list[JSON] = []
    for message in conversation.messages:
        if rows and room < MIN_MESSAGE_ROOM:
            return rows, {"first": message.number, "offset": 0}
        row, following, room = _cut(_message_facts(message), message_segments(message), offset, room)
        rows.append(row)
        if following is not None:
            return rows, {"first": message.number, "offset": following}
        offset = 0
    # The runs after the last message have a number of their own, so that they can be read in pieces too.
    last = conversation.head.count + 1
    trailing = [segment for run in conversation.trailing_runs for segment in run_segments(run)]
    if trailing:
        if rows and room < MIN_MESSAGE_ROOM:
            return rows, {"first": last, "offset": 0}
        facts = {"number": last, "after_the_last_message": True, **_left_out(conversation.trailing_left_out)}
        row, following, _ = _cut(facts, trailing, offset, room)
        rows.append(row)
        if following is not None:
            return rows, {"first": last, "offset": following}
    return rows, None


def _cut(
    facts: Mapping[str, JSON], segments: Iterable[TextSegment], offset: int, room: int
) -> tuple[dict[str, JSON], int | None, int]:
    """A row with the part of the segments that has room; where the next answer continues, or None; and the
    room that is left."""
    room -= json_size(facts) + 30
    shown, following, room = cut_segments(segments, offset, max(room, 1))
    cut = {"goes_on": True} if following is not None else {}
    own = facts.get(QUOTED, {})
    return {**facts, **cut, QUOTED: {**own, "parts": shown}}, following, room


def _message_facts(message: ConversationMessage) -> dict[str, JSON]:
    return {
        "number": message.number,
        "id": message.id,
        **({"at": message.at} if message.at else {}),
        **_left_out(message.runs_left_out, message.left_out),
        **quote(
            role=message.role or "(item)",
            assistant=message.assistant,
            assistant_id=message.assistant_id,
            status=message.status if message.status not in ("", "completed") else "",
            not_shown_by_the_service=list(message.gaps),
        ),
    }


def _left_out(runs: str, values: int = 0) -> dict[str, JSON]:
    """What of a message and of the runs before it is in no answer, because there is too much of it."""
    of_message = f"{values:,} more values of the message" if values else ""
    words = ", ".join(filter(None, (of_message, runs)))
    return {"left_out": f"{words}; the command `transcript` writes all of it"} if words else {}


THREAD_TOOLS = (
    ArchiveTool(
        "list_threads",
        "List threads",
        "Lists threads (or conversations) of a snapshot: id, times, first words, number of messages, "
        "assistants, metadata. Newest message first, if the archive has an index; the filters need the "
        "index too. At most 100 threads an answer.",
        (
            SNAPSHOT_PARAMETER,
            ToolParameter("after", "text", "Only with a message on or after this date: 2026-03-01."),
            ToolParameter("before", "text", "Only whose newest message is older than this date: 2026-04-01."),
            ToolParameter(
                "assistant", "text", "Only those in which this assistant answered: its id or name."
            ),
            ToolParameter(
                "metadata", "texts by name", "Only with these pairs in their metadata; * stands for any text."
            ),
            ToolParameter("has_files", "yes or no", "Only with files, or only without."),
            ToolParameter("has_errors", "yes or no", "Only with failed runs, or only without."),
            ToolParameter(
                "sort",
                "text",
                "By the newest message, or the order of the listing.",
                default="newest",
                choices=("newest", "oldest", "listed"),
            ),
            limit_parameter("threads", 20, 100),
            ToolParameter("cursor", "text", "Where to continue. `next` of an answer has it."),
        ),
        list_threads_answer,
    ),
    ArchiveTool(
        "get_thread",
        "Read a thread",
        "Returns messages of one thread in order, with roles, times, files, citations, and the runs and "
        "tool calls between them. About 20,000 characters an answer: a longer message is cut, and `next` "
        "continues inside it.",
        (
            ToolParameter("thread", "text", "Its id, or a beginning of its id.", required=True),
            SNAPSHOT_PARAMETER,
            ToolParameter(
                "first", "number", "Number of the first message to return, from 1.", default=1, minimum=1
            ),
            ToolParameter(
                "count", "number", "How many messages at most.", default=20, minimum=1, maximum=100
            ),
            ToolParameter(
                "offset",
                "number",
                "Characters of the first message to skip. `next` of an answer has it.",
                default=0,
            ),
        ),
        get_thread_answer,
    ),
)
