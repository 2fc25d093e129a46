"""Reader and writer for every service that speaks the Assistants wire; a service adds only its channels.

Two channels: one for the Assistants routes, one for files and vector stores, which outlive them and may
then lie elsewhere (`/openai/v1` on Azure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import BinaryIO

from migrate.codecs.profile import Profile, profile_for
from migrate.endpoints.channel import Channel
from migrate.endpoints.interface import Body, Page, Probe, Reader, Writer
from migrate.endpoints.paging import walk
from migrate.endpoints.routes import BETA, ROUTES, STEP_INCLUDE, address
from migrate.errors import NotThere, RequestFailed


@dataclass(frozen=True)
class Access:
    """What a probe settled: its findings, and the channels that answered."""

    probe: Probe
    main: Channel
    stored: Channel


class FamilyReader(Reader):
    """Reads an estate over the Assistants wire."""

    def __init__(self, type_: str, url: str, settle: Callable[[], Access], close: Callable[[], None]) -> None:
        self.type = type_
        self.url = url
        self._settle = settle
        self._close = close
        self._access: Access | None = None

    @property
    def access(self) -> Access:
        """The channels, after the first probe."""
        if self._access is None:
            self._access = self._settle()
        return self._access

    @property
    def api_version(self) -> str:  # type: ignore[override]
        """The API version that answered; '' where the service has none."""
        return self.access.probe.api_version

    @property
    def profile(self) -> Profile:
        """What this service accepts."""
        return profile_for(self.type, self.api_version)

    def probe(self) -> Probe:
        return self.access.probe

    def channel(self, kind: str) -> Channel:
        """The channel a kind is reached through, with the headers its route needs."""
        route = ROUTES[kind]
        channel = self.access.stored if route.lives_on else self.access.main
        return replace(channel, headers={**channel.headers, **BETA}) if route.beta else channel

    def pages(self, kind: str, parent: str = "", run: str = "", after: str = "") -> Iterator[Page]:
        path = address(kind, parent=parent, run=run)
        params: dict[str, object] = {"limit": ROUTES[kind].limit, "order": "asc"}
        if kind == "run_step" and includes_results(self.type, self.api_version):
            params["include[]"] = STEP_INCLUDE

        def fetch(cursor: str) -> Body:
            return self._asked(kind, path, {**params, "after": cursor} if cursor else params)

        return walk(fetch, path, after)

    def _asked(self, kind: str, path: str, params: dict[str, object]) -> Body:
        """A page; where a service refuses to page this kind, all of it at once."""
        channel = self.channel(kind)
        try:
            return channel.get(path, params)
        except RequestFailed as failed:
            if failed.status != 400 or not ROUTES[kind].may_be_unpaged or "after" in params:
                raise
            return {"has_more": False, **channel.get(path)}

    def get(self, kind: str, id_: str, parent: str = "") -> Body:
        return self.channel(kind).get(address(kind, id_, parent))

    def content(self, file_id: str) -> AbstractContextManager[Iterator[bytes]]:
        return self.channel("file").stream(file_id)

    def close(self) -> None:
        self._close()


class FamilyWriter(FamilyReader, Writer):
    """Reads and writes an estate over the Assistants wire."""

    def create(self, kind: str, wire: Body, parent: str = "") -> Body:
        return self.channel(kind).send("POST", address(kind, parent=parent), wire)

    def update(self, kind: str, id_: str, wire: Body, parent: str = "") -> Body:
        return self.channel(kind).send("POST", address(kind, id_, parent), wire)

    def delete(self, kind: str, id_: str, parent: str = "") -> None:
        try:
            self.channel(kind).send("DELETE", address(kind, id_, parent))
        except NotThere:
            return

    def upload(self, name: str, purpose: str, data: BinaryIO) -> Body:
        return self.channel("file").upload(ROUTES["file"].path, name, purpose, data)

    def attach(self, store: str, rows: list[Body]) -> None:
        batch = f"{address('vector_store', store)}/file_batches"
        channel = self.channel("vector_store_file")
        later = [row for row in rows if row.get("attributes") and self.profile.attributes == "update"]
        if len(rows) == 1:
            row = {k: v for k, v in rows[0].items() if not (later and k == "attributes")}
            channel.send("POST", address("vector_store_file", parent=store), row)
        elif self.profile.batch_rows:
            channel.send("POST", batch, {"files": rows})
        else:
            wire: Body = {"file_ids": [row["file_id"] for row in rows]}
            if chunking := rows[0].get("chunking_strategy"):
                wire["chunking_strategy"] = chunking
            channel.send("POST", batch, wire)
        for row in later:
            self.update("vector_store_file", row["file_id"], {"attributes": row["attributes"]}, store)

    def newest(self, kind: str, parent: str = "", limit: int = 100) -> Iterator[Body]:
        path = address(kind, parent=parent)
        params: dict[str, object] = {"limit": limit, "order": "desc"}
        pages = walk(lambda c: self._asked(kind, path, {**params, "after": c} if c else params), path)
        for page in pages:
            yield from sorted(page.bodies, key=lambda row: -float(row.get("created_at") or 0))


def includes_results(type_: str, api_version: str) -> bool:
    """Whether run steps can be asked for what file search found."""
    return type_ == "openai" or api_version >= "2025-03"


def reader_or_writer(writable: bool) -> type[FamilyReader]:
    """The class to build."""
    return FamilyWriter if writable else FamilyReader
