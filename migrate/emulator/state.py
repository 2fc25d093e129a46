"""The memory of an emulated service: ordered tables of API objects, and the estate that contains them."""

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

from migrate.emulator.errors import ApiError
from migrate.emulator.uploads import Blob

Json = dict[str, Any]

ID_CHARACTERS = string.ascii_letters + string.digits
ID_LENGTH = 24
DAY_S = 86_400

_arrivals = itertools.count()


def new_id(prefix: str, length: int = ID_LENGTH) -> str:
    """A random id: the prefix and `length` letters and digits."""
    return prefix + "".join(random.choices(ID_CHARACTERS, k=length))


def new_hex_id(prefix: str) -> str:
    """An id of hex digits, as file batches have (recorded 2024-04)."""
    return prefix + uuid4().hex


def now() -> int:
    """The current time in whole seconds, as the services state times."""
    return int(time.time())


def creation_time(row: Json) -> Any:
    """The `created_at` of an object; for an agent that of its latest version (recorded 2025-11)."""
    if row.get("object") == "agent" and isinstance(row.get("versions"), dict):
        row = row["versions"].get("latest") or {}
    return row.get("created_at")


class SortKey(NamedTuple):
    """The position of a row: by second, and within one second by arrival, as on the services."""

    created_at: float
    arrival: int
    id: str


class Table(dict[str, Json]):
    """Objects by id that also keep their order of creation. Use only item assignment and `del`."""

    def __init__(self) -> None:
        super().__init__()
        self._order: list[SortKey] = []
        self._sort_keys: dict[str, SortKey] = {}

    def __setitem__(self, id_: str, row: Json) -> None:
        if id_ in self._sort_keys:
            self._remove_from_order(id_)
        created = creation_time(row)
        sort_key = SortKey(created if isinstance(created, (int, float)) else 0, next(_arrivals), id_)
        self._sort_keys[id_] = sort_key
        insort(self._order, sort_key)
        super().__setitem__(id_, row)

    def __delitem__(self, id_: str) -> None:
        super().__delitem__(id_)
        self._remove_from_order(id_)

    def _remove_from_order(self, id_: str) -> None:
        del self._order[bisect_left(self._order, self._sort_keys.pop(id_))]

    @property
    def order(self) -> list[SortKey]:
        """The sort keys of all rows, oldest first."""
        return self._order

    def oldest_first(self) -> list[Json]:
        """All rows in the order of their creation."""
        return [self[sort_key.id] for sort_key in self._order]

    def count(self) -> int:
        """The number of rows."""
        return len(self)

    def newest(self) -> Json:
        """The row that was created last. The table must not be empty."""
        return self[self._order[-1].id]

    def index_of(self, id_: str) -> int | None:
        """The index of a row in `order`, or None if there is no such row."""
        sort_key = self._sort_keys.get(id_)
        return None if sort_key is None else bisect_left(self._order, sort_key)

    def require(self, id_: str, error: ApiError) -> Json:
        """The row with this id. Raises `error` if there is none."""
        row = self.get(id_)
        if row is None:
            raise error
        return row


class Children(dict[str, Table]):
    """One table for each parent id. Reading an unknown parent creates an empty table."""

    def __missing__(self, parent: str) -> Table:
        table = self[parent] = Table()
        return table

    def rows(self) -> Iterator[Json]:
        """All objects of all parents."""
        return itertools.chain.from_iterable(table.values() for table in self.values())

    def oldest_first(self) -> list[Json]:
        """All objects of all parents in the order of their creation."""
        rows = [row for table in self.values() for row in table.oldest_first()]
        return sorted(rows, key=lambda row: creation_time(row) or 0)

    def count(self) -> int:
        """The number of objects of all parents."""
        return sum(map(len, self.values()))


class PendingIngestion(NamedTuple):
    """A file that is being added to a vector store. `due` is a value of `time.monotonic()`."""

    due: float
    store_id: str
    entry: Json
    fails: bool = False


TABLES = (
    "assistants threads messages runs run_steps files vector_stores vector_store_files"
    " agents agent_versions conversations items".split()
)


def _no_ingestion_fault(_filename: str) -> str | None:
    return None


@dataclass
class Estate:
    """Everything that one service stores. Children by their parent: `messages[thread_id][message_id]`."""

    assistants: Table = field(default_factory=Table)
    threads: Table = field(default_factory=Table)
    messages: Children = field(default_factory=Children)
    runs: Children = field(default_factory=Children)
    run_steps: Children = field(default_factory=Children)
    files: Table = field(default_factory=Table)
    content: dict[str, Blob] = field(default_factory=dict)  # by file id
    vector_stores: Table = field(default_factory=Table)
    vector_store_files: Children = field(default_factory=Children)
    file_batches: Children = field(default_factory=Children)
    batch_files: dict[str, list[str]] = field(default_factory=dict)
    # Stores that were created here and therefore expire. Stores from a saved state stay as they were saved.
    expiring_stores: set[str] = field(default_factory=set)
    agents: Table = field(default_factory=Table)  # by name
    agent_versions: Children = field(default_factory=Children)  # by agent name, then `name:number`
    agent_endpoints: dict[str, Json] = field(default_factory=dict)  # of agents that were created here
    last_versions: dict[str, int] = field(default_factory=dict)  # a number is never used twice
    conversations: Table = field(default_factory=Table)
    items: Children = field(default_factory=Children)  # they remain when their conversation is deleted
    deployments: list[Json] | None = None  # None: not in the saved state, taken from the options
    connections: list[Json] | None = None
    pending: deque[PendingIngestion] = field(default_factory=deque)
    forbidden_calls: list[str] = field(default_factory=list)  # calls no migration may make, such as POST runs
    # Filename -> "failed", "stuck", or None if ingestion into a store succeeds.
    ingestion_fault: Callable[[str], str | None] = field(default=_no_ingestion_fault, repr=False)

    def tables(self) -> Mapping[str, Table | Children]:
        """The objects by the plural of their kind, such as `run_steps`."""
        return {name: getattr(self, name) for name in TABLES}

    def counts(self) -> Mapping[str, int]:
        """The number of objects of each kind."""
        return {name.removesuffix("s"): table.count() for name, table in self.tables().items()}

    def close(self) -> None:
        """Close the content of all files."""
        for blob in self.content.values():
            blob.close()
