"""A Foundry project of the new generation as an estate: agents, conversations, files and vector stores.

Agents, deployments and connections are read through azure-ai-projects, everything else through the OpenAI
client that this SDK creates. The name of an agent is its address. Its definition is in its newest version,
and every write adds a version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from migrate.endpoints.addresses import path_segment
from migrate.endpoints.assistants import AssistantsReader, AssistantsWriter, EstateChannels
from migrate.endpoints.auth import PLACEHOLDER_KEY
from migrate.endpoints.connection import EstateConnection
from migrate.endpoints.http.foundry_transport import PROJECT_API_VERSION, ProjectTransport, project_client
from migrate.endpoints.http.retry import Channel
from migrate.endpoints.interface import Body, Page
from migrate.endpoints.probe import check_any_route_known, probe_result, probe_routes
from migrate.endpoints.routes import FOUNDRY_ROUTES
from migrate.endpoints.settings import Settings
from migrate.errors import AccessDenied, NotFound, OutcomeUnknown, RequestFailed
from migrate.model.served_version import newest_version, served_older_versions

# Agents that are requested in parallel. The rate limiter of the endpoint bounds these requests as well.
MAX_PARALLEL_AGENT_REQUESTS = 8
# A row of a listing without this key does not have the details of its agent.
AGENT_DETAIL_KEY = "agent_endpoint"

GetJson = Callable[[str], Body]


def agents_with_details(rows: list[Body], ask: GetJson) -> list[Body]:
    """The agents of a listing, each read at its own address, in the order of the rows. `ask` sends a GET."""
    if not rows:
        return rows
    with ThreadPoolExecutor(min(MAX_PARALLEL_AGENT_REQUESTS, len(rows))) as pool:
        return list(pool.map(lambda row: _agent_with_details(row, ask), rows))


def _agent_with_details(row: Body, ask: GetJson) -> Body:
    name = row.get("name") or row.get("id")
    if not isinstance(name, str) or not name:
        return row
    agent = row if AGENT_DETAIL_KEY in row else _get_agent(ask, row, name)
    versions = agent.get("versions")
    if not isinstance(versions, dict):
        return agent
    for number in served_older_versions(agent):
        version = _get_agent(ask, {}, name, number)
        if version:
            versions = {**versions, number: version}
    return {**agent, "versions": versions}


def _get_agent(ask: GetJson, default: Body, name: str, number: str = "") -> Body:
    """The agent, or one version of it, read at its own address. Returns `default` if this fails or answers
    with another object: one row without details must not make the whole listing fail."""
    try:
        path = f"/agents/{path_segment(name)}"
        answer = ask(f"{path}/versions/{path_segment(number)}" if number else path)
    except RequestFailed:
        return default
    if number:
        return answer if str(answer.get("version")) == number else default
    is_same_agent = newest_version(answer) != "" and answer.get("id") == default.get("id")
    return answer if is_same_agent else default


def connect_foundry(settings: Settings, writable: bool = False) -> FoundryReader:
    """A reader (or writer) of a Foundry project. Nothing is sent before the first use."""
    connection = EstateConnection(settings, writable)
    http = connection.http
    client = project_client(settings, writable, http)
    credential = {"api_key": settings.secret or PLACEHOLDER_KEY} if settings.auth in ("key", "none") else {}
    openai = client.get_openai_client(max_retries=0, http_client=http, **credential)
    project = Channel(ProjectTransport(client, settings.url.rstrip("/")), connection.limiter)
    files = connection.channel(openai)

    def open_channels() -> EstateChannels:
        answers = probe_routes(files, settings.url, FOUNDRY_ROUTES, project)
        check_any_route_known(
            answers, settings.url, "agents", "the address of a project ends in /api/projects/PROJECT"
        )
        result = probe_result(answers, PROJECT_API_VERSION, settings.remarks)
        return EstateChannels(result, files, files, project)

    return (FoundryWriter if writable else FoundryReader)(connection, open_channels)


class FoundryReader(AssistantsReader):
    """Reads a Foundry project."""

    routes = FOUNDRY_ROUTES

    def pages(self, kind: str, parent: str = "", run: str = "", after: str = "") -> Iterator[Page]:
        if kind not in self.routes:  # runs: what a response did is part of the items
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
    """Reads and writes a Foundry project."""

    def create(self, kind: str, wire: Body, name: str = "") -> Body:
        if kind != "assistant":
            return super().create(kind, wire)
        return self._create_version(name, wire)

    def update(self, kind: str, id_: str, wire: Body, parent: str = "") -> Body:
        if kind != "assistant":
            return super().update(kind, id_, wire, parent)
        return self._create_version(id_, wire)

    def revert(self, kind: str, id_: str, wire: Body, parent: str = "", version: str = "") -> None:
        """Delete the version that was added, so that the one before is the newest again. A version itself
        cannot be changed. Raises `RequestFailed` where there is no earlier version."""
        if kind != "assistant":
            super().revert(kind, id_, wire, parent)
            return
        if version in ("", "1"):
            raise RequestFailed(f"agent {id_} has no version before the newest one")
        path = f"{self._path(kind, id_)}/versions/{path_segment(version)}"
        self.channel(kind).send("DELETE", path)

    def delete(self, kind: str, id_: str, parent: str = "") -> None:
        """Delete an object. The items of a conversation are deleted first, because a service keeps them
        after the conversation is gone. While an item remains, the conversation is not deleted."""
        if kind == "thread":
            reason = ""
            for item in reversed(self._item_ids(id_)):
                try:
                    super().delete("message", item, id_)
                except NotFound as failed:
                    reason = f": {failed}"
            if remaining := self._item_ids(id_):
                raise RequestFailed(
                    f"{len(remaining)} of its items could not be deleted, {remaining[0]} is one{reason}"
                )
        super().delete(kind, id_, parent)

    def _item_ids(self, conversation: str) -> list[str]:
        """The ids of the items of a conversation; empty if the conversation does not exist."""
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
        """Create a version of an agent; the first version creates the agent. Returns the agent in the form
        in which agents are listed."""
        version = self.channel("assistant").send("POST", f"/agents/{path_segment(name)}/versions", wire)
        if not (version.get("version") or version.get("id")):
            raise OutcomeUnknown(f"the answer to a new version of agent {name} names no version")
        agent_name = str(version.get("name") or name)
        return {"object": "agent", "id": agent_name, "name": agent_name, "versions": {"latest": version}}
