"""Reads a whole estate with the SDKs, page by page: the same calls for a service and for its archive."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx2
import openai
from azure.ai.agents import AgentsClient
from azure.ai.projects import AIProjectClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy

# Reading the certificates of the system takes 0.1 s for each client. Loopback speaks plain http.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

# Objects of each list that are read at their own address too. Their lists are always read whole.
MAX_READ_ALONE = 3
LONG_THREAD = "thread_long"

# Description of a call -> its result.
Reading = dict[str, Any]
# A page size with several pages of most lists, and the default page size.
PAGES = ({"order": "asc", "limit": 6}, {})


def openai_pages(call: Callable[..., Any], *ids: str, **query: Any) -> list[Any]:
    """Every page of a list of the OpenAI client."""
    page = call(*ids, **query)
    pages = [page.to_dict(mode="json")]
    while page.has_next_page():
        page = page.get_next_page()
        pages.append(page.to_dict(mode="json"))
    return pages


def azure_pages(call: Callable[..., Any], *ids: str, **query: Any) -> list[Any]:
    """Every page of a list of a client of Azure."""
    return [[row.as_dict() for row in page] for page in call(*ids, **query).by_page()]


def ids_in(pages: list[Any]) -> list[str]:
    rows = [row for page in pages for row in (page["data"] if isinstance(page, dict) else page)]
    return [row["id"] for row in rows]


class EstateReading:
    """Collects what calls return."""

    def __init__(self, pages: Callable[..., list[Any]]) -> None:
        self._pages = pages
        self.found: Reading = {}

    def every_page(self, what: str, call: Callable[..., Any], *ids: str, **more: Any) -> list[str]:
        """Read a list in all ways; returns some of the ids in it: the last ones."""
        for query in PAGES:
            pages = self._pages(call, *ids, **query, **more)
            self.found[f"{what} {ids} {query} {more}"] = pages
        return ids_in(pages)[-MAX_READ_ALONE:]

    def one(self, what: str, call: Callable[..., Any], *arguments: str, **more: str) -> None:
        found = call(*arguments, **more)
        self.found[f"{what} {arguments} {more}"] = (
            found.to_dict(mode="json") if hasattr(found, "to_dict") else found.as_dict()
        )


def read_with_openai(client: openai.OpenAI, assistants: bool = True, parsed: bool = False) -> Reading:
    """Everything that the client of OpenAI or of Azure OpenAI can read."""
    reading = EstateReading(openai_pages)
    if assistants:
        _read_assistants(client, reading)
    _read_files(client, reading, parsed)
    return reading.found


def _read_assistants(client: openai.OpenAI, reading: EstateReading) -> None:
    beta = client.beta
    for id_ in reading.every_page("assistants", beta.assistants.list):
        reading.one("assistant", beta.assistants.retrieve, id_)
    for thread in {LONG_THREAD: 0, **dict.fromkeys(reading.every_page("threads", thread_lister(client)))}:
        reading.one("thread", beta.threads.retrieve, thread)
        for id_ in reading.every_page("messages", beta.threads.messages.list, thread):
            reading.one("message", beta.threads.messages.retrieve, id_, thread_id=thread)
        for run in reading.every_page("runs", beta.threads.runs.list, thread):
            reading.one("run", beta.threads.runs.retrieve, run, thread_id=thread)
            reading.every_page("messages of a run", beta.threads.messages.list, thread, run_id=run)
            for step in reading.every_page("steps", beta.threads.runs.steps.list, run, thread_id=thread):
                reading.one("step", beta.threads.runs.steps.retrieve, step, thread_id=thread, run_id=run)


def _read_files(client: openai.OpenAI, reading: EstateReading, parsed: bool) -> None:
    for id_ in reading.every_page("files", client.files.list):
        reading.one("file", client.files.retrieve, id_)
        try:
            content = client.files.content(id_).read()
        except openai.APIStatusError as error:
            content = error.status_code, error.body
        reading.found[f"content {id_}"] = content
    reading.every_page("files of a purpose", client.files.list, purpose="assistants_output")
    for store in reading.every_page("stores", client.vector_stores.list):
        reading.one("store", client.vector_stores.retrieve, store)
        for id_ in reading.every_page("files of a store", client.vector_stores.files.list, store):
            reading.one("file of a store", client.vector_stores.files.retrieve, id_, vector_store_id=store)
            if parsed:
                reading.found[f"parsed text {store} {id_}"] = _parsed_text(client, store, id_)
        reading.every_page("completed", client.vector_stores.files.list, store, filter="completed")


def _parsed_text(client: openai.OpenAI, store: str, file_id: str) -> Any:
    """The text, or that there is none: the service then has no such text, and the archive did not read it."""
    try:
        return openai_pages(client.vector_stores.files.content, file_id, vector_store_id=store)
    except openai.APIStatusError:
        return "none"


def thread_lister(client: openai.OpenAI) -> Callable[..., Any]:
    """The SDK has no list of threads, so its client gets the pages."""
    from openai.pagination import SyncCursorPage
    from openai.types.beta import Thread

    def call(**query: Any) -> Any:
        headers = {"OpenAI-Beta": "assistants=v2"}
        options = {"params": query, "headers": headers}
        return client.get_api_list("/threads", model=Thread, page=SyncCursorPage[Thread], options=options)

    return call


def read_with_agents_client(client: AgentsClient) -> Reading:
    """Everything that the client of classic agents can read."""
    reading = EstateReading(azure_pages)
    for id_ in reading.every_page("agents", client.list_agents):
        reading.one("agent", client.get_agent, id_)
    for thread in {LONG_THREAD: 0, **dict.fromkeys(reading.every_page("threads", client.threads.list))}:
        reading.one("thread", client.threads.get, thread)
        for id_ in reading.every_page("messages", client.messages.list, thread):
            reading.one("message", client.messages.get, thread, id_)
        for run in reading.every_page("runs", client.runs.list, thread):
            reading.one("run", client.runs.get, thread, run)
            reading.every_page("messages of a run", client.messages.list, thread, run_id=run)
            for step in reading.every_page("steps", client.run_steps.list, thread, run):
                reading.one("step", client.run_steps.get, thread, run, step)
    for file in client.files.list().data:
        reading.one("file", client.files.get, file.id)
        reading.found[f"content {file.id}"] = b"".join(client.files.get_content(file.id))
    for store in reading.every_page("stores", client.vector_stores.list):
        reading.one("store", client.vector_stores.get, store)
        for id_ in reading.every_page("files of a store", client.vector_store_files.list, store):
            reading.one("file of a store", client.vector_store_files.get, store, id_)
    return reading.found


def read_with_projects_client(client: AIProjectClient) -> Reading:
    """Everything that the client of projects can read, without versions, which an archive may lack."""
    reading = EstateReading(azure_pages)
    for name in reading.every_page("agents", client.agents.list):
        reading.one("agent", client.agents.get, name)
    reading.every_page("agents of a kind", client.agents.list, kind="prompt")
    with client.get_openai_client(max_retries=0) as openai_client:
        items = EstateReading(openai_pages)
        listed = openai_client.get("/conversations?limit=100", cast_to=httpx2.Response).json()
        items.found["conversations"] = listed
        for row in listed["data"]:
            items.one("conversation", openai_client.conversations.retrieve, row["id"])
            for id_ in items.every_page("items", openai_client.conversations.items.list, row["id"]):
                retrieve = openai_client.conversations.items.retrieve
                items.one("item", retrieve, id_, conversation_id=row["id"])
        _read_files(openai_client, items, parsed=False)
    return {**reading.found, **items.found}


class StaticToken:
    """A token that is the key of the archive, or of the emulated service."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        return AccessToken(self._key, int(time.time()) + 3600)


class AllowHttp(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """For loopback only: the SDK sends no token over plain http."""

    def on_request(self, request: Any) -> None:
        request.context.options["enforce_https"] = False


def openai_client(base_url: str, key: str) -> openai.OpenAI:
    http = httpx2.Client(verify=NO_CERTIFICATES)
    return openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=http)


def azure_client(endpoint: str, key: str, version: str) -> openai.AzureOpenAI:
    http = httpx2.Client(verify=NO_CERTIFICATES)
    return openai.AzureOpenAI(
        azure_endpoint=endpoint, api_key=key, api_version=version, max_retries=0, http_client=http
    )
