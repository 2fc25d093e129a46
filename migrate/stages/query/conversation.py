"""Read a thread, or a window of it, as a conversation: messages, runs with tool calls, files, new ids.

A window costs what is in it and a few reads more, however long the thread is. The messages of a whole thread
are read in windows, so that memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from migrate.archive.hashes import storable_text
from migrate.archive.id_map import Side, new_ids_of
from migrate.archive.snapshots.reader import ListingBodies, SnapshotReader
from migrate.codecs import CODECS, DecodeContext
from migrate.model import JSON, Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.results.archive import StoredBody
from migrate.model.results.conversation import (
    Conversation,
    ConversationHead,
    ConversationMessage,
    ConversationPart,
    NewId,
    RunRecord,
)
from migrate.model.secrets import mask_texts
from migrate.model.utc_time import ISO_SECONDS, utc_text
from migrate.stages.query.item_parts import item_parts
from migrate.stages.query.masked_conversation import masked_attachment, masked_part, masked_run
from migrate.stages.query.message_parts import FileLookup, as_text, raw_parts, read_attachments, read_part
from migrate.stages.query.named_objects import NamedObjects
from migrate.stages.query.thread_runs import ThreadRuns

# Messages of a whole thread that are read at once.
WINDOW_MESSAGES = 200
# Messages from the end of a thread whose assistants its head names.
MAX_NEWEST_MESSAGES = 20


def read_conversation(
    snapshot: SnapshotReader, thread: str, first: int = 1, count: int | None = None
) -> Conversation | None:
    """The conversation of a thread, or None when the snapshot has no such thread. `first`: number of the
    first message, from 1; `count`: how many messages; None for all."""
    return ConversationReader(snapshot).read(thread, first, count)


class ConversationReader:
    """Reads threads of one snapshot. What it finds out about files and assistants serves all threads."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot
        self._source = Side(snapshot.info.type, snapshot.info.url)
        self.named = NamedObjects(snapshot)

    def read(self, thread: str, first: int = 1, count: int | None = None) -> Conversation | None:
        """The conversation of a thread, see `read_conversation`."""
        id_ = storable_text(thread)
        body = next((body for kind, _, body in self._snapshot.find(id_) if kind == "thread"), None)
        return None if body is None else self.read_body(body, first, count)

    def read_body(self, body: StoredBody, first: int = 1, count: int | None = None) -> Conversation:
        """The conversation of a thread whose body was read already."""
        thread = storable_text(as_text(body.get("id")))
        window = _Thread(self._snapshot, self._source, self.named, thread)
        start = max(first, 1) - 1
        end = len(window.messages) if count is None else min(start + max(count, 0), len(window.messages))
        is_last = end == len(window.messages)
        trailing = tuple(map(masked_run, window.runs.trailing())) if is_last else ()
        return Conversation(window.head(body), window.read(start, end), trailing)


class _Thread:
    """One thread of a snapshot."""

    def __init__(self, snapshot: SnapshotReader, source: Side, named: NamedObjects, id_: str) -> None:
        self._snapshot, self._source, self._named, self._id = snapshot, source, named, id_
        self._decode = CODECS[snapshot.info.type].decode
        self._gaps = snapshot.missing_below("message", id_)
        self.messages: ListingBodies = snapshot.listing_bodies("message", id_)
        self.runs = ThreadRuns(snapshot, id_, self.messages, named)

    def head(self, body: StoredBody) -> ConversationHead:
        """The facts about the thread."""
        info, metadata = self._snapshot.info, body.get("metadata")
        state, reason = self._snapshot.listing_state("message", self._id)
        return ConversationHead(
            id=self._id,
            created_at=utc_text(body.get("created_at"), ISO_SECONDS),
            metadata=_masked_metadata(metadata),
            snapshot=info.id,
            estate_type=info.type,
            url=info.url,
            count=len(self.messages),
            gap="" if state == "complete" else reason or state or "its messages were not read",
            assistants=self._newest_assistants(),
            new_ids=self._new_ids("thread", "", (self._id,)).get(self._id, ()),
            notes=tuple(self._unread_runs()),
        )

    def read(self, start: int, end: int) -> Iterator[ConversationMessage]:
        """The messages from one place to another, counted from 0."""
        for begin in range(start, end, WINDOW_MESSAGES):
            stop = min(begin + WINDOW_MESSAGES, end)
            bodies = [self.messages.read(place) for place in range(begin, stop)]
            ids = [as_text(body.get("id")) for body in bodies]
            new_ids = self._new_ids("message", self._id, ids)
            for place, runs in enumerate(self.runs.window(begin, stop), begin):
                body, id_ = bodies[place - begin], storable_text(ids[place - begin])
                yield self._message(place + 1, body, runs, new_ids.get(id_, ()))

    def _message(
        self, number: int, body: StoredBody, runs: Sequence[RunRecord], new_ids: tuple[NewId, ...]
    ) -> ConversationMessage:
        entity = self._decode("message", body, self._id, DecodeContext())[0]
        role = as_text(entity.fields.get("role", entity.extras.get("role")))
        assistant, version = ("", "") if role == "user" else self._author(entity)
        return ConversationMessage(
            number=number,
            id=entity.id,
            at=utc_text(entity.facts.get("created_at"), ISO_SECONDS),
            role="" if role == ITEM_ROLE else role,
            assistant=self._named.assistant_name(assistant) or assistant,
            assistant_id=assistant,
            status=_status(entity),
            parts=tuple(map(masked_part, conversation_parts(entity, self._named.file))),
            attachments=tuple(map(masked_attachment, read_attachments(entity, self._named.file))),
            metadata=_masked_metadata(entity.fields.get("metadata")),
            runs=tuple(map(masked_run, runs)),
            new_ids=new_ids,
            assistant_version=version,
            gaps=tuple(self._gaps.get(storable_text(entity.id), ())),
        )

    def _author(self, message: Entity) -> tuple[str, str]:
        """Id and version of the assistant that a message is from. Items of conversations name an agent, that
        of a user the one that was asked."""
        service = message.facts.get("service")
        made_by = service.get("created_by") if isinstance(service, Mapping) else None
        agent = made_by.get("agent") if isinstance(made_by, Mapping) else None
        if isinstance(agent, Mapping):
            return as_text(agent.get("name")), as_text(agent.get("version"))
        return as_text(message.facts.get("assistant_id")), ""

    def _newest_assistants(self) -> tuple[tuple[str, str], ...]:
        last = range(len(self.messages) - 1, max(-1, len(self.messages) - 1 - MAX_NEWEST_MESSAGES), -1)
        bodies = (self.messages.read(place) for place in last)
        authors = [
            self._author(self._decode("message", body, self._id, DecodeContext())[0])[0] for body in bodies
        ]
        ids = dict.fromkeys(filter(None, (*self.runs.newest_assistant_ids, *authors)))
        return tuple((id_, self._named.assistant_name(id_) or id_) for id_ in ids)

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


def _status(message: Entity) -> str:
    """The state of a message, with the reason why it stopped; '' for the usual one."""
    status, stopped = as_text(message.facts.get("status")), message.facts.get("incomplete_details")
    reason = as_text(stopped.get("reason")) if isinstance(stopped, Mapping) else ""
    return ": ".join(filter(None, ("" if status == "completed" else status, reason)))


def _masked_metadata(metadata: JSON) -> dict[str, JSON]:
    return dict(mask_texts(metadata)) if isinstance(metadata, Mapping) else {}
