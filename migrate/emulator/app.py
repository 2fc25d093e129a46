"""The ASGI application of an emulated service: finds the API and the route of a request, and answers it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from migrate.emulator.apis import Api, Dialect, Head
from migrate.emulator.errors import ApiError, UnknownKey, refuse, resource_not_found
from migrate.emulator.options import Options
from migrate.emulator.router import Call, Route
from migrate.emulator.state import Estate, Json

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Request:
    """What a client sent, and how it was answered. The body of an upload is not kept."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int


class EmulatedService:
    """One estate behind several apis; the longest prefix that fits a path wins, named families first."""

    def __init__(self, estate: Estate, apis: Sequence[Api], options: Options) -> None:
        self.estate = estate
        self.requests: list[Request] = []
        self.options = options
        self._apis = sorted(apis, key=lambda api: (-len(api.prefix), not api.families))

    def like(self, **changes: Any) -> EmulatedService:
        """The same service with other options: one estate, one record of requests."""
        other = EmulatedService(self.estate, self._apis, replace(self.options, **changes))
        other.requests = self.requests
        return other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.options.latency:
            await asyncio.sleep(self.options.latency)
        http = HttpRequest(scope, receive)
        try:
            body = await self._heard(http) if self.options.record else b""
            response = await self._answer(http, scope)
        except ClientDisconnect:
            return
        if self.options.record:
            self.requests.append(_recorded(http, body, response.status_code))
        await response(scope, receive, send)

    async def _heard(self, http: HttpRequest) -> bytes:
        """The body for the record; Starlette keeps it for the handler. Uploads pass by."""
        streamed = http.headers.get("content-type", "").startswith("multipart/")
        return b"" if streamed else await http.body()

    async def _answer(self, http: HttpRequest, scope: Scope) -> Response:
        path: str = scope["path"]
        api = next((api for api in self._apis if api.covers(path)), None)
        if api is None:
            error = resource_not_found(http.method, path)
            return _json(error.status, error.body)
        return await self._spoken(api, http, scope)

    async def _spoken(self, api: Api, http: HttpRequest, scope: Scope) -> Response:
        head = Head(
            scope["method"],
            scope["path"][len(api.prefix) :],
            dict(scope["headers"]),
            dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        )
        try:
            dialect = api.admit(head, self.options)
            found = dialect.router.find(head.method, head.path)
            if found is None:
                raise api.nowhere(head)
            route, variables = found
            body = await _body(route, dialect, http) if route.body else {}
            call = Call(self.estate, api.service, self.options, head.query, body, http)
            answer: Any = route.handler(call, *variables)
            if isinstance(answer, Awaitable):
                answer = await answer
            response = answer if isinstance(answer, Response) else _json(200, dialect.outgoing(answer))
            response.raw_headers.extend(api.service.headers())
            return response
        except UnknownKey as unknown:
            error = api.service.unknown_key(unknown)
        except ApiError as refusal:
            error = refusal
        error = api.service.refusal(error)
        response = _json(error.status, error.body)
        response.raw_headers.extend(api.service.headers() if error.headers is None else error.headers)
        return response


def _recorded(http: HttpRequest, body: bytes, status: int) -> Request:
    return Request(http.method, http.url.path, dict(http.query_params), dict(http.headers), body, status)


async def _body(route: Route, dialect: Dialect, http: HttpRequest) -> Json:
    """JSON that the operation's schema accepts; nothing at all counts as an empty object."""
    raw = await http.body()
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise refuse("The body is not valid JSON.") from None
    operation = route.body or ""
    dialect.bodies[operation](body, "")
    return dialect.incoming(operation, body)


def _json(status: int, body: Json) -> Response:
    try:
        content = _compact(body).encode()
    except UnicodeEncodeError:  # half a character, which only an escape can carry
        content = json.dumps(body).encode()
    return Response(content, status, media_type="application/json")
