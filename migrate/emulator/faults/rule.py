"""One row of a faults file: which requests it applies to, and what its fault can do with a request."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from migrate.emulator.errors import gateway, refuse
from migrate.emulator.state import Estate, Json

CLOSE_CONNECTION = "emulator.close_connection"  # key of the ASGI scope: a function(at_once)
JSON_TYPE = {"content-type": "application/json"}

App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class RequestInfo:
    """A request before it is carried out. `page` is the page of a listing, from 1."""

    method: str
    path: str
    query: Mapping[str, str]
    page: int = 1


@dataclass(frozen=True)
class FaultKind:
    """What a fault does, and the settings of its rows besides those that select requests."""

    apply: Callable[[FaultContext], Awaitable[None]]
    settings: tuple[str, ...] = ()
    default_status: int = 0
    is_between_pages: bool = False  # applies only to requests for a page after the first
    is_for_files: bool = False  # selected by the name of a file that is added to a store, not by request


@dataclass
class FaultRule:
    """One row. It counts the requests that match it, so it must be used by one emulator only."""

    number: int  # in the file, from 1
    what: str
    kind: FaultKind
    settings: Mapping[str, Any]  # every key that a row of this kind may have, with its default if absent
    seed: int = 0
    times_matched: int = 0
    times_applied: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed}/{self.number}")

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    def matches(self, request: RequestInfo) -> bool:
        """Whether the request is one of those that the row selects, no matter how often it applied."""
        if self["methods"] and request.method not in self["methods"]:
            return False
        if not fnmatchcase(request.path, self["path"]):
            return False
        if self.kind.is_between_pages and "after" not in request.query:
            return False
        return self["page"] is None or (request.method == "GET" and request.page == self["page"])

    def matches_file(self, filename: str) -> bool:
        """The same for the name of a file that is added to a vector store."""
        return fnmatchcase(filename, self["file"])

    def is_due(self) -> bool:
        """Count one more match, and decide whether the fault applies to it.

        A random number is drawn for every match, so that the sequence of a row depends only on its seed
        and on the number of matches.
        """
        self.times_matched += 1
        is_drawn = self._random.random() < self["share"]
        is_selected = not self["nth"] or self.times_matched in self["nth"]
        has_times_left = self["times"] is None or self.times_applied < self["times"]
        return self.times_matched >= self["from"] and is_selected and is_drawn and has_times_left


@dataclass(frozen=True)
class FaultContext:
    """A request to which a fault applies, and what the fault may need to disturb it."""

    rule: FaultRule
    request: RequestInfo
    app: App  # the service
    retired_app: App  # the same service without assistants
    estate: Estate
    is_openai: bool
    scope: Scope
    receive: Receive
    send: Send

    async def pass_on(self, *, receive: Receive | None = None, **changes: Any) -> None:
        """Let the service answer, with these changes of the ASGI scope."""
        await self.app({**self.scope, **changes}, receive or self.receive, self.send)

    async def service_answer(self) -> tuple[Message, bytes]:
        """Carry the request out without sending the answer: its start message and its content."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, collect)
        return dict(messages[0]), b"".join(message.get("body", b"") for message in messages[1:])

    async def close_connection(self, at_once: bool) -> None:
        """End the connection: at once, or after what has been sent is delivered."""
        self.scope[CLOSE_CONNECTION](at_once)
        await asyncio.sleep(0)  # the server learns of it and does not expect an answer any more

    async def drain_request(self) -> None:
        """Read and drop the rest of the request: a client that is still sending might miss the answer."""
        while (await self.receive()).get("more_body"):
            pass

    async def disconnected(self) -> None:
        """Return when the client has closed the connection."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def send_start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status and the headers of an answer."""
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def send_body(self, content: bytes = b"", more: bool = False) -> None:
        """Send a part of the content; the last one with `more=False`."""
        await self.send({"type": "http.response.body", "body": content, "more_body": more})

    async def send_answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        """Send a whole answer of our own."""
        await self.send_start(status, {"content-length": str(len(content)), **headers})
        await self.send_body(content)

    async def answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        """Send an answer in place of the service's; with `done`, the request is carried out before."""
        if self.rule.settings.get("done"):
            await self.service_answer()
        else:
            await self.drain_request()
        await self.send_answer(status, content, headers)

    async def send_resized(self, start: Message, size: int) -> None:
        """Send the start of the service's answer with another length, in bytes."""
        others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await self.send({**start, "headers": [*others, (b"content-length", str(size).encode())]})

    async def alter_answer(self, change: Callable[[Json], None]) -> None:
        """Send the service's answer after `change` if it is a JSON object; errors stay unchanged."""
        start, content = await self.service_answer()
        if start["status"] < 300:
            try:
                answer = json.loads(content)
            except ValueError:
                answer = None
            if isinstance(answer, dict):
                change(answer)
                content = json.dumps(answer).encode()
        await self.send_resized(start, len(content))
        await self.send_body(content)

    def error_body(self, status: int, message: str, code: str | None) -> bytes:
        """An error in the format of the service, or of the gateway in front of it."""
        kind = "requests" if status == 429 else "server_error" if status >= 500 else "invalid_request_error"
        error = refuse(message, code=code, kind=kind) if self.is_openai else gateway(status, message)
        return json.dumps(error.body).encode()
