"""HTTP requests of a project: who gets the token, what is sent only once, what a failure means."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from migrate.endpoints import foundry
from migrate.endpoints.http.client import http_client
from migrate.endpoints.http.foundry_transport import (
    AllowLoopbackHttp,
    ProjectCredential,
    ProjectTransport,
    project_client,
)
from migrate.endpoints.http.rate_limit import RateLimiter
from migrate.endpoints.http.retry import Channel
from migrate.endpoints.settings import Settings
from migrate.errors import AccessDenied, BadUsage, NotFound, OutcomeUnknown, RequestFailed
from tests.endpoints.scripted_server import PROJECT, Reply, Server, in_turn, listing, serving

SECRET = "token-of-this-test"
VERSION = {"object": "agent.version", "name": "desk", "version": "1", "definition": {"kind": "prompt"}}

Serve = Callable[..., Server]
Open = Callable[..., Channel]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture
def serve(stack: ExitStack) -> Serve:
    return lambda answer: stack.enter_context(serving(answer))


@pytest.fixture
def channel(stack: ExitStack) -> Open:
    """A channel to a server, as a Foundry endpoint makes it."""

    def opened(server: Server, writable: bool = False, auth: Any = "token", attempts: int = 3) -> Channel:
        settings = Settings("foundry", server.url, auth=auth, secret=SECRET)
        client = project_client(settings, writable, http_client(settings, writable))
        stack.callback(client.close)
        return Channel(
            ProjectTransport(client, server.url),
            RateLimiter(1),
            attempts=attempts,
            attempts_without_answer=min(attempts, 2),
        )

    return opened


class TestSignIn:
    def test_a_token_goes_over_plain_http_to_this_machine(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply(body={"id": "desk"})))
        assert channel(server).get("/agents/desk") == {"id": "desk"}
        (asked,) = server.asked
        assert asked.headers["authorization"] == f"Bearer {SECRET}"
        assert asked.path == f"{PROJECT}/agents/desk"
        assert asked.query == {"api-version": "v1"}

    def test_a_key_goes_as_a_key_and_no_token_beside_it(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply()))
        channel(server, auth="key").get("/agents")
        (asked,) = server.asked
        assert asked.headers["api-key"] == SECRET
        assert "authorization" not in asked.headers

    @pytest.mark.parametrize("url", ["http://example.com/api/projects/p", "http://10.0.0.1/api/projects/p"])
    def test_plain_http_to_another_machine_is_refused_at_once(self, url: str) -> None:
        with pytest.raises(BadUsage, match="plain http"):
            Settings("foundry", url, auth="token", secret=SECRET)

    @pytest.mark.parametrize(
        ("url", "let"),
        [
            ("http://127.0.0.1:1/x", True),
            ("http://localhost/x", True),
            ("http://[::1]/x", True),
            ("http://example.com/x", False),
            ("http://127.0.0.1.example.com/x", False),
            ("http://example.com/127.0.0.1", False),
            ("http://127.0.0.1@example.com/x", False),
        ],
    )
    def test_only_loopback_is_let_over_http(self, url: str, let: bool) -> None:
        options: dict[str, Any] = {}
        request = type("R", (), {"http_request": type("H", (), {"url": url}), "context": type("C", (), {})})
        request.context.options = options
        AllowLoopbackHttp().on_request(request)
        assert options == ({"enforce_https": False} if let else {})

    def test_a_given_token_is_taken_as_it_is(self) -> None:
        settings = Settings("foundry", "https://example.com", auth="token", secret=SECRET)
        token = ProjectCredential(settings).get_token("any scope")
        assert token.token == SECRET
        assert token.expires_on > time.time()

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    @pytest.mark.parametrize("auth", ["token", "key"])
    def test_an_answer_that_sends_us_elsewhere_gets_no_secret_there(
        self, serve: Serve, channel: Open, status: int, auth: str
    ) -> None:
        other = serve(in_turn(Reply(body={"id": "stolen"})))
        server = serve(in_turn(Reply(status, headers={"location": f"{other.url}/agents"})))
        with pytest.raises(RequestFailed):
            channel(server, auth=auth).get("/agents")
        assert not [asked for asked in other.asked if SECRET in str(asked.headers)]


class TestReading:
    @pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
    def test_a_reading_connection_sends_nothing_but_get(
        self, serve: Serve, channel: Open, method: str
    ) -> None:
        server = serve(in_turn(Reply()))
        with pytest.raises(AssertionError, match=method):
            channel(server).transport.request(method, "/agents/desk/versions", {}, {}, {"definition": {}})
        assert server.asked == []

    def test_a_reading_endpoint_sends_nothing_but_get_anywhere(self, serve: Serve) -> None:
        server = serve(in_turn(Reply(body=listing())))
        reader = foundry.connect_foundry(Settings("foundry", server.url, auth="token", secret=SECRET))
        for kind in ("assistant", "thread", "vector_store"):
            with pytest.raises(AssertionError, match="POST"):
                reader.channel(kind).send("POST", "/agents", {})
        assert {asked.method for asked in server.asked} == {"GET"}
        reader.close()

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_a_read_is_repeated_while_that_may_help(self, serve: Serve, channel: Open, status: int) -> None:
        server = serve(in_turn(Reply(status, headers={"retry-after": "0"}), Reply(body={"id": "desk"})))
        assert channel(server).get("/agents/desk") == {"id": "desk"}
        assert len(server.asked) == 2

    def test_a_read_is_given_up_after_as_many_attempts_as_allowed(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply(500, headers={"retry-after": "0"})))
        with pytest.raises(RequestFailed) as failed:
            channel(server, attempts=3).get("/agents")
        assert (len(server.asked), failed.value.status) == (3, 500)

    def test_silence_is_given_up_sooner_than_failures(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply(cut=True)))
        with pytest.raises(RequestFailed, match="no answer"):
            channel(server, attempts=4).get("/agents")
        assert len(server.asked) == 2


class TestWriting:
    def create(self, opened: Channel) -> dict[str, Any]:
        return opened.send("POST", "/agents/desk/versions", {"definition": {"kind": "prompt"}})

    def test_a_creating_request_is_sent_as_json_and_once(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply(body=VERSION)))
        assert self.create(channel(server, writable=True)) == VERSION
        (asked,) = server.asked
        assert (asked.method, asked.json) == ("POST", {"definition": {"kind": "prompt"}})
        assert asked.headers["content-type"] == "application/json"

    @pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
    @pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}], ids=["silent", "retry-after"])
    def test_one_that_failed_is_never_sent_again_by_itself(
        self, serve: Serve, channel: Open, status: int, headers: dict[str, str]
    ) -> None:
        server = serve(in_turn(Reply(status, headers=headers)))
        with pytest.raises(OutcomeUnknown):
            self.create(channel(server, writable=True))
        assert len(server.asked) == 1

    def test_one_that_was_turned_away_is_sent_again(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply(429, headers={"retry-after": "0"}), Reply(body=VERSION)))
        assert self.create(channel(server, writable=True)) == VERSION
        assert len(server.asked) == 2

    def test_one_that_is_turned_away_for_a_day_is_given_up(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply(429, headers={"retry-after": "86400"})))
        with pytest.raises(RequestFailed) as failed:
            self.create(channel(server, writable=True))
        assert not isinstance(failed.value, OutcomeUnknown)
        assert len(server.asked) == 1

    def test_one_without_an_answer_may_have_been_carried_out(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply(cut=True)))
        with pytest.raises(OutcomeUnknown, match="no answer"):
            self.create(channel(server, writable=True))
        assert len(server.asked) == 1

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
    def test_one_that_was_refused_is_a_certain_failure(
        self, serve: Serve, channel: Open, status: int
    ) -> None:
        server = serve(in_turn(Reply(status)))
        with pytest.raises(RequestFailed) as failed:
            self.create(channel(server, writable=True))
        assert not isinstance(failed.value, OutcomeUnknown)
        assert (len(server.asked), failed.value.status) == (1, status)


def said(message: str, code: str | None = None, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


FAMILIES = [
    (
        404,
        said("Agent X doesn't exist", "not_found", details=[]),
        NotFound,
        "Agent X doesn't exist",
        "not_found",
    ),
    (
        400,
        said("The supplied value is invalid.", "invalid_payload", param=""),
        RequestFailed,
        "supplied",
        "invalid_payload",
    ),
    (404, said("No such File object: x", None, param="id"), NotFound, "No such File object", ""),
    (408, said("The operation was timeout.", "Timeout"), RequestFailed, "timeout", "Timeout"),
    (403, b"<html><body>Forbidden by  proxy</body></html>", AccessDenied, "Forbidden by proxy", ""),
    (401, {"statusCode": 401, "message": "Access denied"}, AccessDenied, "Access denied", ""),
    (500, b"", RequestFailed, "no message", ""),
    (400, {"error": "in words"}, RequestFailed, "in words", ""),
]


class TestFailures:
    @pytest.mark.parametrize(("status", "body", "meant", "words", "code"), FAMILIES)
    def test_every_family_of_error_bodies_is_understood(
        self, serve: Serve, channel: Open, status: int, body: Any, meant: Any, words: str, code: str
    ) -> None:
        server = serve(in_turn(Reply(status, body, {"apim-request-id": "r-1"})))
        with pytest.raises(meant) as failed:
            channel(server, attempts=1).get("/agents/x")
        assert words in str(failed.value)
        assert "GET /agents/x" in str(failed.value)
        assert (failed.value.status, failed.value.code, failed.value.request_id) == (status, code, "r-1")
        assert SECRET not in str(failed.value)

    @pytest.mark.parametrize("kind", ["", "application/json", "application/xml"])
    @pytest.mark.parametrize(
        ("status", "meant"), [(403, AccessDenied), (404, NotFound), (400, RequestFailed)]
    )
    def test_a_body_of_another_type_hides_no_status(
        self, serve: Serve, channel: Open, kind: str, status: int, meant: Any
    ) -> None:
        server = serve(in_turn(Reply(status, b"<html>no", {"content-type": kind})))
        with pytest.raises(meant) as failed:
            channel(server).get("/agents")
        assert (failed.value.status, len(server.asked)) == (status, 1)

    def test_nobody_there_is_a_failed_request(self, serve: Serve, channel: Open) -> None:
        server = serve(in_turn(Reply()))
        opened = channel(server, attempts=1)
        server.shutdown()
        server.server_close()
        with pytest.raises(RequestFailed, match="got no answer") as failed:
            opened.get("/agents")
        assert failed.value.status == 0

    @pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1]", b'"x"', b'{"a": NaN}', b'{"a": '])
    def test_an_answer_that_is_no_object_is_a_failed_request(
        self, serve: Serve, channel: Open, body: bytes
    ) -> None:
        with pytest.raises(RequestFailed, match="answer"):
            channel(serve(in_turn(Reply(body=body))), attempts=1).get("/agents")

    def test_a_cut_answer_is_a_failed_request(self, serve: Serve, channel: Open) -> None:
        cut = Reply(body=b'{"id": "x"', headers={"content-length": "1000"})
        with pytest.raises(RequestFailed):
            channel(serve(in_turn(cut)), attempts=1).get("/agents")
