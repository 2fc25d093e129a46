"""Reader and writer that all services share: listings, objects by id, files and vector stores.

Each service adds its table of routes and its channels. Files and vector stores may have a channel of their
own: they still exist after the Assistants routes are retired, and are then at another path (`/openai/v1`
on Azure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import BinaryIO

from migrate.codecs.capabilities import Capabilities, capabilities_for
from migrate.endpoints.connection import EstateConnection
from migrate.endpoints.http.list_order import ListOrder, OrderedListing
from migrate.endpoints.http.pagination import iter_pages
from migrate.endpoints.http.response_check import check_object, check_rows
from migrate.endpoints.http.retry import Channel, FileChannel
from migrate.endpoints.include import IncludeOptions
from migrate.endpoints.interface import Body, Page, Probe, Reader, Writer
from migrate.endpoints.routes import ASSISTANTS_ROUTES, BETA_HEADERS, Routes, route_path
from migrate.errors import NotFound, RequestFailed, ResponseTooLarge
from migrate.model.entity import creation_time


@dataclass(frozen=True)
class EstateChannels:
    """The result of a probe, and the channels that answered. `project`: the channel of a Foundry project's
    own API."""

    probe: Probe
    assistants: Channel
    files: FileChannel
    project: Channel | None = None


class AssistantsReader(Reader):
    """Reads one estate through the Assistants API or an API with the same listings."""

    routes: Routes = ASSISTANTS_ROUTES

    def __init__(self, connection: EstateConnection, open_channels: Callable[[], EstateChannels]) -> None:
        self.type = connection.settings.type
        self.limiter = connection.limiter
        self.url = connection.settings.url
        self._open_channels = open_channels
        self._http = connection.http
        self._channels: EstateChannels | None = None
        self._list_order = ListOrder()
        self._include_options = IncludeOptions()

    @property
    def channels(self) -> EstateChannels:
        """The channels of the estate; the first use probes the service."""
        if self._channels is None:
            self._channels = self._open_channels()
        return self._channels

    @property
    def api_version(self) -> str:  # type: ignore[override]
        """The API version that answered, or '' if the service has no versions."""
        return self.channels.probe.api_version

    @property
    def capabilities(self) -> Capabilities:
        """What this service and API version accept."""
        return capabilities_for(self.type, self.api_version)

    def probe(self) -> Probe:
        return self.channels.probe

    def channel(self, kind: str) -> Channel:
        """The channel for a kind, with the headers that its route needs."""
        route = self.routes[kind]
        channel = self.channels.files if route.outlives_assistants else self.channels.assistants
        channel = (self.channels.project or channel) if route.project_api else channel
        return replace(channel, headers={**channel.headers, **BETA_HEADERS}) if route.beta else channel

    def pages(self, kind: str, parent: str = "", run: str = "", after: str = "") -> Iterator[Page]:
        """Raises `PaginationError` also where the order has a meaning and cannot be determined."""
        path = self._path(kind, parent=parent, run=run)
        params = {"limit": self.routes[kind].limit, "order": "desc"}

        def newest() -> list[Body]:
            rows = self.channel(kind).get(path, params).get("data")
            return [row for row in rows if isinstance(row, dict) and "id" in row] if rows else []

        listing = OrderedListing(kind, path, self.routes[kind].order_is_content, newest, resumed=bool(after))
        return self._list_order.oldest_first(self._list_pages(kind, parent, run, after), listing)

    def _list_pages(
        self, kind: str, parent: str, run: str = "", after: str = "", order: str = "asc", limit: int = 0,
        trust_last_page: bool = False,
    ) -> Iterator[Page]:  # fmt: skip
        """The pages of a listing in the order in which the server sends them. `trust_last_page`: a page with
        `has_more: false` ends the listing even if it is full."""
        path = self._path(kind, parent=parent, run=run)
        limit = limit or self.routes[kind].limit
        params: dict[str, object] = {"limit": limit, "order": order}
        for page in iter_pages(
            self._fetcher(kind, path, params), path, after, 0 if trust_last_page else limit
        ):
            check_rows(path, kind, page.bodies, parent, run)
            yield page

    def _fetcher(self, kind: str, path: str, params: dict[str, object]) -> Callable[[str], Body]:
        """A function that requests the page after a cursor.

        Where the API description has no paging for a kind, the service may reject the parameters of
        paging. Then the rows that came before were all of them, unless the service reported that there are
        more."""
        channel, route = self.channel(kind), self.routes[kind]
        query = dict(params)
        has_more_missing = route.may_be_unpaged

        def fetch(cursor: str) -> Body:
            nonlocal query, has_more_missing
            try:
                page = self._fetch_page(kind, path, query, cursor)
            except RequestFailed as failed:
                if not route.may_be_unpaged or failed.status not in (400, 404):
                    raise
                if cursor and has_more_missing:
                    return {"data": [], "has_more": False}
                if cursor or failed.status == 404:
                    raise
                query = {}
                page = channel.get(path, query)
            has_more_missing = route.may_be_unpaged and "has_more" not in page
            return page

        return fetch

    def _fetch_page(self, kind: str, path: str, query: dict[str, object], cursor: str) -> Body:
        """One page. If it is larger than the limit for answers, this and all later requests ask for fewer
        rows."""
        while True:
            try:
                return self._get_with_includes(kind, path, {**query, "after": cursor} if cursor else query)
            except ResponseTooLarge:
                rows = query.get("limit")
                if not isinstance(rows, int) or rows <= 1:
                    raise
                query["limit"] = max(1, rows // 10)

    def _path(self, kind: str, id_: str | None = None, parent: str = "", run: str = "") -> str:
        return route_path(kind, id_, parent, run, self.routes)

    def get(self, kind: str, id_: str, parent: str = "") -> Body:
        path = self._path(kind, id_, parent)
        body = self._get_with_includes(kind, path, {})
        check_object(path, kind, body, id_)
        return body

    def _get_with_includes(self, kind: str, path: str, params: dict[str, object]) -> Body:
        """The answer to a GET, with every optional field of the kind that the service is willing to send."""
        channel, include_values = self.channel(kind), self.routes[kind].include
        if kind == "run_step" and not has_search_results(self.type, self.api_version):
            include_values = ()

        def send(include: tuple[str, ...]) -> Body:
            return channel.get(path, {**params, "include": list(include)} if include else params)

        return self._include_options.request(kind, include_values, send)

    def granted_includes(self, kind: str) -> tuple[str, ...]:
        return self._include_options.granted.get(kind, ())

    def withheld_includes(self) -> Mapping[str, tuple[str, ...]]:
        return self._include_options.withheld_includes()

    def newest(self, kind: str, parent: str = "", limit: int = 100) -> Iterator[Body]:
        # The caller compares these rows with known ones and stops itself, so a page that ends too early
        # does no harm.
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
            # No API description says how to request the next page.
            raise RequestFailed(f"only a part of the parsed text of {file_id} can be read")
        return "\n".join(str(row.get("text") or "") for row in rows if isinstance(row, dict))

    def close(self) -> None:
        self._http.close()


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
            rows_to_update = with_attributes if self.capabilities.attributes == "update" else []
        else:
            rows_to_update = []
            for row in rows:
                self._attach_file(store, row)
        for row in rows_to_update:
            self.update("vector_store_file", row["file_id"], {"attributes": row["attributes"]}, store)

    def _attach_as_batch(self, store: str, rows: list[Body], with_attributes: bool) -> bool:
        """Attach files in one batch; whether the service could do that. A service whose batches have no
        rows takes only ids and one chunking strategy for all."""
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
            self.get("vector_store", store)  # raises if the store does not exist; a missing route is no error
            return False
        return True

    def _attach_file(self, store: str, row: Body) -> None:
        attributes = self.capabilities.attributes == "update" and row.get("attributes")
        wire = {k: v for k, v in row.items() if not (attributes and k == "attributes")}
        self.channel("vector_store_file").send("POST", self._path("vector_store_file", parent=store), wire)
        if attributes:
            self.update("vector_store_file", row["file_id"], {"attributes": attributes}, store)


def has_search_results(type_: str, api_version: str) -> bool:
    """Whether the service can show the text that file search found, with `include[]` on run steps."""
    return type_ == "openai" or api_version >= "2025-03"
