"""The API as routes of a Starlette application: a request in, an answer out, whatever happens in between.

A page of a list, or one object, takes less time than it takes to hand a request to another thread, so it is
answered at once. What may take longer is answered by worker threads, since SQLite is not asynchronous.
Ids are taken from the path as it was sent, so an id may contain a slash.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote_to_bytes
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Match, NoMatchFound

from migrate.archive.snapshots.reader import NoSuchSnapshot
from migrate.errors import DiskFull, MigrateError
from migrate.serve.api.answers import JSON_TYPE, ApiAnswer
from migrate.serve.api.body_texts import dump_json
from migrate.serve.api.estate_choice import choose_estate
from migrate.serve.api.lookups import ApiCall, ApiMemory
from migrate.serve.api.refusals import (
    PARTIAL_ALLOWED,
    PARTIAL_HEADER,
    ApiRefusal,
    gateway_refusal,
    not_in_archive,
    only_read,
)
from migrate.serve.api.row_filters import NeedsTime
from migrate.serve.api.served_apis import FAMILY_TYPES, ApiAddress, ApiHead, find_served_api
from migrate.serve.connections import ArchiveAccess

if TYPE_CHECKING:
    from starlette.datastructures import URLPath
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

# How the path of every request to the API begins. Everything else is a page.
API_PREFIXES = ("/openai/", "/v1/", "/api/projects/", "/estates/")
# The codes with which OpenAI refuses a request that has the wrong key, or comes too often.
GATE_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
READ_METHODS = ("GET", "HEAD")


def api_routes(archives: ArchiveAccess, families: Collection[str] = tuple(FAMILY_TYPES)) -> list[BaseRoute]:
    """The routes of the API over an archive. `families`: azure, openai, foundry."""
    return [ApiRoute(archives, families)]


def api_error(scope: Scope, status: int, message: str) -> Response:
    """A refusal in the form of the API that a path belongs to. For what is checked before a request comes
    here, such as its key, and for paths that no API has."""
    refusal = ApiRefusal(status, message, code=GATE_CODES.get(status), by_gateway=True)
    address = find_served_api(path_segments(_raw_path(scope)))
    if address is None:
        return Response(dump_json(gateway_refusal(refusal)), status, media_type=JSON_TYPE)
    return _refusal(address, refusal)


def path_segments(raw_path: bytes) -> tuple[str, ...]:
    """The parts of a path, decoded one by one."""
    parts = raw_path.removeprefix(b"/").removesuffix(b"/").split(b"/")
    return tuple(unquote_to_bytes(part).decode("utf-8", "replace") for part in parts)


class ApiRoute(BaseRoute):
    """Every path of the API."""

    def __init__(self, archives: ArchiveAccess, families: Collection[str]) -> None:
        self._archives, self._families, self._memory = archives, families, ApiMemory()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is one of the API, by its path alone."""
        if scope["type"] != "http":
            return Match.NONE, {}
        address = find_served_api(path_segments(_raw_path(scope)))
        if address is None or address.family not in self._families:
            return Match.NONE, {}
        return Match.FULL, {"api_address": address}

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        """No page refers to the API by name."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A request body is not read."""
        try:
            response = self._respond(scope, is_hasty=True)
        except NeedsTime:
            response = await run_in_threadpool(self._respond, scope)
        try:
            await response(scope, receive, send)
        except MigrateError as error:
            # The rest of the answer cannot be read. It ends here without its end, so no client takes it for
            # the whole.
            log.error("%s ended early: %s", scope["path"], ": ".join(error.lines()))

    def _respond(self, scope: Scope, is_hasty: bool = False) -> Response:
        address: ApiAddress = scope["api_address"]
        try:
            try:
                answer = self._answer(scope, address, is_hasty)
            except NoSuchSnapshot:  # removed since it was chosen: another one is chosen now
                answer = self._answer(scope, address, is_hasty)
            headers = {**answer.headers, **_headers_of_every_answer(address)}
            return _response(answer, headers, scope["method"] == "HEAD")
        except ApiRefusal as refusal:
            return _refusal(address, refusal)
        except MigrateError as error:
            words = ": ".join(filter(None, (error.what, error.why)))
            if isinstance(error, DiskFull):  # the object is there: the client is to ask again
                return _refusal(address, ApiRefusal(503, words))
            return _refusal(address, not_in_archive(words))

    def _answer(self, scope: Scope, address: ApiAddress, is_hasty: bool = False) -> ApiAnswer:
        estate = choose_estate(address, self._archives.estates())
        if scope["method"] not in READ_METHODS:
            raise only_read(scope["method"], estate.url)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = _raw_path(scope).decode("latin-1")
        if (
            address.estate is not None
        ):  # the service does not know the part of the path that selects the estate
            path = f"/{path.split('/', 3)[3]}"
        head = ApiHead(scope["method"], path, address.segments, query, headers)
        partial = headers.get(PARTIAL_HEADER) == PARTIAL_ALLOWED
        packs = self._memory.packs if is_hasty else None
        with self._archives.reader_of(estate.shown, packs) as reader:
            address.api.check(head, reader.info)
            found = address.api.paths.find(address.segments)
            if found is None:
                raise address.api.unknown_path(head)
            operation, ids = found
            call = ApiCall(self._archives, estate, reader, query, partial, self._memory, is_hasty)
            return operation(call, ids)


def _raw_path(scope: Scope) -> bytes:
    """The path as it was sent; a server may leave it out."""
    raw: bytes | None = scope.get("raw_path")
    return quote(scope["path"]).encode() if raw is None else raw


def _headers_of_every_answer(address: ApiAddress, request_id: str = "") -> Mapping[str, str]:
    request_id = request_id or uuid4().hex
    names = address.api.request_id_headers
    return {**dict.fromkeys(names, request_id), **(address.api.fixed_headers or {})}


def _refusal(address: ApiAddress, refusal: ApiRefusal) -> Response:
    request_id = uuid4().hex
    content = dump_json(address.api.form(refusal, request_id)).encode()
    headers = {**refusal.headers, **_headers_of_every_answer(address, request_id)}
    return Response(content, refusal.status, headers, JSON_TYPE)


def _response(answer: ApiAnswer, headers: Mapping[str, str], head_only: bool) -> Response:
    """An answer that is read to its end where it is small, and while it is sent where it is not."""
    size = answer.size
    read = [] if head_only and size is not None else list(islice(answer.pieces, 2))
    if size is None and len(read) < 2:
        size = sum(map(len, read))
    length = {} if size is None else {"content-length": str(size)}
    if head_only:
        return Response(headers={**headers, **length}, media_type=answer.content_type)
    if len(read) < 2:
        return Response(b"".join(read), headers=dict(headers), media_type=answer.content_type)
    stream = _stream(read, answer.pieces)
    return StreamingResponse(stream, headers={**headers, **length}, media_type=answer.content_type)


async def _stream(read: list[bytes], pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces that were read, then the others, each read by a worker thread."""
    for piece in read:
        yield piece
    while (following := await run_in_threadpool(next, pieces, None)) is not None:
        yield following
