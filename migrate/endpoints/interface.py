"""The interface of every live service: `Reader` and `Writer`.

The implementations are the other files of this folder. A stage receives a reader or writer and does not
know which service it is. `Reader` has no method that changes anything, and its connection refuses every
method other than GET.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from migrate.endpoints.http.rate_limit import RateLimiter
from migrate.errors import NotFound
from migrate.model import JSON

Body = dict[str, JSON]


@dataclass(frozen=True)
class Page:
    """One page of a listing: bodies as received, and the cursor of the next page.

    `cursor` is '' on the last page, and `model.entity.RESTART_FROM_FIRST_PAGE` where a listing can only be
    read again from its first page."""

    bodies: list[Body]
    cursor: str = ""


RouteState = Literal["works", "gone", "denied", "failed"]


@dataclass(frozen=True)
class Probe:
    """For each kind, whether its listing works now, and if not, why. `notes`: remarks for the user."""

    routes: Mapping[str, RouteState]
    reasons: Mapping[str, str] = field(default_factory=dict)
    api_version: str = ""
    notes: tuple[str, ...] = ()

    @property
    def retired(self) -> bool:
        """Whether the Assistants routes are gone while files or vector stores still answer."""
        service_answers = "works" in (self.routes.get("file"), self.routes.get("vector_store"))
        return service_answers and self.routes.get("assistant") == "gone"


class Reader(ABC):
    """Reads one estate. Safe to share between threads; every call sends one or more GET requests.

    Raises `RequestFailed` if one request failed, and `ServiceUnreachable` if the service cannot be used at
    all.
    """

    type: str
    url: str
    api_version: str
    limiter: RateLimiter

    @abstractmethod
    def probe(self) -> Probe:
        """Find out which listings work. Only the first call sends requests."""

    @abstractmethod
    def pages(self, kind: str, parent: str = "", run: str = "", after: str = "") -> Iterator[Page]:
        """The pages of a kind's listing, oldest first, after the cursor `after`. `run` is needed for run
        steps."""

    def add_details(self, kind: str, bodies: list[Body]) -> list[Body]:
        """Rows of a listing, with the fields that a service shows only at the address of each object."""
        return bodies

    @abstractmethod
    def get(self, kind: str, id_: str, parent: str = "") -> Body:
        """One object."""

    @abstractmethod
    def content(self, file_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of a file in chunks. Raises `NotDownloadable` where the service refuses to send them."""

    @abstractmethod
    def newest(self, kind: str, parent: str = "", limit: int = 100) -> Iterator[Body]:
        """The objects of a listing, newest first, `limit` per page. The caller stops when it has enough."""

    def granted_includes(self, kind: str) -> tuple[str, ...]:
        """The values of `include[]` that the service accepts for a kind, as far as it was asked until now."""
        return ()

    def withheld_includes(self) -> Mapping[str, tuple[str, ...]]:
        """Kind -> the values of `include[]` that the service does not answer, as far as it was asked until
        now."""
        return {}

    def deployments(self) -> dict[str, Body] | None:
        """The models that assistants may name, by name; None where they cannot be listed."""
        return None

    def connections(self) -> dict[str, Body] | None:
        """The connections of the project, by id; None where they cannot be listed."""
        return None

    def shutdown_dates(self) -> dict[str, str]:
        """Name of a model -> the day on which the service says that it ends, as the service writes it. Empty
        where the service gives no such dates."""
        return {}

    def parsed(self, store: str, file_id: str) -> str:
        """The text that the service extracted from a file of a vector store. Raises `RequestFailed`, also
        where only a part of the text can be read."""
        raise NotFound(f"{self.type} does not show the parsed text of files")

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""


class Writer(Reader):
    """Reads and writes one estate. A request that creates something is sent once. If its answer is lost,
    `OutcomeUnknown` is raised, and the caller has to find out whether the object was created."""

    @abstractmethod
    def create(self, kind: str, wire: Body, name: str = "") -> Body:
        """Create an object; returns it as it would be listed. `name` is its address where names are
        addresses."""

    @abstractmethod
    def append(self, thread: str, wires: list[Body]) -> int:
        """Append messages to a thread in order, at most as many as the service accepts in one call.
        Returns how many messages the service reports as stored."""

    @abstractmethod
    def update(self, kind: str, id_: str, wire: Body, parent: str = "") -> Body:
        """Change an object in place."""

    def revert(self, kind: str, id_: str, wire: Body, parent: str = "", version: str = "") -> None:
        """Undo the newest change of an object. `wire` is the object before the change, `version` the
        version that the change created, where a service has versions."""
        self.update(kind, id_, wire, parent)

    @abstractmethod
    def delete(self, kind: str, id_: str, parent: str = "") -> None:
        """Delete an object and its contents. A good answer does not prove that the object is gone: the
        caller has to check. Raises `NotFound` where the object or the route does not exist."""

    @abstractmethod
    def upload(self, name: str, purpose: str, data: BinaryIO) -> Body:
        """Upload a file, streamed from a seekable object."""

    @abstractmethod
    def attach(self, store: str, rows: list[Body]) -> None:
        """Add files with the same chunking strategy to a vector store, with as few requests as possible."""
