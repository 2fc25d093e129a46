"""Sends one request through the client of an SDK, once, and returns the answer as raw JSON.

The SDK's typed objects are not used: parsing them takes eight times the processor time, and they turn an
unknown tool into a code interpreter. The SDK's retries are off because they repeat a POST without an
idempotency key; `Channel` repeats what may be repeated.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, NamedTuple

import httpx2
import openai
from pydantic_core import from_json

from migrate.endpoints.addresses import path_segment
from migrate.endpoints.http.guarded_transport import BodyOverLimit, RedirectRefused, one_large_response
from migrate.endpoints.http.response_check import failure_of_response
from migrate.endpoints.interface import Body
from migrate.endpoints.process_settings import header_reuse_s
from migrate.errors import InvalidResponse, NoResponse, RequestFailed, ResponseTooLarge
from migrate.model.input_limits import (
    MAX_JSON_DEPTH,
    MAX_RESPONSE_READ_CONCURRENTLY,
    MAX_RESPONSE_VALUES,
    JSONTooDeep,
    loads,
)
from migrate.model.known_secrets import redact

DOWNLOAD_CHUNK_BYTES = 1 << 18
# Of the error message of an HTTP client, at most this much is shown.
MAX_REASON_CHARS = 300


class JsonTransport(ABC):
    """Sends requests. Safe to share between threads. Every method raises `RequestFailed` or a subclass."""

    @abstractmethod
    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        """Send one request; returns the JSON object of the answer."""


# With this header the openai package leaves the body of an answer unread. The package sets it itself.
RAW_RESPONSE_HEADER = "X-Stainless-Raw-Response"
# The HTTP client sets these for each request.
PER_REQUEST_HEADERS = {"host", "cookie"}
UNAUTHORIZED = 401


class _CachedHeaders(NamedTuple):
    created_at: float
    headers: list[tuple[str, str]]


class HeaderCache:
    """Sends GETs, and reuses the signed headers of an earlier one for `header_reuse_s` seconds.

    Safe to share between threads. `http` is the HTTP client of `client`."""

    def __init__(self, client: openai.OpenAI, http: httpx2.Client) -> None:
        self._client = client
        self._http = http
        self._cached: dict[tuple[tuple[str, str], ...], _CachedHeaders] = {}

    def get(self, url: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> httpx2.Response:
        """The answer to a GET. Raises `openai.APIStatusError` for every status that is not a success, and
        `openai.APIConnectionError` or `httpx2.HTTPError` if there is no answer."""
        key = tuple(headers.items())
        cached, reuse_s = self._cached.get(key), header_reuse_s()
        if cached is None or not reuse_s or time.monotonic() - cached.created_at > reuse_s:
            return self._get_and_cache(key, url, params)
        query: dict[str, Any] = {**self._client.default_query, **params}
        request = self._http.build_request(
            "GET",
            url,
            params=self._client.qs.stringify(query),
            headers=cached.headers,
            timeout=self._client.timeout,
        )
        answer = self._http.send(request)
        if answer.is_success:
            return answer
        if answer.status_code == UNAUTHORIZED:  # the token expired early; this must not fail a listing
            self._cached.pop(key, None)
            return self._get_and_cache(key, url, params)
        raise openai.APIStatusError(f"status {answer.status_code}", response=answer, body=None)

    def _get_and_cache(
        self, key: tuple[tuple[str, str], ...], url: str, params: Mapping[str, Any]
    ) -> httpx2.Response:
        created_at = time.monotonic()
        options: Any = {"params": dict(params), "headers": dict(key), "max_retries": 0}
        answer: httpx2.Response = self._client.get(url, cast_to=httpx2.Response, options=options)
        if not answer.history:  # a redirect may have changed the headers
            sent = answer.request.headers.multi_items()
            reusable = [item for item in sent if item[0] not in PER_REQUEST_HEADERS]
            self._cached[key] = _CachedHeaders(created_at, reusable)
        return answer


class OpenAITransport(JsonTransport):
    """Sends requests through a client of the openai package."""

    def __init__(self, client: openai.OpenAI, http: httpx2.Client) -> None:
        self.client = client
        self._header_cache = HeaderCache(client, http)
        self._base = str(client.base_url).rstrip("/")

    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        url = self._base + path
        with one_large_response(), translate_errors(f"{method} {path}"):
            if method == "GET":
                return response_json(self._header_cache.get(url, params, headers))
            options: Any = {"params": dict(params), "headers": dict(headers), "max_retries": 0}
            call: Callable[..., httpx2.Response] = getattr(self.client, method.lower())
            return response_json(call(url, cast_to=httpx2.Response, options=options, body=body))

    def upload(self, path: str, name: str, purpose: str, data: BinaryIO) -> Body:
        """Upload a file as multipart with exactly two parts, `purpose` and `file` (Azure refuses any other
        part)."""
        data.seek(0)
        with one_large_response(), translate_errors(f"POST {path}"):
            return response_json(
                self.client.post(
                    path,
                    cast_to=httpx2.Response,
                    body={"purpose": purpose},
                    files=[("file", (name, data))],
                    options={"headers": {"Content-Type": "multipart/form-data"}, "max_retries": 0},
                )
            )

    @contextmanager
    def stream(self, file_id: str) -> Iterator[Iterator[bytes]]:
        """The bytes of a file in chunks. Raises `RequestFailed`, also when the stream breaks."""
        path = f"/files/{path_segment(file_id)}/content"
        with (
            translate_errors(f"GET {path}"),
            closing(self._open_stream(path)) as response,
        ):
            yield response.iter_bytes(DOWNLOAD_CHUNK_BYTES)

    def _open_stream(self, path: str) -> httpx2.Response:
        options: Any = {
            "headers": {RAW_RESPONSE_HEADER: "stream", "Accept": "application/binary"},
            "max_retries": 0,
        }
        answer: httpx2.Response = self.client.get(self._base + path, cast_to=httpx2.Response, options=options)
        return answer


@contextmanager
def translate_errors(request: str) -> Iterator[None]:
    """Raise `RequestFailed` or a subclass instead of what the SDK or its HTTP client raises. `request`:
    "METHOD path", for messages."""
    try:
        yield
    except openai.APIStatusError as error:
        answer = error.response
        answer.read() if not answer.is_stream_consumed else None
        raise failure_of_response(answer.status_code, answer.text, answer.headers, request) from None
    except UnicodeError as error:
        if getattr(error, "encoding", "idna") == "idna":  # the host name
            raise NoResponse(f"{request} got no answer: {error}") from None
        why = "it contains half of a surrogate pair, which UTF-8 cannot encode"
        raise RequestFailed(f"{request} was not sent: {why}", status=400) from None
    except (openai.APIConnectionError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
        client_error = error.__cause__ if isinstance(error, openai.APIConnectionError) else None
        raise _failure_without_response(client_error or error, request) from None


def _failure_without_response(error: BaseException, request: str) -> RequestFailed:
    """The failure of a request without a usable answer. The message of the error may contain a secret: it
    is redacted before it is cut."""
    message = " ".join(redact(str(error)).split()) or type(error).__name__
    if isinstance(error, RedirectRefused):
        return RequestFailed(f"{request} {message}", status=error.status)
    if isinstance(error, BodyOverLimit):
        return ResponseTooLarge(f"{request}: {message}")
    if isinstance(error, httpx2.DecodingError):
        return RequestFailed(f"{request}: the answer cannot be decompressed: {message[:MAX_REASON_CHARS]}")
    return NoResponse(f"{request} got no answer: {message[:MAX_REASON_CHARS]}")


def response_json(response: httpx2.Response) -> Body:
    """The JSON object of an answer. Raises `RequestFailed` for anything else, such as HTML of a proxy or a
    cut body."""
    return json_object(response.content, lambda: response.text)


def json_object(content: bytes, text: Callable[[], str]) -> Body:
    """The JSON object in the bytes of an answer; `text` decodes them for an error message. Raises as
    `response_json` does."""
    if (
        len(content) > MAX_RESPONSE_READ_CONCURRENTLY.maximum
        and sum(map(content.count, (b",", b"[", b"{"))) > MAX_RESPONSE_VALUES.maximum
    ):
        raise ResponseTooLarge(f"the answer was not parsed: {MAX_RESPONSE_VALUES.describe()}")
    try:
        body = _load_json(content) if content else {}
    except (JSONTooDeep, RecursionError):
        raise InvalidResponse(
            f"the answer is nested too deeply to be read: {MAX_JSON_DEPTH.describe()}"
        ) from None
    except ValueError:
        start = " ".join(redact(text()[:2000]).split())
        raise RequestFailed(f"the answer is not JSON but begins {start[:80]!r}") from None
    if not isinstance(body, dict):
        raise RequestFailed("the answer is JSON but not an object")
    return body


def _load_json(content: bytes) -> Any:
    """The same result as `json.loads` in half the time. What pydantic's parser refuses (half of a
    surrogate pair, deep nesting, invalid JSON) is parsed again by Python's, which accepts it or reports
    the error."""
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError:
        return loads(
            content.decode(json.detect_encoding(content), "surrogatepass"), parse_constant=_refuse_constant
        )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not valid JSON")
