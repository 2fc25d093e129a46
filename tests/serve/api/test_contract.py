"""The real SDKs read a whole estate from the service and from its archive with the same result."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.ai.agents import AgentsClient
from azure.ai.projects import AIProjectClient

from migrate.model.masked_values import MASK
from tests.serve.api.conftest import MESSAGES, Sides
from tests.serve.api.readings import (
    AllowHttp,
    Reading,
    StaticToken,
    azure_client,
    openai_client,
    read_with_agents_client,
    read_with_openai,
    read_with_projects_client,
)
from tests.serve.api.serving import KEY

PROJECT = "/api/projects/demo"
POLICIES: dict[str, Any] = {"per_call_policies": [AllowHttp()], "retry_total": 0}


def read_azure(url: str) -> Reading:
    with azure_client(url, KEY, "2025-03-01-preview") as client:
        return read_with_openai(client)


def read_azure_undated(url: str) -> Reading:
    with openai_client(f"{url}/openai/v1", KEY) as client:
        return read_with_openai(client, assistants=False)


def read_openai(url: str) -> Reading:
    with openai_client(f"{url.removesuffix('/v1')}/v1", KEY) as client:
        return read_with_openai(client, parsed=True)


def read_classic(url: str) -> Reading:
    endpoint = f"{url.removesuffix(PROJECT)}{PROJECT}"
    with closing(AgentsClient(endpoint, StaticToken(KEY), **POLICIES)) as client:
        return read_with_agents_client(client)


def read_project(url: str) -> Reading:
    endpoint = f"{url.removesuffix(PROJECT)}{PROJECT}"
    with closing(AIProjectClient(endpoint, StaticToken(KEY), **POLICIES)) as client:
        return read_with_projects_client(client)


def with_masks(live: Any, archived: Any) -> Any:
    """The answer of a service, with a mask where the archive has one."""
    if archived == MASK:
        return MASK
    if isinstance(live, dict) and isinstance(archived, dict):
        return {key: with_masks(value, archived.get(key)) for key, value in live.items()}
    if isinstance(live, list) and isinstance(archived, list) and len(live) == len(archived):
        return [with_masks(*pair) for pair in zip(live, archived, strict=True)]
    return live


@pytest.mark.parametrize(
    ("type_", "read", "prefix"),
    [
        ("azure-openai", read_azure, ""),
        ("azure-openai", read_azure_undated, ""),
        ("openai", read_openai, ""),
        ("foundry-classic", read_classic, "/estates/3"),
        ("foundry", read_project, "/estates/4"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_sdk_reads_the_same(
    sides: Sides, type_: str, read: Callable[[str], Reading], prefix: str
) -> None:
    live, archived = read(sides.services[type_].url), read(sides.served.url + prefix)
    assert live.keys() == archived.keys()
    different = [call for call, found in archived.items() if found != with_masks(live[call], found)]
    assert different == []
    assert len(live) > 20
    long = [
        pages for call, pages in live.items() if call.startswith("messages ('thread_long',) {'order': 'asc'")
    ]
    assert not long or sum(len(p["data"] if isinstance(p, dict) else p) for p in long[0]) == MESSAGES


BAD_QUERIES = (
    "limit=0",
    "limit=101",
    "limit=many",
    "order=up",
    "after=nobody",
    "before=nobody",
    "after=&limit=0",
)
DATED = "api-version=2025-03-01-preview"
# Type -> paths that the service refuses, and lists that refuse an invalid query.
REFUSED = {
    "azure-openai": (
        *(
            f"/openai/{path}?{DATED}"
            for path in ("assistants/no", "threads/no", "threads/no/runs", "files/no")
        ),
        *(
            f"/openai/{path}?{DATED}"
            for path in ("files/no/content", "vector_stores/no/files", "nothing", "")
        ),
        f"/openai/threads/thread_long/runs/no/steps?{DATED}",
        f"/openai/threads/thread_long/runs/run_a/steps/step_run_b_0?{DATED}",
        f"/openai/threads/thread_long/runs/run_a/steps?{DATED}&after=step_run_b_0",
        *("/openai/assistants", "/openai/assistants?api-version=2023-05-15", "/openai/v1/assistants"),
        *("/openai/v1/files/no", "/openai/v1/files?api-version=2025-03-01-preview"),
        *(f"/openai/assistants?{DATED}&{query}" for query in BAD_QUERIES),
        *(f"/openai/v1/vector_stores?{query}" for query in BAD_QUERIES),
    ),
    "openai": (
        *(
            "/v1/assistants/no",
            "/v1/threads/no/messages",
            "/v1/files/no",
            "/v1/vector_stores/no",
            "/v1/nothing",
        ),
        *(f"/v1/threads/thread_long/messages?{query}" for query in BAD_QUERIES),
        *("/v1/files?limit=10001", "/v1/threads/thread_long/messages/no"),
    ),
    "foundry-classic": (
        *(f"/api/projects/demo/{path}?api-version=v1" for path in ("assistants/no", "threads/no", "nothing")),
        *("/api/projects/demo/assistants", "/api/projects/demo/assistants?api-version=2020-01-01"),
        *("/api/projects/demo/files?api-version=v1&limit=1", "/api/projects/demo/files/no?api-version=v1"),
        *(f"/api/projects/demo/threads?api-version=v1&{query}" for query in BAD_QUERIES),
    ),
    "foundry": (
        *("/api/projects/demo/agents/no?api-version=v1", "/api/projects/demo/agents"),
        *("/api/projects/demo/openai/v1/conversations/no", "/api/projects/demo/openai/v1/nothing"),
        *("/api/projects/demo/openai/v1/conversations/no/items", "/api/projects/demo/openai/v1/files/no"),
        "/api/projects/demo/openai/v1/conversations?api-version=v1",
        *(f"/api/projects/demo/agents?api-version=v1&{query}" for query in BAD_QUERIES),
        *(f"/api/projects/demo/openai/v1/conversations?{query}" for query in BAD_QUERIES),
        *(f"/api/projects/demo/openai/v1/files?{query}" for query in BAD_QUERIES if query != "limit=101"),
    ),
}


def refusal(url: str, path: str) -> tuple[int, Any]:
    """Status and body of an answer, without the id of the request."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    headers = {"api-key": KEY, "authorization": f"Bearer {KEY}", "openai-beta": "assistants=v2"}
    connection.request("GET", parts.path + path, headers=headers)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    body["error"].pop("additionalInfo", None)
    return answer.status, body


@pytest.mark.parametrize(("type_", "prefix"), [(t, f"/estates/{n}") for n, t in enumerate(REFUSED, 1)])
def test_what_is_refused_is_refused_in_the_same_words(sides: Sides, type_: str, prefix: str) -> None:
    service = sides.services[type_].url.removesuffix(PROJECT).removesuffix("/v1")
    different = {}
    for path in REFUSED[type_]:
        live, archived = refusal(service, path), refusal(sides.served.url + prefix, path)
        assert live[0] >= 400
        if live != archived:
            different[path] = (live, archived)
    assert different == {}
