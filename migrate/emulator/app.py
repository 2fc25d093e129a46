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

from migrate.emulator.apis import Api, ApiVersion, RequestHead
from migrate.emulator.errors import ApiError, UnknownKey, refuse, resource_not_found
from migrate.emulator.options import Options
from migrate.emulator.router import Call
from migrate.emulator.state import Estate, Json

_compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Request:
    """A recorded request and the status of its answer. The body of an upload is not kept."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int


class EmulatedService:
    """One estate behind its APIs. The longest matching prefix wins, APIs with named families first."""

    def __init__(self, estate: Estate, apis: Sequence[Api], options: Options) -> None:
        self.estate = estate
        self.requests: list[Request] = []
        self.options = options
        self._apis = sorted(apis, key=lambda api: (-len(api.prefix), not api.families))

    def with_options(self, **changes: Any) -> EmulatedService:
        """The same service with other options. Both share the estate and the recorded requests."""
        service = EmulatedService(self.estate, self._apis, replace(self.options, **changes))
        service.requests = self.requests
        return service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, as ASGI requires."""
        if self.options.latency:
            await asyncio.sleep(self.options.latency)
        http = HttpRequest(scope, receive)
        try:
            body = await _body_to_record(http) if self.options.record else b""
            response = await self._answer(http, scope)
        except ClientDisconnect:
            return
        if self.options.record:
            query, headers = dict(http.query_params), dict(http.headers)
            self.requests.append(
                Request(http.method, http.url.path, query, headers, body, response.status_code)
            )
        await response(scope, receive, send)

    async def _answer(self, http: HttpRequest, scope: Scope) -> Response:
        path: str = scope["path"]
        api = next((api for api in self._apis if api.matches(path)), None)
        if api is None:
            error = resource_not_found(http.method, path)
            return _json_response(error.status, error.body)
        head = RequestHead(
            scope["method"],
            path[len(api.prefix) :],
            dict(scope["headers"]),
            dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        )
        try:
            response = await self._call_handler(api, head, http)
            headers = api.service.headers()
        except (UnknownKey, ApiError) as refusal:
            error = api.service.unknown_key(refusal) if isinstance(refusal, UnknownKey) else refusal
            error = api.service.convert_error(error)
            response = _json_response(error.status, error.body)
            headers = api.service.headers() if error.headers is None else list(error.headers)
        response.raw_headers.extend(headers)
        return response

    async def _call_handler(self, api: Api, head: RequestHead, http: HttpRequest) -> Response:
        version = api.authorize(head, self.options)
        match = version.router.find(head.method, head.path)
        if match is None:
            raise api.unknown_route(head)
        route, variables = match
        body = await _read_body(route.schema, version, http) if route.schema else {}
        call = Call(self.estate, api.service, self.options, head.query, body, http)
        answer: Any = route.handler(call, *variables)
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer if isinstance(answer, Response) else _json_response(200, version.encode_answer(answer))


async def _body_to_record(http: HttpRequest) -> bytes:
    """The body; Starlette keeps it for the handler. Uploads are not read, they may be large."""
    is_upload = http.headers.get("content-type", "").startswith("multipart/")
    return b"" if is_upload else await http.body()


async def _read_body(operation: str, version: ApiVersion, http: HttpRequest) -> Json:
    """The checked body in the stored form; an empty body counts as an empty object."""
    raw = await http.body()
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise refuse("The body is not valid JSON.") from None
    version.schemas[operation](body, "")
    return version.decode_body(operation, body)


def _json_response(status: int, body: Json) -> Response:
    try:
        content = _compact_json(body).encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can carry only as an escape
        content = json.dumps(body).encode()
    return Response(content, status, media_type="application/json")
