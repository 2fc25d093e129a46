"""The HTTP client of an estate sends the requests of the openai package unchanged, and refuses writes
where it should only read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from migrate.endpoints.http.client import EstateHttpClient, http_client
from migrate.endpoints.http.openai_transport import OpenAITransport
from migrate.endpoints.settings import Settings

EAST = Settings("azure-openai", "https://east.example", secret="k", workers=2)
STEPS = ["step_details.tool_calls[*].file_search.results[*].content"]
BETA = {"OpenAI-Beta": "assistants=v2"}

ASKED: dict[str, Callable[[OpenAITransport], object]] = {
    "a page": lambda w: w.request(
        "GET", "/threads/thread_1/messages", {"limit": 100, "order": "asc"}, BETA, None
    ),
    "a list and odd letters": lambda w: w.request(
        "GET", "/threads/a b/ü", {"include[]": STEPS, "after": "x&y=z"}, BETA, None
    ),
    "nothing but a path": lambda w: w.request("GET", "/files", {}, {}, None),
    "a body": lambda w: w.request(
        "POST", "/threads", {}, BETA, {"messages": [{"role": "user", "content": "hö"}]}
    ),
    "deleting": lambda w: w.request("DELETE", "/threads/thread_1", {}, BETA, None),
}

Made = tuple[str, str, list[tuple[str, str]], bytes, Any]


def sent(
    http: type[httpx2.Client], azure: bool, cookies: dict[str, str], ask: Callable[[OpenAITransport], object]
) -> Made:
    """The request that arrives at the transport."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"data": []})

    client = http(
        transport=httpx2.MockTransport(answer), timeout=httpx2.Timeout(120.0, connect=10.0), cookies=cookies
    )
    given: Any = {"api_key": "k", "max_retries": 0, "http_client": client}
    if azure:
        asked: openai.OpenAI = openai.AzureOpenAI(
            azure_endpoint="https://east.openai.azure.com", api_version="2025-04-01-preview", **given
        )
    else:
        asked = openai.OpenAI(base_url="https://west.example/api/projects/one/openai/v1/", **given)
    ask(OpenAITransport(asked, client))
    (request,) = seen
    headers = [item for item in request.headers.multi_items() if item[0] != "x-stainless-retry-count"]
    return request.method, str(request.url), sorted(headers), request.content, request.extensions["timeout"]


@pytest.mark.parametrize("azure", [True, False])
@pytest.mark.parametrize("cookies", [{}, {"affinity": "one"}])
@pytest.mark.parametrize("what", ASKED)
def test_a_request_is_the_same(azure: bool, cookies: dict[str, str], what: str) -> None:
    ours, theirs = (sent(http, azure, cookies, ASKED[what]) for http in (EstateHttpClient, httpx2.Client))
    assert ours[1:] == theirs[1:]
    assert ours == theirs
    assert ("accept-encoding", "gzip, deflate") in ours[2]
    assert any(name in ("api-key", "authorization") for name, _ in ours[2])


def test_other_requests_go_the_usual_way() -> None:
    with http_client(EAST, writable=True) as client:
        request = client.build_request("GET", "https://east.example/x?a=1", params={"b": "2"})
        assert str(request.url) == "https://east.example/x?b=2"
        assert client.build_request("GET", httpx2.URL("https://east.example/x")).url.path == "/x"


def test_a_reading_client_writes_nothing() -> None:
    with (
        http_client(EAST, writable=False) as client,
        pytest.raises(AssertionError, match="must not send POST /x"),
    ):
        client.post("https://east.example/x", json={})
