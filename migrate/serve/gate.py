"""Checks every request before a page or the API gets it, and adds headers to every answer.

It refuses requests under host names that are not allowed, from pages of other origins, without the key, and
requests to pages that have a body or another method than GET and HEAD.
"""

from __future__ import annotations

import logging
import re
import time
from urllib.parse import urlencode

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from migrate.errors import MigrateError
from migrate.model.known_secrets import redact
from migrate.serve.api import API_PREFIXES, api_error
from migrate.serve.html_answers import message_page, sign_in_page, signed_in_page
from migrate.serve.key_guard import KeyGuard, WrongKey
from migrate.serve.request_headers import foreign_request_reason, host_name, key_of_headers
from migrate.serve.settings import ServeSettings
from migrate.serve.work_budget import TooBusy

log = logging.getLogger(__name__)

# Nothing but what this server itself has may be loaded; no script but its own file may run.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
ANSWER_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
RAW_ANSWER_HEADERS = [(name.encode(), value.encode()) for name, value in ANSWER_HEADERS.items()]
READING_METHODS = ("GET", "HEAD")
# Files that say nothing about the archive: the page that asks for the key needs them.
PUBLIC_PREFIX = "/static/"
# A path of this server, and no address of another one.
OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
# Bytes of the body of a request to the API; none of its requests needs more.
MAX_BODY_BYTES = 1 << 16
# Bytes of an answer that are handed over at once. The next ones wait until the client has taken them.
SENT_BYTES = 1 << 16


class RequestGate:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, keys: KeyGuard) -> None:
        self._app, self._settings, self._keys = app, settings, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sender = _AnswerSender(send, time.perf_counter())
        if not is_api_path(scope["path"]):  # an id stays one segment, whatever characters it has
            scope = {**scope, "path": scope["raw_path"].decode("ascii", "replace")}
        try:
            refusal = await self._refusal(scope)
            answer: ASGIApp = refusal or self._app
            await answer(scope, _limited(receive), sender)
            log.debug("%s %s: %s", scope["method"], redact(scope["path"]), sender.status)
        except TooBusy:
            await _busy(scope)(scope, receive, sender)
        except MigrateError as error:
            # An answer in progress is cut off here without its end: no client takes a part for the whole.
            log.error("%s ended early: %s", redact(scope["path"]), redact(": ".join(error.lines())))
            if not sender.has_started:
                await _refused(scope, 500, error.what, error.todo)(scope, receive, sender)
        except Exception:  # a mistake of this program: the visitor gets a page, a log gets the traceback
            log.exception("%s cannot be answered", redact(scope["path"]))
            if sender.has_started:
                raise  # the connection is closed, so that no client thinks it got everything
            await _mistake(scope)(scope, receive, sender)

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not let through, else None."""
        headers = Headers(scope=scope)
        name = host_name(headers.get("host", ""))
        if name not in self._settings.hosts:
            return _refused(scope, 421, f"this server is not called {name or 'so'}", HOST_HINT)
        if reason := foreign_request_reason(headers):
            return _refused(scope, 403, f"refused: {reason}", "open the address in the address bar")
        path = scope["path"]
        if is_api_path(path):
            refusal = await self._check_api_key(scope, headers)
            if refusal is None and scope["method"] in READING_METHODS and is_large_body(headers):
                refusal = _refused(scope, 413, "a request that reads has no such body", "")
            return refusal
        if scope["method"] not in READING_METHODS:
            answer = _refused(scope, 405, "an archive is only read here", "open the page with its address")
            answer.headers["allow"] = ", ".join(READING_METHODS)
            return answer
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            return _refused(scope, 413, "a page takes no body", "send the request without one")
        return None if path.startswith(PUBLIC_PREFIX) else await self._check_page_key(scope, headers)

    async def _check_api_key(self, scope: Scope, headers: Headers) -> Response | None:
        key = key_of_headers(headers)
        if key is None:
            return api_error(scope, 401, "no key: send it in the header api-key, or as a bearer token")
        try:
            await self._keys.check(key)
        except WrongKey as wrong:
            return api_error(scope, 429 if wrong.is_too_often else 401, "wrong key")
        return None

    async def _check_page_key(self, scope: Scope, headers: Headers) -> Response | None:
        query = QueryParams(scope["query_string"])
        if "key" in query:  # it must not stay in the address, whichever page was asked for
            return await self._sign_in(scope, query, headers)
        cookie = cookie_parser(headers.get("cookie", "")).get(cookie_name(scope), "")
        if self._keys.has_cookie(cookie):
            return None
        asked = scope["query_string"].decode("ascii", "replace")
        return sign_in_page(401, path=_own_path(f"{scope['path']}{f'?{asked}' if asked else ''}"))

    async def _sign_in(self, scope: Scope, query: QueryParams, headers: Headers) -> Response:
        if scope["path"] == "/":
            path = _own_path(query.get("next", "/"))
        else:
            others = [(name, value) for name, value in query.multi_items() if name != "key"]
            path = _own_path(f"{scope['path']}{f'?{urlencode(others)}' if others else ''}")
        try:
            await self._keys.check(query["key"].strip())
        except WrongKey as wrong:
            return sign_in_page(429 if wrong.is_too_often else 401, "This is not the key.", path)
        is_foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        answer = signed_in_page(path) if is_foreign else RedirectResponse(path, 303)
        answer.set_cookie(
            cookie_name(scope),
            self._keys.cookie_value(),
            httponly=True,
            samesite="strict",
            secure=self._settings.tls is not None,
        )
        return answer


HOST_HINT = "start serve with --allowed-host NAME to allow another name; or call it 127.0.0.1 or localhost"


def _own_path(path: str) -> str:
    """A path of this server; the start in the place of anything that may lead elsewhere, or has a key."""
    has_key = "key" in QueryParams(path.partition("?")[2])
    return path if OWN_PATH.fullmatch(path) and not has_key else "/"


def is_api_path(path: str) -> bool:
    """Whether a path belongs to the API and not to a page."""
    return path.startswith(API_PREFIXES)


def cookie_name(scope: Scope) -> str:
    """The name of the cookie. It has the port: cookies of all ports of a host are one set."""
    return f"assistants-migrate-{scope['server'][1]}"


def is_large_body(headers: Headers) -> bool:
    """Whether the body of a request is larger than any that is needed, or may be."""
    length = headers.get("content-length", "0")
    is_long = not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY_BYTES
    return is_long or "transfer-encoding" in headers


def _refused(scope: Scope, status: int, what: str, todo: str) -> Response:
    return (
        api_error(scope, status, what)
        if is_api_path(scope["path"])
        else message_page(status, what, todo=todo)
    )


def _busy(scope: Scope) -> Response:
    what = "too many large pages and answers are being made or read at the same time"
    answer = _refused(scope, 503, what, "ask again in some seconds")
    answer.headers["retry-after"] = "5"
    return answer


def _mistake(scope: Scope) -> Response:
    what = "this cannot be answered: a mistake in this program"
    todo = "start serve with --log-file FILE, ask again, and report what the file says"
    return _refused(scope, 500, what, todo)


def _limited(receive: Receive) -> Receive:
    """`receive` that ends after `MAX_BODY_BYTES`, as if the client had gone."""
    read = 0

    async def receive_limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return {"type": "http.disconnect"} if read > MAX_BODY_BYTES else message

    return receive_limited


class _AnswerSender:
    """Adds the headers that every answer has, and the time that it took."""

    def __init__(self, send: Send, began: float) -> None:
        self._send, self._began = send, began
        self.has_started = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started, self.status = True, message["status"]
            duration = f"app;dur={(time.perf_counter() - self._began) * 1000:.1f}"
            headers = [*message["headers"], (b"server-timing", duration.encode())]
            given = {name for name, _ in headers}
            headers += [header for header in RAW_ANSWER_HEADERS if header[0] not in given]
            await self._send({**message, "headers": headers})
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        for start in range(0, len(body) - SENT_BYTES, SENT_BYTES):
            await self._send({**message, "body": body[start : start + SENT_BYTES], "more_body": True})
        rest = body[(len(body) - 1) // SENT_BYTES * SENT_BYTES :] if body else b""
        await self._send({**message, "body": rest, "more_body": more})
