"""The memory of an emulated service: ordered tables of API objects that are read page by page."""

from __future__ import annotations

import itertools
import random
import string
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from migrate.emulator.uploads import Blob

ALPHABET = string.ascii_letters + string.digits
LENGTH = 24


def new(prefix: str, length: int = LENGTH) -> str:
    return prefix + "".join(random.choices(ALPHABET, k=length))


def new_conversation() -> str:
    return new("conv_" + uuid4().hex[:16] + "00", 32)


def new_item(prefix: str, conversation_id: str) -> str:
    """The 18 hex digits after `conv_` stand in the ids of its items too (recorded 2025-11)."""
    return new(prefix + conversation_id.removeprefix("conv_")[:18], 32)


def new_hex(prefix: str) -> str:
    """As file batches have it (recorded 2024-04)."""
    return prefix + uuid4().hex


Json = dict[str, Any]

_arrivals = itertools.count()


class Place(NamedTuple):
    """Where a row stands: by second, and inside one second by arrival, as the services keep it."""

    created_at: float
    arrival: int
    id: str


def moment(row: Json) -> Any:
    """When an object was made; an agent is as old as its latest version (recorded 2025-11)."""
    if row.get("object") == "agent" and isinstance(row.get("versions"), dict):
        row = row["versions"].get("latest") or {}
    return row.get("created_at")


class Table(dict[str, Json]):
    """Objects by id, which also knows their order. Setting and deleting keep both in step."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Place] = []
        self._places: dict[str, Place] = {}

    def __setitem__(self, key: str, row: Json) -> None:
        if key in self._places:
            self._forget(key)
        created = moment(row)
        place = Place(created if isinstance(created, (int, float)) else 0, next(_arrivals), key)
        self._places[key] = place
        insort(self._rows, place)
        super().__setitem__(key, row)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._forget(key)

    def _forget(self, key: str) -> None:
        del self._rows[bisect_left(self._rows, self._places.pop(key))]

    @property
    def order(self) -> list[Place]:
        """Every row, oldest first."""
        return self._rows

    def position(self, key: str) -> int | None:
        place = self._places.get(key)
        return None if place is None else bisect_left(self._rows, place)


class Children(dict[str, Table]):
    """One table per parent; asking for a parent nobody has written to gives an empty one."""

    def __missing__(self, parent: str) -> Table:
        table = self[parent] = Table()
        return table

    def rows(self) -> Iterator[Json]:
        """All objects of all parents."""
        return itertools.chain.from_iterable(table.values() for table in self.values())


class Pending(NamedTuple):
    """A file on its way into a vector store."""

    due: float
    store_id: str
    entry: Json
    fails: bool = False


def _fine(_filename: str) -> str | None:
    """Nothing goes wrong with a file that is put into a store, unless faults were asked for."""
    return None


@dataclass
class Estate:
    """Everything one service holds. Children stand under their parent: `messages[thread_id][message_id]`."""

    assistants: Table = field(default_factory=Table)
    threads: Table = field(default_factory=Table)
    messages: Children = field(default_factory=Children)
    runs: Children = field(default_factory=Children)
    run_steps: Children = field(default_factory=Children)
    files: Table = field(default_factory=Table)
    content: dict[str, Blob] = field(default_factory=dict)
    vector_stores: Table = field(default_factory=Table)
    vector_store_files: Children = field(default_factory=Children)
    file_batches: Children = field(default_factory=Children)
    batch_files: dict[str, list[str]] = field(default_factory=dict)
    ageing: set[str] = field(default_factory=set)  # stores made here: these expire in time
    agents: Table = field(default_factory=Table)  # by name
    agent_versions: Children = field(default_factory=Children)  # by agent name, then `name:number`
    agent_endpoints: dict[str, Json] = field(default_factory=dict)  # of agents made here
    last_versions: dict[str, int] = field(default_factory=dict)  # a number is not given twice
    conversations: Table = field(default_factory=Table)
    items: Children = field(default_factory=Children)  # these outlive their conversation
    deployments: list[Json] | None = None  # None: nobody said, so the options do
    connections: list[Json] | None = None
    pending: deque[Pending] = field(default_factory=deque)
    forbidden: list[str] = field(default_factory=list)  # calls no migration may make, such as POST runs
    fate: Callable[[str], str | None] = field(default=_fine, repr=False)  # of a file by its name, in a store

    def counts(self) -> Mapping[str, int]:
        """How many objects of each kind there are."""
        return {
            "assistant": len(self.assistants),
            "thread": len(self.threads),
            "message": sum(map(len, self.messages.values())),
            "run": sum(map(len, self.runs.values())),
            "run_step": sum(map(len, self.run_steps.values())),
            "file": len(self.files),
            "vector_store": len(self.vector_stores),
            "vector_store_file": sum(map(len, self.vector_store_files.values())),
            "agent": len(self.agents),
            "agent_version": sum(map(len, self.agent_versions.values())),
            "conversation": len(self.conversations),
            "item": sum(map(len, self.items.values())),
        }

    def close(self) -> None:
        for blob in self.content.values():
            blob.close()


def now() -> int:
    """The services count in whole seconds."""
    return int(time.time())
