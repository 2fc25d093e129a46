"""ASGI applications in front of an emulator that damage selected answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Method, path and query -> whether the fault applies to this request.
Match = Callable[[str, str, str], bool]


@dataclass
class Fault:
    """Damages matching requests, from the `first` to the `last` (counted from 1)."""

    fits: Match
    first: int = 1
    last: int = 1
    seen: int = 0
    spoiled: list[str] = field(default_factory=list)

    def __call__(self, app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            asked = scope["method"], scope["path"], scope["query_string"].decode()
            if self.fits(*asked):
                self.seen += 1
                if self.first <= self.seen <= self.last:
                    self.spoiled.append(f"{asked[0]} {asked[1]}")
                    await self.spoil(app, scope, receive, send)
                    return
            await app(scope, receive, send)

        return wrapped

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


class LostAnswer(Fault):
    """The request is carried out, but its answer never arrives: the connection is cut."""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, discard_answer)
        # The announced length is larger than the body: the server closes, the client gets a broken answer.
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"id": "', "more_body": False})


class HiddenBehind500(Fault):
    """The request is carried out, and answered with status 500."""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, discard_answer)
        await send_answer(
            send, 500, {"error": {"message": "The server had an error.", "type": "server_error"}}
        )


class PartlyDone(Fault):
    """Only the first items of the request are stored, and the answer is an error."""

    kept = 7
    status = 500

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        body = json.loads(await read_body(receive))
        cut = json.dumps({**body, "items": body["items"][: self.kept]}).encode()
        await app(scope, replay_body(cut), discard_answer)
        await send_answer(
            send, self.status, {"error": {"message": "The server had an error.", "type": "server_error"}}
        )


class PartlyRefused(PartlyDone):
    """The first items are stored, and the request is refused with an error."""

    status = 400


@dataclass
class LateRequest(Fault):
    """A gateway answers 504 while the service still works: the request is carried out only after the client
    has checked `looks` times for its outcome."""

    looks: int = 1
    looked: int = 0
    waiting: list[Any] = field(default_factory=list)

    def __call__(self, app: Any) -> Any:
        inner = super().__call__(app)

        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] == "GET" and self.waiting:
                self.looked += 1
                if self.looked > self.looks:
                    await app(*self.waiting.pop(), discard_answer)
            await inner(scope, receive, send)

        return wrapped

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        self.waiting.append((scope, replay_body(await read_body(receive))))
        await send_answer(send, 504, b"<html>Gateway Timeout</html>")


class Refusal(Fault):
    """The request is refused, as for a user without permission to write."""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        await send_answer(send, 403, {"error": {"message": "Not allowed.", "type": "forbidden"}})


@dataclass
class RefusedText(Fault):
    """A request with a certain word is always refused (400), as by a content filter."""

    word: bytes = b""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        body = await read_body(receive)
        if self.word in body:
            error = {"code": "invalid_payload", "message": "Not this one.", "type": "invalid_request_error"}
            await send_answer(send, 400, {"error": error})
        else:
            await app(scope, replay_body(body), send)


@dataclass
class ConcurrencyCounter:
    """Damages nothing; counts the concurrent requests to one address."""

    fits: Match
    now: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)

    def __call__(self, app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            path = scope["path"]
            if not self.fits(scope["method"], path, scope["query_string"].decode()):
                await app(scope, receive, send)
                return
            self.now[path] += 1
            self.most[path] = max(self.most[path], self.now[path])
            try:
                await app(scope, receive, send)
            finally:
                self.now[path] -= 1

        return wrapped


@dataclass
class FixedAnswer(Fault):
    """The request does not reach the service and gets this answer."""

    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send_answer(send, self.status, self.body, self.headers)


class TruncatedAnswer(Fault):
    """The answer is truncated in the middle, with a matching length."""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        whole = await capture_answer(app, scope, receive)
        await send_answer(send, 200, whole[: len(whole) // 2])


async def capture_answer(app: Any, scope: Any, receive: Any) -> bytes:
    """Collect the body of an answer without sending it."""
    parts: list[bytes] = []

    async def keep(message: Any) -> None:
        parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return b"".join(parts)


async def discard_answer(message: Any) -> None:
    """Discard an answer."""


async def read_body(receive: Any) -> bytes:
    """Read the whole body of a request."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def replay_body(body: bytes) -> Callable[[], Any]:
    """Replay the body of a request."""

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def send_answer(send: Any, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
    """Send JSON, or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    type_ = "text/html" if content.startswith(b"<") else "application/json"
    named = {"content-type": type_, "content-length": str(len(content)), **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})


def is_create(ending: str) -> Match:
    """Match requests that create an object."""
    return lambda method, path, query: method == "POST" and path.endswith(ending)


def is_listing(ending: str) -> Match:
    """Match requests for pages of a listing."""
    return lambda method, path, query: method == "GET" and path.endswith(ending)


def is_second_page(ending: str) -> Match:
    """Match requests for later pages of a listing."""
    return lambda method, path, query: method == "GET" and path.endswith(ending) and "after=" in query


def is_page(ending: str) -> Match:
    """Match requests for full pages of a listing, not the probe for a single row."""

    def fits(method: str, path: str, query: str) -> bool:
        return method == "GET" and path.endswith(ending) and "limit=1&" not in f"{query}&"

    return fits
