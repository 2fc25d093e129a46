"""A snapshot decoded into canonical objects: the form in which every stage reads an estate.

Threads and messages are decoded at each access: a decoded thread takes four times the memory of its text, and
there may be 100,000 on each side.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Generic, NamedTuple, TypeVar, overload

from migrate.archive.connections import SqlConnection
from migrate.archive.id_map import Side
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs import CODECS, Codec, DecodeContext, Target, TextMessage
from migrate.codecs.foundry.items import is_writable_call
from migrate.model import JSON, KINDS, Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.references import tool_resource_ids
from migrate.model.results.archive import StoredBody
from migrate.model.selection import filter_reason
from migrate.model.served_version import NEWEST_VERSION, SERVED_VERSION, with_served_version
from migrate.model.shard import Shard

_T = TypeVar("_T")
_S = TypeVar("_S")


class LazySequence(Sequence[_T], Generic[_T]):
    """A sequence whose members are read at each access: `read` is called with one of `places`."""

    def __init__(self, read: Callable[[int], _T], places: Sequence[int]) -> None:
        self._read, self._places = read, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> _T: ...
    @overload
    def __getitem__(self, index: slice) -> LazySequence[_T]: ...
    def __getitem__(self, index: int | slice) -> _T | LazySequence[_T]:
        if isinstance(index, slice):
            return LazySequence(self._read, self._places[index])
        return self._read(self._places[index])

    def select(self, indexes: Sequence[int]) -> LazySequence[_T]:
        """The members at some indexes."""
        return LazySequence(self._read, [self._places[n] for n in indexes])

    def map(self, function: Callable[[_T], _S]) -> LazySequence[_S]:
        """The results of a function for each member, called at each access."""
        read = self._read
        return LazySequence(lambda place: function(read(place)), self._places)


class LazyEntities(Mapping[str, Entity]):
    """Objects of one kind by id, in the order of their bodies. Stored as JSON text, decoded at each
    access."""

    def __init__(self, bodies: Iterable[JSON], decode: Callable[[JSON], Entity]) -> None:
        self._decode = decode
        self._texts = {decode(body).id: _text(body) for body in bodies}

    def __getitem__(self, id_: str) -> Entity:
        return self._decode(json.loads(self._texts[id_]))

    def __contains__(self, id_: object) -> bool:
        return id_ in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _text(body: JSON) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


# Kinds of which all objects are kept in memory; threads and messages are read one at a time.
IN_MEMORY_KINDS = ("file", "vector_store", "assistant")


class Estate:
    """One snapshot, decoded. Several threads may use it if they may use the snapshot.

    `is_live`: it was read just now to be compared, and is not kept. `names_are_ids`: ids of assistants are
    names, so an equal id in another project proves nothing. `agent_version`: which version of an agent is
    decoded, the newest or the one that most users get; set before any assistant is accessed. `journal`: the
    database whose journal tells what was created from its objects: its own archive, unless a drill keeps a
    journal of its own."""

    def __init__(self, snapshot: SnapshotReader, live: bool = False) -> None:
        self.snapshot = snapshot
        self.is_live = live
        self.type = snapshot.info.type
        self.side = Side(snapshot.info.type, snapshot.info.url)
        self.codec = CODECS[self.type]
        self.names_are_ids = self.codec.assign_names is not None
        self._paired_calls_by_thread: dict[str, frozenset[str]] = {}
        self._places: dict[str, list[int]] = {}
        self.agent_version = NEWEST_VERSION
        self.journal: SqlConnection = snapshot.conn

    def objects(self, kind: str) -> Mapping[str, Entity]:
        """All objects of a kind without a parent by id, in the order of their listing. Threads are decoded at
        each access; `entities` is cheaper where each is needed once."""
        return self.threads_by_id if kind == "thread" else self._small[kind]

    def entities(self, kind: str, parent: str = "") -> Iterator[Entity]:
        """The objects of a kind, or below one parent, in the order of their listing, one at a time."""
        if KINDS[kind].parent:
            return self.iter_members(kind, parent)
        return self.iter_threads() if kind == "thread" else iter(self._small[kind].values())

    def members(self, kind: str, parent: str) -> list[Entity]:
        """The objects below one parent, in order: messages of a thread, files of a store."""
        return list(self.iter_members(kind, parent))

    def iter_members(self, kind: str, parent: str) -> Iterator[Entity]:
        """The objects below one parent, one at a time: a thread may have 100,000 messages."""
        yield from self._iter_decoded(kind, parent)
        yield from (e for e in self._derived if e.kind == kind and e.parent == parent)

    def lazy_members(self, kind: str, parent: str) -> LazySequence[Entity]:
        """The objects below one parent by position, each decoded when it is accessed."""
        if any((e.kind, e.parent) == (kind, parent) for e in self._derived):
            members = self.members(kind, parent)
            return LazySequence(members.__getitem__, range(len(members)))
        placed = self.snapshot.listing_bodies(kind, parent)
        return LazySequence(lambda n: self.decode(kind, placed.read(n), parent), range(len(placed)))

    def lazy_messages(self, thread: str) -> LazySequence[LazyMessage]:
        """The messages of a thread by position, each read when it is accessed."""
        placed = self.snapshot.listing_bodies("message", thread)
        return LazySequence(lambda n: self.lazy_message(thread, placed.read(n)), range(len(placed)))

    def iter_lazy_messages(self, thread: str) -> Iterator[LazyMessage]:
        """The messages of a thread in order; each is decoded only when its `entity` is accessed."""
        if thread in self._places:
            yield from self.lazy_messages(thread).select(self._places[thread])
            return
        for _, body in self.snapshot.bodies("message", thread):
            yield self.lazy_message(thread, body)

    def iter_replayed_messages(self, thread: str, codec: Codec, target: Target) -> Iterator[LazyMessage]:
        """Those that are written to a target, in order: the same for plan, apply and verify. `codec`: of the
        target. `text_message` is set only where the text arrives unchanged."""
        for message in self.iter_lazy_messages(thread):
            if message.text_message and message.text_message.fits(target.capabilities):
                yield message
            elif not codec.why_not_replayed(message.entity, target):
                yield message._replace(text_message=None)

    def set_message_order(self, thread: str, ids: Iterable[str]) -> None:
        """From now on `iter_lazy_messages` returns the messages of a thread in this order, others last."""
        self._places.pop(thread, None)
        ranks = {id_: n for n, id_ in enumerate(ids)}
        listed = [message.id for message in self.iter_lazy_messages(thread)]
        self._places[thread] = sorted(range(len(listed)), key=lambda n: ranks.get(listed[n], len(ranks)))

    def lazy_message(self, thread: str, body: StoredBody) -> LazyMessage:
        """A message that is decoded only when its `entity` is accessed."""
        return LazyMessage(self, thread, body, self.codec.text_message(body))

    def decode(self, kind: str, body: StoredBody, parent: str) -> Entity:
        """A body of this estate in canonical form."""
        context = self._decode_context if kind == "message" else None
        return self.codec.decode(kind, body, parent, context)[0]

    def iter_threads(self) -> Iterator[Entity]:
        """Every thread, in order."""
        return self._iter_decoded("thread", "")

    @cached_property
    def threads_by_id(self) -> Mapping[str, Entity]:
        """Every thread by id."""
        bodies = (body for _, body in self.snapshot.bodies("thread", ""))
        return LazyEntities(bodies, lambda body: self.codec.decode("thread", body, "", None)[0])

    def is_complete(self, kind: str, parent: str = "") -> bool:
        """Whether a listing was read to its end."""
        return self.snapshot.listing_state(kind, parent)[0] == "complete" or parent in {
            e.id for e in self._derived if e.kind == KINDS[kind].parent
        }

    def why_filtered(self, kind: str) -> str:
        """Why the snapshot has only some objects of a kind although its listing was read, or ''."""
        options = self.snapshot.info.options
        shard = Shard.from_options(options)
        return (shard.why_not_read(kind) if shard else "") or filter_reason(options, kind)

    def paired_calls(self, thread: str) -> frozenset[str]:
        """Ids of the tool calls in a thread that can be written: both the call and its output exist."""
        if thread not in self._paired_calls_by_thread:
            self._paired_calls_by_thread[thread] = self._paired_calls(thread)
        return self._paired_calls_by_thread[thread]

    def _paired_calls(self, thread: str) -> frozenset[str]:
        halves: dict[str, set[str]] = {}
        for message in self.iter_members("message", thread):
            if message.fields.get("role") == ITEM_ROLE:
                item = message.fields["content"][0]
                if is_writable_call(item):
                    halves.setdefault(item["call_id"], set()).add(item["type"])
        return frozenset(call for call, types in halves.items() if len(types) == 2)

    @cached_property
    def store_files(self) -> dict[str, frozenset[str]]:
        """Store id -> ids of the files in it."""
        return {
            store: frozenset(str(e.fields["file_id"]) for e in self.members("vector_store_file", store))
            for store in self.objects("vector_store")
        }

    @cached_property
    def thread_stores(self) -> dict[str, list[str]]:
        """Thread id -> ids of the vector stores that it searches, of threads that have some."""
        stores = (
            (thread.id, tool_resource_ids(thread.fields.get("tool_resources"), "file_search"))
            for thread in self.iter_threads()
        )
        return {thread: ids for thread, ids in stores if ids}

    @cached_property
    def file_states(self) -> dict[str, frozenset[str]]:
        """File id -> its states in the vector stores that contain it."""
        states_by_file: dict[str, set[str]] = {}
        for store in self.objects("vector_store"):
            for row in self.iter_members("vector_store_file", store):
                id_, state = str(row.fields["file_id"]), str(row.facts.get("status") or "")
                states_by_file.setdefault(id_, set()).add(state)
        return {id_: frozenset(states) for id_, states in states_by_file.items()}

    @cached_property
    def _small(self) -> dict[str, dict[str, Entity]]:
        entities = {
            kind: chain(self._iter_decoded(kind, ""), self._derived)
            for kind in IN_MEMORY_KINDS
            if kind != "assistant"
        }
        entities["assistant"] = chain.from_iterable(self._assistants)
        return {kind: {e.id: e for e in entities[kind] if e.kind == kind} for kind in IN_MEMORY_KINDS}

    @cached_property
    def _derived(self) -> list[Entity]:
        """Objects that have no body of their own and follow from assistants (the stores of v1 retrieval)."""
        return [entity for _, *derived in self._assistants for entity in derived]

    @cached_property
    def _assistants(self) -> list[list[Entity]]:
        """Each assistant, followed by the objects that are derived from it."""
        bodies = self.snapshot.bodies("assistant", "")
        if self.agent_version == SERVED_VERSION:
            bodies = ((parent, with_served_version(body)) for parent, body in bodies)
        return [self.codec.decode("assistant", body, "", None) for _, body in bodies]

    @cached_property
    def _decode_context(self) -> DecodeContext:
        used = {
            tool.get("type")
            for assistant in self.objects("assistant").values()
            for tool in assistant.fields.get("tools") or []
        }
        tools = tuple(tool for tool in ("code_interpreter", "file_search") if tool in used)
        return DecodeContext(tools) if tools else DecodeContext()

    def _iter_decoded(self, kind: str, parent: str) -> Iterator[Entity]:
        for parent_id, body in self.snapshot.bodies(kind, parent):
            entity = self.decode(kind, body, parent_id)
            yield self._with_hash(entity) if kind == "file" else entity

    def _with_hash(self, file: Entity) -> Entity:
        blob = self.snapshot.blob(file.id)
        if blob is None or (not self.codec.files_immutable and file.fields.get("sha256") != blob.sha256):
            return file  # earlier the directory had other bytes under the same key
        facts = {**file.facts, "bytes_from": blob.origin, "bytes_reported": file.fields.get("bytes")}
        fields = {**file.fields, "sha256": blob.sha256, "bytes": blob.size}
        return Entity("file", file.id, file.parent, fields, facts, file.extras)


class LazyMessage(NamedTuple):
    """A message of an estate. `text_message`: its text where it is plain text, else None."""

    estate: Estate
    thread: str
    body: StoredBody
    text_message: TextMessage | None

    @property
    def id(self) -> str:
        return str(self.body.get("id", ""))

    @property
    def entity(self) -> Entity:
        """The message in canonical form."""
        return self.estate.decode("message", self.body, self.thread)
