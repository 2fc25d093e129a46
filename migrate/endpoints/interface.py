"""What every live service looks like from inside the program: a reader and a writer.

Implementations are siblings of this file. A stage receives one of these and never learns which service
stands behind it. `Reader` has no method that could change anything; its connection refuses all but GET.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from migrate.endpoints.rate_limit import RateLimiter
from migrate.errors import NotFound
from migrate.model import JSON

Body = dict[str, JSON]


@dataclass(frozen=True)
class Page:
    """One page of a listing: bodies as received, and the cursor that continues behind it ('' at the end,
    `model.cursor.FROM_THE_START` where nothing does)."""

    bodies: list[Body]
    cursor: str = ""


RouteState = Literal["works", "gone", "denied", "failed"]


@dataclass(frozen=True)
class Probe:
    """What an estate answers today: per kind whether its listing works, and why not."""

    routes: Mapping[str, RouteState]
    reasons: Mapping[str, str] = field(default_factory=dict)
    api_version: str = ""
    notes: tuple[str, ...] = ()

    @property
    def retired(self) -> bool:
        """Assistants are gone while files or vector stores answer."""
        alive = "works" in (self.routes.get("file"), self.routes.get("vector_store"))
        return alive and self.routes.get("assistant") == "gone"


class Reader(ABC):
    """Reads one estate. Threads may share a reader; every call is one or more GET requests.

    Raises `RequestFailed` for what happened to one request, `errors.Unreachable` when nothing works.
    """

    type: str
    url: str
    api_version: str
    limiter: RateLimiter

    @abstractmethod
    def probe(self) -> Probe:
        """Find out what works, once; later calls give the same answer without a request."""

    @abstractmethod
    def pages(self, kind: str, parent: str = "", run: str = "", after: str = "") -> Iterator[Page]:
        """A kind's listing in `asc` order, from behind the cursor `after`. `run` narrows run_step."""

    def add_details(self, kind: str, bodies: list[Body]) -> list[Body]:
        """Rows of a listing with what only an object's own address tells, where a service has such things."""
        return bodies

    @abstractmethod
    def get(self, kind: str, id_: str, parent: str = "") -> Body:
        """One object."""

    @abstractmethod
    def content(self, file_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """A file's bytes in chunks. Raises `NotDownloadable` where the service refuses."""

    @abstractmethod
    def newest(self, kind: str, parent: str = "", limit: int = 100) -> Iterator[Body]:
        """The objects of a listing, newest first, `limit` a page. The caller stops when it has enough."""

    def granted_includes(self, kind: str) -> tuple[str, ...]:
        """What of a kind is shown because we ask for it, as far as it was asked for until now."""
        return ()

    def withheld_includes(self) -> Mapping[str, tuple[str, ...]]:
        """Kind -> what the service refuses to be asked for, as far as it was asked until now."""
        return {}

    def deployments(self) -> dict[str, Body] | None:
        """The models that assistants may name, by their name; None where nobody can list them."""
        return None

    def connections(self) -> dict[str, Body] | None:
        """The project's connections by their id; None where nobody can list them."""
        return None

    def parsed(self, store: str, file_id: str) -> str:
        """The text that the service read out of a store's file. Raises `RequestFailed`, also when only
        a part of it can be had."""
        raise NotFound(f"{self.type} does not show the parsed text of files")

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""


class Writer(Reader):
    """Reads and writes one estate. A creating request is sent once: when its answer is lost,
    `OutcomeUnknown` is raised and the caller finds out what became of it."""

    @abstractmethod
    def create(self, kind: str, wire: Body, name: str = "") -> Body:
        """Create an object, as it would be listed. `name` is its address where names are addresses."""

    @abstractmethod
    def append(self, thread: str, wires: list[Body]) -> int:
        """Put messages at the end of a thread, in order; never more than the service takes at once. How
        many the service says it stored."""

    @abstractmethod
    def update(self, kind: str, id_: str, wire: Body, parent: str = "") -> Body:
        """Change an object in place."""

    def revert(self, kind: str, id_: str, wire: Body, parent: str = "", version: str = "") -> None:
        """Take back the newest change of an object; `wire` is what it was before, `version` the number of
        the change where a service has such."""
        self.update(kind, id_, wire, parent)

    @abstractmethod
    def delete(self, kind: str, id_: str, parent: str = "") -> None:
        """Ask for an object and what lies in it to be deleted. No answer proves that it is gone: the caller
        looks. Raises `NotFound` where the service knows no such object, or no such request."""

    @abstractmethod
    def upload(self, name: str, purpose: str, data: BinaryIO) -> Body:
        """Upload a file, streamed from a seekable object."""

    @abstractmethod
    def attach(self, store: str, rows: list[Body]) -> None:
        """Put files that share one chunking into a store with as few requests as the service allows."""
