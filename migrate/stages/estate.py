"""A snapshot decoded into canonical objects: the form in which every stage sees an estate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Generic, NamedTuple, TypeVar, overload

from migrate.archive.id_map import Side
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.codecs import CODECS, DecodeContext, TextMessage
from migrate.codecs.foundry.items import is_writable_call
from migrate.model import JSON, KINDS, Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.results.archive import StoredBody
from migrate.model.served_version import NEWEST_VERSION, SERVED_VERSION, with_served_version
from migrate.model.shard import Shard
from migrate.model.stamp import read_stamp

_T = TypeVar("_T")
_S = TypeVar("_S")


class LazySequence(Sequence[_T], Generic[_T]):
    """What `read` makes of each of `places`."""

    def __init__(self, read: Callable[[int], _T], places: Sequence[int]) -> None:
        self._read, self._places = read, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> LazySequence[_T]: ...
    def __getitem__(self, at: int | slice) -> _T | LazySequence[_T]:
        if isinstance(at, slice):
            return LazySequence(self._read, self._places[at])
        return self._read(self._places[at])

    def select(self, at: Sequence[int]) -> LazySequence[_T]:
        """Those at some places of it."""
        return LazySequence(self._read, [self._places[n] for n in at])

    def map(self, through: Callable[[_T], _S]) -> LazySequence[_S]:
        """What a function makes of each."""
        read = self._read
        return LazySequence(lambda place: through(read(place)), self._places)


class LazyEntities(Mapping[str, Entity]):
    """Objects of one kind by id, in the order in which they came."""

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


# Kinds that are held in memory; threads and messages are read one at a time.
IN_MEMORY_KINDS = ("file", "vector_store", "assistant")


class Estate:
    """One snapshot, decoded. Threads may share it when they may share the snapshot."""

    def __init__(self, snapshot: SnapshotReader, live: bool = False) -> None:
        self.snapshot = snapshot
        self.is_live = live
        """Read just now, to be compared: nothing of it was kept."""
        self.type = snapshot.info.type
        self.side = Side(snapshot.info.type, snapshot.info.url)
        self.codec = CODECS[self.type]
        self.names_are_ids = self.codec.assign_names is not None
        """Ids of assistants are names here, so a like id in another project proves nothing."""
        self._calls: dict[str, frozenset[str]] = {}
        self._places: dict[str, list[int]] = {}
        self.agent_version = NEWEST_VERSION
        """Which version of an agent is meant: the newest, or the one that most users get. Set before any
        assistant is looked at."""

    def objects(self, kind: str) -> dict[str, Entity]:
        """All objects of a small kind by id, in the order of their listing."""
        return self._small[kind]

    def members(self, kind: str, parent: str) -> list[Entity]:
        """The objects below one parent, in order: messages of a thread, files of a store."""
        return list(self.iter_members(kind, parent))

    def iter_members(self, kind: str, parent: str) -> Iterator[Entity]:
        """The same, one at a time: a thread may hold 100,000 messages."""
        yield from self._iter_decoded(kind, parent)
        yield from (e for e in self._derived if e.kind == kind and e.parent == parent)

    def lazy_members(self, kind: str, parent: str) -> LazySequence[Entity]:
        """The same by place, each decoded when it is asked for."""
        if any((e.kind, e.parent) == (kind, parent) for e in self._derived):
            members = self.members(kind, parent)
            return LazySequence(members.__getitem__, range(len(members)))
        placed = self.snapshot.listing_bodies(kind, parent)
        return LazySequence(lambda n: self.decode(kind, placed.read(n), parent), range(len(placed)))

    def lazy_messages(self, thread: str) -> LazySequence[LazyMessage]:
        """The messages of a thread by place, read when they are asked for."""
        placed = self.snapshot.listing_bodies("message", thread)
        return LazySequence(lambda n: self.lazy_message(thread, placed.read(n)), range(len(placed)))

    def iter_lazy_messages(self, thread: str) -> Iterator[LazyMessage]:
        """The messages of a thread, in order, each decoded where somebody looks."""
        if thread in self._places:
            yield from self.lazy_messages(thread).select(self._places[thread])
            return
        for _, body in self.snapshot.bodies("message", thread):
            yield self.lazy_message(thread, body)

    def set_message_order(self, thread: str, ids: Iterable[str]) -> None:
        """From now on the messages of a thread are spoken in this order, those that are not named last."""
        self._places.pop(thread, None)
        wanted = {id_: n for n, id_ in enumerate(ids)}
        listed = [message.id for message in self.iter_lazy_messages(thread)]
        self._places[thread] = sorted(range(len(listed)), key=lambda n: wanted.get(listed[n], len(wanted)))

    def lazy_message(self, thread: str, body: StoredBody) -> LazyMessage:
        """A body of a message, decoded where somebody looks."""
        return LazyMessage(self, thread, body, self.codec.text_message(body))

    def decode(self, kind: str, body: StoredBody, parent: str) -> Entity:
        """A body of this estate in canonical form."""
        around = self._decode_context if kind == "message" else None
        return self.codec.decode(kind, body, parent, around)[0]

    def iter_threads(self) -> Iterator[Entity]:
        """Every thread, in order."""
        return self._iter_decoded("thread", "")

    @cached_property
    def threads_by_id(self) -> Mapping[str, Entity]:
        """The same, to be looked up."""
        bodies = (body for _, body in self.snapshot.bodies("thread", ""))
        return LazyEntities(bodies, lambda body: self.codec.decode("thread", body, "", None)[0])

    def is_complete(self, kind: str, parent: str = "") -> bool:
        """Whether a listing was read to its end."""
        return self.snapshot.listing_state(kind, parent)[0] == "complete" or parent in {
            e.id for e in self._derived if e.kind == KINDS[kind].parent
        }

    def why_filtered(self, kind: str) -> str:
        """Why the snapshot holds only some objects of a kind although its listing was read, or ''."""
        options = self.snapshot.info.options
        rules = [r for name in ("include", "exclude") for r in options.get(name, ()) if r[0] == kind]
        shard = Shard.from_options(options)
        return (shard.why_not_read(kind) if shard else "") or (
            "filtered by --include or --exclude" if rules else ""
        )

    def paired_calls(self, thread: str) -> frozenset[str]:
        """Ids of the tool calls in a thread of which both halves are there, and can be written."""
        if thread not in self._calls:
            self._calls[thread] = self._paired_calls(thread)
        return self._calls[thread]

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
    def file_states(self) -> dict[str, frozenset[str]]:
        """File id -> its states in the stores that it lies in."""
        found: dict[str, set[str]] = {}
        for store in self.objects("vector_store"):
            for row in self.iter_members("vector_store_file", store):
                found.setdefault(str(row.fields["file_id"]), set()).add(str(row.facts.get("status") or ""))
        return {id_: frozenset(states) for id_, states in found.items()}

    @cached_property
    def _small(self) -> dict[str, dict[str, Entity]]:
        whole = {
            kind: chain(self._iter_decoded(kind, ""), self._derived)
            for kind in IN_MEMORY_KINDS
            if kind != "assistant"
        }
        whole["assistant"] = chain.from_iterable(self._assistants)
        return {kind: {e.id: e for e in whole[kind] if e.kind == kind} for kind in IN_MEMORY_KINDS}

    @cached_property
    def _derived(self) -> list[Entity]:
        """Objects that reading calls for though no body holds them (the stores of v1 retrieval)."""
        return [one for _, *derived in self._assistants for one in derived]

    @cached_property
    def _assistants(self) -> list[list[Entity]]:
        """Each assistant, then the objects that its reading calls for."""
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
            return file  # a directory's file may have had other bytes under the same key
        facts = {**file.facts, "bytes_from": blob.origin, "bytes_reported": file.fields.get("bytes")}
        fields = {**file.fields, "sha256": blob.sha256, "bytes": blob.size}
        return Entity("file", file.id, file.parent, fields, facts, file.extras)


class LazyMessage(NamedTuple):
    """A message of an estate. `words`: what it says where it is nothing but words."""

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


def stamp(entity: Entity) -> str:
    """`TYPE:ID` of what an object was made from, or ''."""
    return read_stamp(entity.fields.get("metadata"))
