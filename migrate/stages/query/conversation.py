"""Read a thread, or a window of it, as a conversation: messages, runs with tool calls, files, new ids.

A window costs what is in it and a few reads more, however long the thread is. The messages of a whole thread
are read in windows, so that memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from migrate.archive.hashes import storable_text
from migrate.archive.id_map import Side, new_ids_of
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs import CODECS, DecodeContext
from migrate.model import Entity
from migrate.model.json_paths import value_at
from migrate.model.member_limit import MemberLimit, cut_members
from migrate.model.message import ITEM_ROLE
from migrate.model.results.archive import StoredBody
from migrate.model.results.conversation import (
    Conversation,
    ConversationHead,
    ConversationMessage,
    ConversationPart,
    NewId,
    TranscriptSummary,
)
from migrate.model.secrets import mask_text
from migrate.model.thread_summary import agent_of_body
from migrate.model.utc_time import ISO_SECONDS, utc_text
from migrate.stages.query.bounded_bodies import BoundedBodies, BoundedBody
from migrate.stages.query.item_parts import item_parts
from migrate.stages.query.masked_conversation import masked, masked_metadata
from migrate.stages.query.message_parts import (
    FileLookup,
    as_text,
    raw_parts,
    read_attachments,
    read_part,
    role_of,
)
from migrate.stages.query.named_objects import NamedObjects
from migrate.stages.query.thread_runs import PlacedRuns, ThreadRuns
from migrate.stages.query.thread_words import words_of_messages

# Messages that are read at once: few at first, since who asks may stop after some long ones.
FIRST_WINDOW_MESSAGES, WINDOW_MESSAGES = 20, 200
# Characters of the messages of such a window, unless one has more.
MAX_WINDOW_CHARS = 500_000
# Members of the bodies of a conversation that is read for one page or one answer.
PAGE_MEMBERS = MemberLimit(200, 5_000)
# Messages at the end of a thread whose assistants are in its head.
MAX_NEWEST_MESSAGES = 20


def read_conversation(
    snapshot: SnapshotReader,
    thread: str,
    first: int = 1,
    count: int | None = None,
    limit: MemberLimit | None = None,
) -> Conversation | None:
    """The conversation of a thread, or None when the snapshot has no such thread. `first`: number of the
    first message, from 1; `count`: how many messages; None for all. `limit`: members of each body that are
    read; what is left out is said."""
    return ConversationReader(snapshot, limit).read(thread, first, count)


class ConversationReader:
    """Reads threads of one snapshot. What it finds out about files and assistants serves all threads."""

    def __init__(self, snapshot: SnapshotReader, limit: MemberLimit | None = None) -> None:
        self._snapshot, self._limit = snapshot, limit
        self._source = Side(snapshot.info.type, snapshot.info.url)
        self.named = NamedObjects(snapshot)
        self._last: _Thread | None = None

    def read(self, thread: str, first: int = 1, count: int | None = None) -> Conversation | None:
        """The conversation of a thread, see `read_conversation`."""
        body = self.find(thread)
        return None if body is None else self.read_body(body, first, count)

    def find(self, thread: str) -> StoredBody | None:
        """The body of a thread, or None when the snapshot has no such thread."""
        return self._snapshot.body_of("thread", storable_text(thread))

    def read_body(self, body: StoredBody, first: int = 1, count: int | None = None) -> Conversation:
        """The conversation of a thread whose body was read already."""
        thread = self._thread(body)
        start = max(first, 1) - 1
        end = len(thread.messages) if count is None else min(start + max(count, 0), len(thread.messages))
        is_last = end == len(thread.messages)
        trailing = thread.runs.trailing() if is_last else PlacedRuns(())
        runs = masked(trailing.runs)
        return Conversation(thread.head, thread.read(start, end), runs, trailing.left_out)

    def summarize(self, body: StoredBody) -> TranscriptSummary:
        """A thread in one line of a list. Reads a few messages at both ends."""
        return self._thread(body).summary()

    def _thread(self, body: StoredBody) -> _Thread:
        """A thread; one that is asked for again at once is not looked up again."""
        if self._last is None or self._last.body is not body:
            self._last = _Thread(self._snapshot, self._source, self.named, body, self._limit)
        return self._last


class _Thread:
    """One thread of a snapshot."""

    def __init__(
        self,
        snapshot: SnapshotReader,
        source: Side,
        named: NamedObjects,
        body: StoredBody,
        limit: MemberLimit | None,
    ) -> None:
        self._snapshot, self._source, self._named, self.body = snapshot, source, named, body
        self._facts = body if limit is None else cut_members(body, limit)[0]
        self._id = id_ = storable_text(as_text(body.get("id")))
        self._decode = CODECS[snapshot.info.type].decode
        self._gaps = snapshot.missing_below("message", id_)
        self.messages = BoundedBodies(snapshot.listing_bodies("message", id_), limit)
        self.runs = ThreadRuns(snapshot, id_, self.messages, named, limit)

    @cached_property
    def head(self) -> ConversationHead:
        """The facts about the thread."""
        info, body = self._snapshot.info, self._facts
        return ConversationHead(
            id=self._id,
            created_at=utc_text(body.get("created_at"), ISO_SECONDS),
            metadata=masked_metadata(body.get("metadata")),
            snapshot=info.id,
            estate_type=info.type,
            url=info.url,
            count=len(self.messages),
            gap=self._snapshot.message_gap(self._id),
            assistants=self._newest_assistants(),
            new_ids=self._new_ids("thread", "", (self._id,)).get(self._id, ()),
            notes=tuple(self._unread_runs()),
        )

    def summary(self) -> TranscriptSummary:
        """The thread in one line of a list."""
        count = len(self.messages)
        newest = self.messages.read(count - 1) if count else {}
        head = self.head
        return TranscriptSummary(
            id=self._id,
            first_words=words_of_messages(self.messages),
            created_at=head.created_at,
            newest_at=utc_text(newest.get("created_at"), ISO_SECONDS) or head.created_at,
            count=count,
            assistants=head.assistants,
            gap=head.gap,
        )

    def read(self, start: int, end: int) -> Iterator[ConversationMessage]:
        """The messages from one place to another, counted from 0."""
        stop, size = start, FIRST_WINDOW_MESSAGES
        while stop < end:
            begin, read = stop, self._window(stop, min(stop + size, end))
            stop, size = begin + len(read), min(2 * size, WINDOW_MESSAGES)
            ids = [as_text(row.body.get("id")) for row in read]
            new_ids = self._new_ids("message", self._id, ids)
            for number, (runs, row, id_) in enumerate(
                zip(self.runs.window(begin, stop), read, ids, strict=True), begin + 1
            ):
                yield self._message(number, row, runs, new_ids.get(storable_text(id_), ()))

    def _window(self, start: int, end: int) -> list[BoundedBody]:
        """The bodies from one place to another, or fewer where they are long, but at least one."""
        rows: list[BoundedBody] = []
        room = MAX_WINDOW_CHARS
        for place in range(start, end):
            rows.append(self.messages.measure(place))
            room -= rows[-1].chars
            if room < 0:
                break
        return rows

    def _message(
        self, number: int, row: BoundedBody, placed: PlacedRuns, new_ids: tuple[NewId, ...]
    ) -> ConversationMessage:
        body = row.body
        entity = self._decode("message", body, self._id, DecodeContext())[0]
        role = role_of(entity)
        assistant, version = ("", "") if role == "user" else message_author(body)
        return ConversationMessage(
            number=number,
            id=entity.id,
            at=utc_text(entity.facts.get("created_at"), ISO_SECONDS),
            role="" if role == ITEM_ROLE else mask_text(role),
            assistant=self._named.author(assistant),
            assistant_id=assistant,
            status=mask_text(_status(entity)),
            parts=masked(tuple(conversation_parts(entity, self._named.file))),
            attachments=masked(tuple(read_attachments(entity, self._named.file))),
            metadata=masked_metadata(entity.fields.get("metadata")),
            runs=masked(placed.runs),
            new_ids=new_ids,
            assistant_version=version,
            gaps=tuple(self._gaps.get(storable_text(entity.id), ())),
            left_out=row.left_out,
            runs_left_out=placed.left_out,
        )

    def _newest_assistants(self) -> tuple[tuple[str, str], ...]:
        last = range(len(self.messages) - 1, max(-1, len(self.messages) - 1 - MAX_NEWEST_MESSAGES), -1)
        authors = (message_author(self.messages.read(place))[0] for place in last)
        ids = dict.fromkeys(filter(None, (*self.runs.newest_assistant_ids, *authors)))
        return tuple((id_, self._named.author(id_)) for id_ in ids)

    def _unread_runs(self) -> Iterator[str]:
        for kind, words in (("run", "its runs"), ("run_step", "the steps of its runs")):
            state, reason = self._snapshot.listing_state(kind, self._id)
            if state not in ("", "complete"):
                yield f"{words} were not read completely: {reason or state}"

    def _new_ids(self, kind: str, parent: str, ids: Sequence[str]) -> dict[str, tuple[NewId, ...]]:
        found = new_ids_of(self._snapshot.conn, self._source, kind, parent, ids)
        return {
            id_: tuple(NewId(f"{side.type} {side.url}", new) for side, new in targets.items())
            for id_, targets in found.items()
        }


def conversation_parts(message: Entity, find_file: FileLookup) -> Iterator[ConversationPart]:
    """The parts of a message, or of an item that is no message, in order. Nothing is masked."""
    is_item = message.fields.get("role") == ITEM_ROLE
    for part in raw_parts(message):
        if is_item:
            yield from item_parts(part, find_file)
        else:
            yield read_part(part, find_file)


def message_author(body: StoredBody) -> tuple[str, str]:
    """Id and version of the assistant that a message is from. Items of conversations refer to an agent; an
    item of a user to the agent that was asked."""
    return agent_of_body(body), as_text(value_at(body, "created_by", "agent", "version"))


def _status(message: Entity) -> str:
    """The state of a message, with the reason why it stopped; '' for the usual one."""
    status = as_text(message.facts.get("status"))
    reason = as_text(value_at(message.facts, "incomplete_details", "reason"))
    return ": ".join(filter(None, ("" if status == "completed" else status, reason)))
