"""Our GET requests are equal to those of the openai package, and fail with the same errors."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx2
import openai
import pytest

from migrate.endpoints import process_settings
from migrate.endpoints.http import openai_transport as module
from migrate.endpoints.http.client import EstateHttpClient
from migrate.endpoints.http.openai_transport import OpenAITransport
from migrate.endpoints.process_settings import MAX_HEADER_AGE_S
from migrate.errors import AccessDenied, NotFound, RequestFailed

BETA = {"OpenAI-Beta": "assistants=v2"}
STEPS = ["step_details.tool_calls[*].file_search.results[*].content"]
GETS: dict[str, tuple[str, dict[str, object], dict[str, str]]] = {
    "a page": ("/threads/thread_1/messages", {"limit": 100, "order": "asc"}, BETA),
    "a list and odd letters": ("/threads/a b/ü", {"include[]": STEPS, "after": "x&y=z"}, BETA),
    "nothing but a path": ("/files", {}, {}),
}
Answer = Callable[[httpx2.Request], httpx2.Response]


class Service:
    """Answers, and records the requests. The tokens of its client are numbered."""

    def __init__(self, azure: bool = True) -> None:
        self.asked: list[httpx2.Request] = []
        self.answer: Answer = lambda request: httpx2.Response(200, json={"data": []})
        self.tokens = 0
        http = EstateHttpClient(
            transport=httpx2.MockTransport(self._take), timeout=httpx2.Timeout(120.0, connect=10.0)
        )
        http.follow_redirects = True
        given: Any = {"max_retries": 0, "http_client": http}
        client: openai.OpenAI
        if azure:
            there = {"azure_endpoint": "https://east.example", "api_version": "2025-04-01-preview"}
            client = openai.AzureOpenAI(**there, azure_ad_token_provider=self._token, **given)
        else:
            client = openai.OpenAI(base_url="https://west.example/openai/v1/", api_key="k", **given)
        self.http = http
        self.transport = OpenAITransport(client, http)

    def get(self, path: str = "/files", params: Any = None, headers: Any = None) -> Any:
        return self.transport.request("GET", path, params or {}, headers or {}, None)

    def _take(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return self.answer(request)

    def _token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"


@pytest.fixture(autouse=True)
def headers_are_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that was started by the program's entry."""
    monkeypatch.setattr(process_settings._tuning, "is_enabled", True)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test sets."""
    clock = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    return clock


def request_parts(request: httpx2.Request) -> tuple[Any, ...]:
    headers = sorted(request.headers.multi_items())
    return request.method, str(request.url), headers, request.content, request.extensions["timeout"]


@pytest.mark.parametrize("azure", [True, False])
@pytest.mark.parametrize("cookies", [{}, {"affinity": "one"}])
@pytest.mark.parametrize("what", GETS)
def test_a_further_request_is_the_same(azure: bool, cookies: dict[str, str], what: str) -> None:
    service = Service(azure)
    service.http.cookies.update(cookies)
    service.get(*GETS[what])
    service.get(*GETS[what])
    first, further = map(request_parts, service.asked)
    assert further == first
    assert service.tokens == (1 if azure else 0)


def test_a_cookie_that_was_set_since_goes_along() -> None:
    service = Service()
    service.answer = lambda _: httpx2.Response(
        200, json={}, headers={"set-cookie": f"at={len(service.asked)}"}
    )
    for _ in range(3):
        service.get()
    assert [request.headers.get("cookie") for request in service.asked] == [None, "at=1", "at=2"]


def test_a_cookie_that_is_gone_stays_away() -> None:
    service = Service()
    service.http.cookies.update({"at": "1"})
    service.get()
    service.http.cookies.clear()
    service.get()
    assert [request.headers.get("cookie") for request in service.asked] == ["at=1", None]


def test_it_is_signed_again_after_a_while(now: list[float]) -> None:
    service = Service()
    for moment in (0.0, MAX_HEADER_AGE_S, MAX_HEADER_AGE_S + 0.5, MAX_HEADER_AGE_S * 2):
        now[0] = 1000.0 + moment
        service.get()
    assert [request.headers["authorization"][-1] for request in service.asked] == ["1", "1", "2", "2"]


def test_each_request_is_signed_where_the_process_is_not_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_settings._tuning, "is_enabled", False)
    service = Service()
    for _ in range(3):
        service.get()
    assert [request.headers["authorization"][-1] for request in service.asked] == ["1", "2", "3"]


def test_a_token_that_ended_early_costs_nothing() -> None:
    service = Service()
    service.get()
    ended = httpx2.Response(401, json={"error": {"message": "expired"}})
    service.answer = lambda request: (
        ended if request.headers["authorization"].endswith("-1") else httpx2.Response(200, json={"data": [1]})
    )
    assert service.get() == {"data": [1]}
    assert [request.headers["authorization"][-1] for request in service.asked] == ["1", "1", "2"]


def test_who_is_refused_with_a_fresh_signature_is_refused() -> None:
    service = Service()
    service.get()
    service.answer = lambda _: httpx2.Response(401, json={"error": {"message": "no such role"}})
    with pytest.raises(AccessDenied, match="no such role"):
        service.get()
    service.answer = lambda _: httpx2.Response(200, json={})
    service.get()
    assert [request.headers["authorization"][-1] for request in service.asked] == ["1", "1", "2", "3"]


def test_requests_with_other_headers_are_signed_by_themselves() -> None:
    service = Service()
    for headers in ({}, BETA, {}, BETA):
        service.get(headers=headers)
    assert [request.headers.get("openai-beta") for request in service.asked] == [None, "assistants=v2"] * 2
    assert service.tokens == 2


def test_headers_of_another_address_are_not_kept() -> None:
    service = Service()
    moved = {"location": "https://north.example/files"}
    service.answer = lambda request: (
        httpx2.Response(200, json={})
        if request.url.host != "east.example"
        else httpx2.Response(307, headers=moved)
    )
    for _ in range(2):
        service.get()
    assert [request.headers["host"] for request in service.asked] == ["east.example", "north.example"] * 2
    assert service.tokens == 2


@pytest.mark.parametrize(
    ("status", "meant"),
    [(304, RequestFailed), (400, RequestFailed), (404, NotFound), (429, RequestFailed), (500, RequestFailed)],
)
def test_it_fails_as_the_first_would(status: int, meant: type[RequestFailed]) -> None:
    body = {"error": {"message": "so it is", "code": "why"}}
    fails: list[RequestFailed] = []
    for before in (0, 1):
        service = Service()
        for _ in range(before):
            service.get()
        service.answer = lambda _: httpx2.Response(status, json=body, headers={"retry-after": "7"})
        with pytest.raises(meant) as raised:
            service.get()
        fails.append(raised.value)
    first, further = ((type(e), str(e), e.status, e.code, e.headers["retry-after"]) for e in fails)
    assert further == first
    assert further[2] == status


@pytest.mark.parametrize(
    "error",
    [httpx2.ReadTimeout("too long"), httpx2.ConnectError("no way there"), httpx2.TooManyRedirects("round")],
)
def test_a_missing_answer_is_the_same_error(error: Exception) -> None:
    def none(_: httpx2.Request) -> httpx2.Response:
        raise error

    fails: list[tuple[str, int]] = []
    for before in (0, 1):
        service = Service()
        for _ in range(before):
            service.get()
        service.answer = none
        with pytest.raises(RequestFailed) as raised:
            service.get()
        fails.append((str(raised.value), raised.value.status))
    assert fails[0] == fails[1]
    assert fails[1][1] == 0
