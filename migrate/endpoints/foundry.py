"""A Foundry project of the new generation as an estate: agents, conversations, files and vector stores.

Agents, deployments and connections are reached through azure-ai-projects, all else through the client
for OpenAI's API that it makes. An agent's address is its name, and what it is stands in its newest
version: writing one always adds a version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from migrate.endpoints.addresses import path_segment
from migrate.endpoints.assistants import AssistantsReader, AssistantsWriter, EstateChannels
from migrate.endpoints.auth import PLACEHOLDER_KEY
from migrate.endpoints.http.client import http_client
from migrate.endpoints.http.foundry_transport import PROJECT_API_VERSION, ProjectTransport, project_client
from migrate.endpoints.http.openai_transport import OpenAITransport
from migrate.endpoints.http.retry import Channel, FileChannel
from migrate.endpoints.interface import Body, Page
from migrate.endpoints.probe import check_any_route_known, probe_result, probe_routes
from migrate.endpoints.rate_limit import RateLimiter
from migrate.endpoints.routes import FOUNDRY_ROUTES
from migrate.endpoints.settings import Settings
from migrate.errors import AccessDenied, NotFound, OutcomeUnknown, RequestFailed
from migrate.model.served_version import newest_version, served_older_versions

# Agents asked for side by side; the pace of the endpoint holds for them too.
MAX_PARALLEL_AGENT_REQUESTS = 8
# The key whose absence says that a row does not tell.
AGENT_DETAIL_KEY = "agent_endpoint"

GetJson = Callable[[str], Body]


def agents_with_details(rows: list[Body], ask: GetJson) -> list[Body]:
    """The agents as they are read one by one, in the order of the rows. `ask` gets a path."""
    if not rows:
        return rows
    with ThreadPoolExecutor(min(MAX_PARALLEL_AGENT_REQUESTS, len(rows))) as pool:
        return list(pool.map(lambda row: _agent_with_details(row, ask), rows))


def _agent_with_details(row: Body, ask: GetJson) -> Body:
    name = row.get("name") or row.get("id")
    if not isinstance(name, str) or not name:
        return row
    found = row if AGENT_DETAIL_KEY in row else _get_agent(ask, row, name)
    versions = found.get("versions")
    if not isinstance(versions, dict):
        return found
    for number in served_older_versions(found):
        version = _get_agent(ask, {}, name, number)
        if version:
            versions = {**versions, number: version}
    return {**found, "versions": versions}


def _get_agent(ask: GetJson, otherwise: Body, name: str, number: str = "") -> Body:
    """The agent, or one version of it, as its own address tells it; `otherwise` where that is not what was
    asked for: a listing is not lost because one row says no more."""
    try:
        path = f"/agents/{path_segment(name)}"
        answer = ask(f"{path}/versions/{path_segment(number)}" if number else path)
    except RequestFailed:
        return otherwise
    if number:
        return answer if str(answer.get("version")) == number else otherwise
    same = newest_version(answer) != "" and answer.get("id") == otherwise.get("id")
    return answer if same else otherwise


def connect_foundry(settings: Settings, writable: bool = False) -> FoundryReader:
    """A reader (or writer) of a Foundry project. Nothing is sent before the first use."""
    limiter = RateLimiter(settings.workers, url=settings.url)
    http = http_client(settings, writable)
    client = project_client(settings, writable, http)
    signed_in = {"api_key": settings.secret or PLACEHOLDER_KEY} if settings.auth in ("key", "none") else {}
    openai = client.get_openai_client(max_retries=0, http_client=http, **signed_in)
    project = Channel(ProjectTransport(client, settings.url.rstrip("/")), limiter)
    files = FileChannel(OpenAITransport(openai, http), limiter)

    def open_channels() -> EstateChannels:
        found = probe_routes(files, settings.url, FOUNDRY_ROUTES, project)
        check_any_route_known(
            found,
            settings.url,
            "agents",
            "the address of a project ends in /api/projects/PROJECT",
        )
        return EstateChannels(
            probe_result(found, PROJECT_API_VERSION, settings.remarks), files, files, project
        )

    def close() -> None:
        client.close()

    kind = FoundryWriter if writable else FoundryReader
    return kind("foundry", settings.url, limiter, open_channels, close)


class FoundryReader(AssistantsReader):
    """Reads a project."""

    routes = FOUNDRY_ROUTES

    def pages(self, kind: str, parent: str = "", run: str = "", after: str = "") -> Iterator[Page]:
        if kind not in self.routes:  # runs: what a response did stands among the items
            return iter(())
        return super().pages(kind, parent, run, after)

    def add_details(self, kind: str, bodies: list[Body]) -> list[Body]:
        return agents_with_details(bodies, self.channel(kind).get) if kind == "assistant" else bodies

    def deployments(self) -> dict[str, Body] | None:
        return self._list_rows("/deployments", "name")

    def connections(self) -> dict[str, Body] | None:
        return self._list_rows("/connections", "id")

    def _list_rows(self, path: str, key: str) -> dict[str, Body] | None:
        channel = self.channels.project
        if channel is None or not isinstance(channel.transport, ProjectTransport):
            return None
        try:
            rows = list(channel.transport.list_rows(path, channel.get))
        except (NotFound, AccessDenied):
            return None
        return {str(row.get(key) or row.get("name")): row for row in rows}


class FoundryWriter(FoundryReader, AssistantsWriter):
    """Reads and writes a project."""

    def create(self, kind: str, wire: Body, name: str = "") -> Body:
        if kind != "assistant":
            return super().create(kind, wire)
        return self._create_version(name, wire)

    def update(self, kind: str, id_: str, wire: Body, parent: str = "") -> Body:
        if kind != "assistant":
            return super().update(kind, id_, wire, parent)
        return self._create_version(id_, wire)

    def revert(self, kind: str, id_: str, wire: Body, parent: str = "", version: str = "") -> None:
        """Versions are immutable: the one that was added is taken away, and the one before is the newest
        again."""
        if kind != "assistant":
            super().revert(kind, id_, wire, parent)
            return
        if version in ("", "1"):
            raise RequestFailed(f"agent {id_} has no version before the newest one")
        path = f"{self._path(kind, id_)}/versions/{path_segment(version)}"
        self.channel(kind).send("DELETE", path)

    def delete(self, kind: str, id_: str, parent: str = "") -> None:
        """Items outlive their conversation, so they go first; while one is left, the conversation stays."""
        if kind == "thread":
            said = ""
            for item in reversed(self._item_ids(id_)):
                try:
                    super().delete("message", item, id_)
                except NotFound as failed:
                    said = f": {failed}"
            if left := self._item_ids(id_):
                raise RequestFailed(f"{len(left)} of its items could not be deleted, {left[0]} is one{said}")
        super().delete(kind, id_, parent)

    def _item_ids(self, conversation: str) -> list[str]:
        """Ids of its items; none of one that is not there."""
        try:
            pages = self._list_pages("message", conversation)
            return [str(body["id"]) for page in pages for body in page.bodies]
        except NotFound:
            return []

    def append(self, thread: str, wires: list[Body]) -> int:
        path = self._path("message", parent=thread)
        rows = self.channel("message").send("POST", path, {"items": wires}).get("data")
        return len(rows) if isinstance(rows, list) else len(wires)

    def _create_version(self, name: str, wire: Body) -> Body:
        """A new version of an agent (its first makes the agent), in the form in which agents are listed."""
        version = self.channel("assistant").send("POST", f"/agents/{path_segment(name)}/versions", wire)
        if not (version.get("version") or version.get("id")):
            raise OutcomeUnknown(f"the answer to a new version of agent {name} names no version")
        called = str(version.get("name") or name)
        return {"object": "agent", "id": called, "name": called, "versions": {"latest": version}}
