"""The kinds of faults, as one declared row each: its settings, and what it does to one request."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from migrate.emulator.errors import gateway, refuse
from migrate.emulator.faults import altered_responses
from migrate.emulator.faults.mutations import change
from migrate.emulator.faults.rule import CUT, Asked, Row
from migrate.emulator.state import Estate, Json

METHODS = ("GET", "POST", "DELETE", "PATCH", "PUT")
WAITS = ("retry_after_ms", "retry_after", "retry_after_date")
KEYS = (b"authorization", b"api-key")
PIECES = 10
PAGE = b"<html><head><title>%d</title></head><body><h1>The gateway got no answer</h1></body></html>"

App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Hit:
    """A request whose turn it is, and everything that a fault may need to spoil it."""

    row: Row
    asked: Asked
    app: App
    retired: App
    estate: Estate
    of_openai: bool
    scope: Scope
    receive: Receive
    send: Send

    async def carried_out(self) -> list[Message]:
        """What the service answers, held back."""
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, hold)
        return messages

    async def cut(self, at_once: bool) -> None:
        """End the connection: at once, or when what was sent is on its way."""
        self.scope[CUT](at_once)
        await asyncio.sleep(0)  # the server hears of it, and expects no answer any more

    async def heard(self) -> None:
        """The rest of the request, which nobody wants. An answer before its end might be missed."""
        while (await self.receive()).get("more_body"):
            pass

    async def altered(self, change: Callable[[Json], None]) -> None:
        """What the service answers, changed where it is JSON; an error stays as it is."""
        start, content = _whole(await self.carried_out())
        if start["status"] < 300:
            try:
                answer = json.loads(content)
            except ValueError:
                answer = None
            if isinstance(answer, dict):
                change(answer)
                content = json.dumps(answer).encode()
        others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        size = str(len(content)).encode()
        await self.send({**start, "headers": [*others, (b"content-length", size)]})
        await self.send({"type": "http.response.body", "body": content})

    async def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        if self.row.given.get("done"):
            await self.carried_out()
        else:
            await self.heard()
        named = {"content-length": str(len(content)), **headers}
        raw = [(name.encode(), value.encode()) for name, value in named.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": content})


def _whole(messages: list[Message]) -> tuple[Message, bytes]:
    return dict(messages[0]), b"".join(message.get("body", b"") for message in messages[1:])


def waits(row: Row) -> dict[str, str]:
    """The header that asks to wait, in the form that the row names."""
    if (value := row.given.get("retry_after_ms")) is not None:
        return {"retry-after-ms": f"{value:g}"}
    if (value := row.given.get("retry_after")) is not None:
        return {"retry-after": str(value)}
    if (value := row.given.get("retry_after_date")) is not None:
        return {"retry-after": formatdate(time.time() + value, usegmt=True)}
    return {}


def _body(hit: Hit, status: int, message: str, code: str) -> bytes:
    """In the words of the service, or of the gateway before it."""
    kind = "requests" if status == 429 else "server_error" if status >= 500 else "invalid_request_error"
    error = refuse(message, code=code, kind=kind) if hit.of_openai else gateway(status, message)
    body: Json = error.body
    return json.dumps(body).encode()


async def too_many(hit: Hit) -> None:
    content = _body(hit, 429, "Too many requests; slow down.", "rate_limit_exceeded")
    await hit.answer(429, content, {"content-type": "application/json", **waits(hit.row)})


async def error(hit: Hit) -> None:
    status = hit.row["status"]
    content = _body(hit, status, f"A fault of the faults file: {status}.", "server_error")
    await hit.answer(status, content, {"content-type": "application/json", **waits(hit.row)})


async def html(hit: Hit) -> None:
    await hit.answer(hit.row["status"], PAGE % hit.row["status"], {"content-type": "text/html"})


async def cut(hit: Hit) -> None:
    await hit.cut(at_once=True)


async def lost(hit: Hit) -> None:
    await hit.carried_out()
    await hit.cut(at_once=True)


async def truncated(hit: Hit) -> None:
    start, content = _whole(await hit.carried_out())
    kept = content[: int(len(content) * hit.row["keep"])]
    whole = hit.row["length"] == "whole"
    size = str(len(content if whole else kept)).encode()
    others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    await hit.send({**start, "headers": [*others, (b"content-length", size)]})
    await hit.send({"type": "http.response.body", "body": kept, "more_body": whole})
    if whole:
        await hit.cut(at_once=False)


async def slow(hit: Hit) -> None:
    start, content = _whole(await hit.carried_out())
    await hit.send(start)
    step = max(1, -(-len(content) // PIECES))
    for offset in range(0, len(content), step):
        await asyncio.sleep(hit.row["seconds"] / PIECES)
        piece = content[offset : offset + step]
        await hit.send({"type": "http.response.body", "body": piece, "more_body": True})
    await hit.send({"type": "http.response.body", "body": b"", "more_body": False})


async def ignores_after(hit: Hit) -> None:
    pairs = hit.scope["query_string"].split(b"&")
    kept = b"&".join(pair for pair in pairs if not pair.startswith(b"after="))
    await hit.app({**hit.scope, "query_string": kept}, hit.receive, hit.send)


async def moves(hit: Hit) -> None:
    change(hit.row["change"], hit.estate, hit.asked.path, hit.asked.query)
    await hit.app(hit.scope, hit.receive, hit.send)


async def retired(hit: Hit) -> None:
    await hit.retired(hit.scope, hit.receive, hit.send)


async def expired(hit: Hit) -> None:
    """The service is asked with a token that it does not know, so its refusal is in its own words."""
    headers = [(n, b"Bearer expired" if n in KEYS else value) for n, value in hit.scope["headers"]]
    await hit.app({**hit.scope, "headers": headers}, hit.receive, hit.send)


async def undeleted(hit: Hit) -> None:
    """A deletion is answered, and the object stays. Anything but a deletion is carried out."""
    if hit.asked.method != "DELETE":
        await hit.app(hit.scope, hit.receive, hit.send)
        return
    id_ = hit.asked.path.rstrip("/").rpartition("/")[2]
    if hit.row["answer"] == "empty":
        await hit.answer(204, b"", {})
        return
    told: Json = {"id": id_, "object": "deleted", "deleted": hit.row["answer"] == "deleted"}
    await hit.answer(200, json.dumps(told).encode(), {"content-type": "application/json"})


async def drip(hit: Hit) -> None:
    await altered_responses.drip(hit, hit.carried_out)


async def unless(hit: Hit, wrong: Callable[[Any], str]) -> None:
    """Refuse a body for what `wrong` says of it; let any other pass. Uploads are no JSON and pass too."""
    messages = [await hit.receive()]
    while messages[-1].get("more_body"):
        messages.append(await hit.receive())
    try:
        body = json.loads(b"".join(message.get("body", b"") for message in messages))
    except ValueError:
        body = None
    if reason := wrong(body):
        error = refuse(reason) if hit.of_openai else gateway(400, reason)
        content = json.dumps(error.body).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await hit.send({"type": "http.response.start", "status": 400, "headers": headers})
        await hit.send({"type": "http.response.body", "body": content})
        return
    waiting = iter(messages)

    async def again() -> Message:
        message = next(waiting, None)
        return await hit.receive() if message is None else message

    await hit.app(hit.scope, again, hit.send)


async def refuses_nulls(hit: Hit) -> None:
    """A service that takes no null where its description says that one may stand."""
    await unless(hit, lambda body: altered_responses.null_in(body) if body is not None else "")


async def unseen_forms(hit: Hit) -> None:
    """A project that takes of items only what projects were seen to take."""
    await unless(hit, altered_responses.unseen_in)


async def nothing(hit: Hit) -> None:
    """A fault of files, not of requests."""
    await hit.app(hit.scope, hit.receive, hit.send)


@dataclass(frozen=True)
class Kind:
    """What it does; the settings a row of it may have besides those that choose requests."""

    spoil: Callable[[Hit], Any]
    settings: tuple[str, ...] = ()
    status: int = 0
    between_pages: bool = False  # only requests for a page after the first
    of_files: bool = False  # chosen by file name as they come into a store, not by request


KINDS: dict[str, Kind] = {
    "too-many": Kind(too_many, WAITS),
    "error": Kind(error, ("status", "done", *WAITS), status=500),
    "html": Kind(html, ("status", "done"), status=502),
    "cut": Kind(cut),
    "lost": Kind(lost),
    "truncated": Kind(truncated, ("keep", "length")),
    "slow": Kind(slow, ("seconds",)),
    "ignores-after": Kind(ignores_after, between_pages=True),
    "ignores-order": Kind(altered_responses.ignores_order, ("comes",)),
    "ends-early": Kind(altered_responses.ends_early),
    "no-has-more": Kind(altered_responses.no_has_more),
    "counts-more": Kind(altered_responses.counts_more, ("more",)),
    "refuses-include": Kind(altered_responses.refuses_include, ("value",)),
    "hides-content": Kind(altered_responses.hides_content),
    "ignores-include": Kind(altered_responses.ignores_include),
    "moving": Kind(moves, ("change",), between_pages=True),
    "ingestion": Kind(nothing, ("outcome",), of_files=True),
    "pinned": Kind(altered_responses.pinned, ("version",)),
    "refuse-nulls": Kind(refuses_nulls),
    "refuse-unseen-forms": Kind(unseen_forms),
    "retired": Kind(retired),
    "expired": Kind(expired),
    "undeleted": Kind(undeleted, ("answer",)),
    "redirect": Kind(altered_responses.redirect, ("code", "to")),
    "silent": Kind(altered_responses.silent, ("silence",)),
    "flood": Kind(altered_responses.flood, ("bytes", "packing")),
    "drip": Kind(drip, ("pause",)),
}
