"""Reader and writer for every service of the family: listings, objects by id, files and vector stores.

A service adds its routes and its channels: the Assistants routes have one, files and vector stores may
have another, since they outlive the assistants and may then lie elsewhere (`/openai/v1` on Azure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import BinaryIO

from migrate.codecs.capabilities import Capabilities, capabilities_for
from migrate.endpoints.http.list_order import ListOrder, OrderedListing
from migrate.endpoints.http.pagination import iter_pages
from migrate.endpoints.http.response_check import check_object, check_rows
from migrate.endpoints.http.retry import Channel, FileChannel
from migrate.endpoints.include import IncludeOptions
from migrate.endpoints.interface import Body, Page, Probe, Reader, Writer
from migrate.endpoints.rate_limit import RateLimiter
from migrate.endpoints.routes import ASSISTANTS_ROUTES, BETA_HEADERS, Routes, route_path
from migrate.errors import NotFound, RequestFailed, ResponseTooLarge
from migrate.model.entity import creation_time


@dataclass(frozen=True)
class EstateChannels:
    """What a probe settled: its findings, and the channels that answered. `project` is the one of a
    Foundry project's own API."""

    probe: Probe
    assistants: Channel
    files: FileChannel
    project: Channel | None = None


class AssistantsReader(Reader):
    """Reads an estate."""

    routes: Routes = ASSISTANTS_ROUTES

    def __init__(
        self,
        type_: str,
        url: str,
        limiter: RateLimiter,
        open_channels: Callable[[], EstateChannels],
        close: Callable[[], None],
    ) -> None:
        self.type = type_
        self.limiter = limiter
        self.url = url
        self._open_channels = open_channels
        self._close = close
        self._channels: EstateChannels | None = None
        self._list_order = ListOrder()
        self._include_options = IncludeOptions()

    @property
    def channels(self) -> EstateChannels:
        """The channels, after the first probe."""
        if self._channels is None:
            self._channels = self._open_channels()
        return self._channels

    @property
    def api_version(self) -> str:  # type: ignore[override]
        """The API version that answered; '' where the service has none."""
        return self.channels.probe.api_version

    @property
    def capabilities(self) -> Capabilities:
        """What this service accepts."""
        return capabilities_for(self.type, self.api_version)

    def probe(self) -> Probe:
        return self.channels.probe

    def channel(self, kind: str) -> Channel:
        """The channel a kind is reached through, with the headers its route needs."""
        route = self.routes[kind]
        channel = self.channels.files if route.outlives_assistants else self.channels.assistants
        channel = (self.channels.project or channel) if route.project_api else channel
        return replace(channel, headers={**channel.headers, **BETA_HEADERS}) if route.beta else channel

    def pages(self, kind: str, parent: str = "", run: str = "", after: str = "") -> Iterator[Page]:
        """Raises `PaginationError` also where the order cannot be told and is content."""
        path = self._path(kind, parent=parent, run=run)
        asked = {"limit": self.routes[kind].limit, "order": "desc"}

        def newest() -> list[Body]:
            rows = self.channel(kind).get(path, asked).get("data")
            return [row for row in rows if isinstance(row, dict) and "id" in row] if rows else []

        question = OrderedListing(kind, path, self.routes[kind].order_is_content, newest, resumed=bool(after))
        return self._list_order.oldest_first(self._list_pages(kind, parent, run, after), question)

    def _list_pages(
        self, kind: str, parent: str = "", run: str = "", after: str = "", order: str = "asc", limit: int = 0,
        trust_last_page: bool = False,
    ) -> Iterator[Page]:  # fmt: skip
        """The pages of a listing in the order of the server. `trust_last_page`: a page with
        `has_more: false` ends the listing, also when it is full."""
        path = self._path(kind, parent=parent, run=run)
        limit = limit or self.routes[kind].limit
        params: dict[str, object] = {"limit": limit, "order": order}
        for page in iter_pages(
            self._fetcher(kind, path, params), path, after, 0 if trust_last_page else limit
        ):
            check_rows(path, kind, page.bodies, parent, run)
            yield page

    def _fetcher(self, kind: str, path: str, params: dict[str, object]) -> Callable[[str], Body]:
        """Asks for the page behind a cursor. Where paging is in no description, a service may refuse to
        be asked for it: then what it gave before was all, unless it promised more."""
        channel, route = self.channel(kind), self.routes[kind]
        asked = dict(params)
        silent = route.may_be_unpaged

        def fetch(cursor: str) -> Body:
            nonlocal asked, silent
            try:
                found = self._fetch_page(kind, path, asked, cursor)
            except RequestFailed as failed:
                if not route.may_be_unpaged or failed.status not in (400, 404):
                    raise
                if cursor and silent:
                    return {"data": [], "has_more": False}
                if cursor or failed.status == 404:
                    raise
                asked = {}
                found = channel.get(path, asked)
            silent = route.may_be_unpaged and "has_more" not in found
            return found

        return fetch

    def _fetch_page(self, kind: str, path: str, asked: dict[str, object], cursor: str) -> Body:
        """One page; of a page that is larger than is taken, fewer rows are asked for from then on."""
        while True:
            try:
                return self._get_with_includes(kind, path, {**asked, "after": cursor} if cursor else asked)
            except ResponseTooLarge:
                rows = asked.get("limit")
                if not isinstance(rows, int) or rows <= 1:
                    raise
                asked["limit"] = max(1, rows // 10)

    def _path(self, kind: str, id_: str | None = None, parent: str = "", run: str = "") -> str:
        return route_path(kind, id_, parent, run, self.routes)

    def get(self, kind: str, id_: str, parent: str = "") -> Body:
        path = self._path(kind, id_, parent)
        body = self._get_with_includes(kind, path, {})
        check_object(path, kind, body, id_)
        return body

    def _get_with_includes(self, kind: str, path: str, params: dict[str, object]) -> Body:
        """The answer to a GET, with all that the service shows of a kind."""
        channel, wanted = self.channel(kind), self.routes[kind].include
        if kind == "run_step" and not has_search_results(self.type, self.api_version):
            wanted = ()

        def ask(include: tuple[str, ...]) -> Body:
            return channel.get(path, {**params, "include": list(include)} if include else params)

        return self._include_options.request(kind, wanted, ask)

    def granted_includes(self, kind: str) -> tuple[str, ...]:
        return self._include_options.granted.get(kind, ())

    def withheld_includes(self) -> Mapping[str, tuple[str, ...]]:
        return self._include_options.withheld_includes()

    def newest(self, kind: str, parent: str = "", limit: int = 100) -> Iterator[Body]:
        # Compared with what is known: rows that a server holds back are no end, but another one.
        pages = self._list_pages(kind, parent, order="desc", limit=limit, trust_last_page=True)
        for page in self._list_order.newest_first(pages):
            yield from sorted(page.bodies, key=lambda row: -creation_time(row, 0.0))

    def content(self, file_id: str) -> AbstractContextManager[Iterator[bytes]]:
        self.channel("file")
        return self.channels.files.stream(file_id)

    def parsed(self, store: str, file_id: str) -> str:
        body = self.channel("vector_store_file").get(
            f"{self._path('vector_store_file', file_id, store)}/content"
        )
        rows = body.get("data")
        if not isinstance(rows, list) or body.get("has_more"):
            # How to ask for the next page stands in no description.
            raise RequestFailed(f"only a part of the parsed text of {file_id} can be had")
        return "\n".join(str(row.get("text") or "") for row in rows if isinstance(row, dict))

    def close(self) -> None:
        self._close()


class AssistantsWriter(AssistantsReader, Writer):
    """Reads and writes an estate."""

    def create(self, kind: str, wire: Body, name: str = "") -> Body:
        return self.channel(kind).send("POST", self._path(kind), wire)

    def append(self, thread: str, wires: list[Body]) -> int:
        for wire in wires:
            self.channel("message").send("POST", self._path("message", parent=thread), wire)
        return len(wires)

    def update(self, kind: str, id_: str, wire: Body, parent: str = "") -> Body:
        return self.channel(kind).send("POST", self._path(kind, id_, parent), wire)

    def delete(self, kind: str, id_: str, parent: str = "") -> None:
        self.channel(kind).send("DELETE", self._path(kind, id_, parent))

    def upload(self, name: str, purpose: str, data: BinaryIO) -> Body:
        self.channel("file")
        return self.channels.files.upload(self.routes["file"].path, name, purpose, data)

    def attach(self, store: str, rows: list[Body]) -> None:
        with_attributes = [row for row in rows if row.get("attributes")]
        if len(rows) > 1 and self._attach_as_batch(store, rows, bool(with_attributes)):
            later = with_attributes if self.capabilities.attributes == "update" else []
        else:
            later = []
            for row in rows:
                self._attach_file(store, row)
        for row in later:
            self.update("vector_store_file", row["file_id"], {"attributes": row["attributes"]}, store)

    def _attach_as_batch(self, store: str, rows: list[Body], with_attributes: bool) -> bool:
        """Whether a batch was made of them. A service without rows takes ids and one chunking only."""
        wire: Body = {"files": rows}
        if not self.capabilities.batch_rows:
            if with_attributes and self.capabilities.attributes == "create":
                return False
            wire = {"file_ids": [row["file_id"] for row in rows]}
            if chunking := rows[0].get("chunking_strategy"):
                wire["chunking_strategy"] = chunking
        try:
            self.channel("vector_store_file").send(
                "POST", f"{self._path('vector_store', store)}/file_batches", wire
            )
        except NotFound:
            self.get("vector_store", store)  # no such store is an error, no such route is not
            return False
        return True

    def _attach_file(self, store: str, row: Body) -> None:
        later = self.capabilities.attributes == "update" and row.get("attributes")
        wire = {k: v for k, v in row.items() if not (later and k == "attributes")}
        self.channel("vector_store_file").send("POST", self._path("vector_store_file", parent=store), wire)
        if later:
            self.update("vector_store_file", row["file_id"], {"attributes": later}, store)


def has_search_results(type_: str, api_version: str) -> bool:
    """Whether run steps can be asked for what file search found."""
    return type_ == "openai" or api_version >= "2025-03"
