"""How one request travels: through an SDK's signed-in client, as raw JSON, sent exactly once.

Bodies are read as raw JSON: typed parsing costs eight times the processor time and turns an unknown
tool into a code interpreter. The SDKs' own retries are off, since they repeat a POST without any
idempotency key; `Channel` repeats what may be repeated.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, BinaryIO

import httpx2
import openai
from pydantic_core import from_json

from migrate.endpoints.addresses import path_segment
from migrate.endpoints.http.guarded_transport import BodyOverLimit, RedirectRefused, one_large_response
from migrate.endpoints.http.header_cache import HeaderCache
from migrate.endpoints.http.response_check import failure_of_response
from migrate.endpoints.interface import Body
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
# So much is told of what an HTTP client says of a request without an answer.
MAX_REASON_CHARS = 300


class JsonTransport(ABC):
    """One client. Every method raises `RequestFailed` or a subclass; threads may share it."""

    @abstractmethod
    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        """Send one request; the JSON object of its answer."""


class OpenAITransport(JsonTransport):
    """Through a client of the openai package."""

    def __init__(self, client: openai.OpenAI, http: httpx2.Client) -> None:
        self.client = client
        self._header_cache = HeaderCache(client, http)
        self._base = str(client.base_url).rstrip("/")

    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        address = self._base + path
        with one_large_response(), translate_errors(f"{method} {path}"):
            if method == "GET":
                return response_json(self._header_cache.get(address, params, headers))
            options: Any = {"params": dict(params), "headers": dict(headers), "max_retries": 0}
            call: Callable[..., httpx2.Response] = getattr(self.client, method.lower())
            return response_json(call(address, cast_to=httpx2.Response, options=options, body=body))

    def upload(self, path: str, name: str, purpose: str, data: BinaryIO) -> Body:
        """A multipart upload of exactly two parts, `purpose` and `file` (Azure refuses any other)."""
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
        """A file's bytes, read in chunks; a broken stream raises `RequestFailed`."""
        path = f"/files/{path_segment(file_id)}/content"
        with (
            translate_errors(f"GET {path}"),
            closing(self._header_cache.stream(self._base + path)) as response,
        ):
            yield response.iter_bytes(DOWNLOAD_CHUNK_BYTES)


@contextmanager
def translate_errors(asked: str) -> Iterator[None]:
    """What an SDK or the HTTP client below it raises, as what it means. `asked` is "METHOD path"."""
    try:
        yield
    except openai.APIStatusError as error:
        answer = error.response
        answer.read() if not answer.is_stream_consumed else None
        raise failure_of_response(answer.status_code, answer.text, answer.headers, asked) from None
    except UnicodeError as error:
        if getattr(error, "encoding", "idna") == "idna":  # the name of a host
            raise NoResponse(f"{asked} got no answer: {error}") from None
        why = "it holds half of a character pair, which has no form on the wire"
        raise RequestFailed(f"{asked} was not sent: {why}", status=400) from None
    except (openai.APIConnectionError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
        of_client = error.__cause__ if isinstance(error, openai.APIConnectionError) else None
        raise _failure_without_response(of_client or error, asked) from None


def _failure_without_response(error: BaseException, asked: str) -> RequestFailed:
    """The failure of a request without a usable answer. The words are not ours: they pass `redact`, and
    before they are cut."""
    said = " ".join(redact(str(error)).split()) or type(error).__name__
    if isinstance(error, RedirectRefused):
        return RequestFailed(f"{asked} {said}", status=error.status)
    if isinstance(error, BodyOverLimit):
        return ResponseTooLarge(f"{asked}: {said}")
    if isinstance(error, httpx2.DecodingError):
        return RequestFailed(f"{asked}: the answer cannot be unpacked: {said[:MAX_REASON_CHARS]}")
    return NoResponse(f"{asked} got no answer: {said[:MAX_REASON_CHARS]}")


def response_json(response: httpx2.Response) -> Body:
    """The JSON object of an answer; anything else (HTML of a proxy, a cut body) is a failed request."""
    return json_object(response.content, lambda: response.text)


def json_object(content: bytes, text: Callable[[], str]) -> Body:
    """The same for the bytes of any client's answer."""
    if (
        len(content) > MAX_RESPONSE_READ_CONCURRENTLY.maximum
        and sum(map(content.count, (b",", b"[", b"{"))) > MAX_RESPONSE_VALUES.maximum
    ):
        raise ResponseTooLarge(f"the answer was given up: {MAX_RESPONSE_VALUES.describe()}")
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
    """As `json.loads` reads it, in half the time. What the faster one refuses (half of a character pair,
    depth, what is no JSON) the other one reads, or says what is wrong with it."""
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError:
        return loads(
            content.decode(json.detect_encoding(content), "surrogatepass"), parse_constant=_refuse_constant
        )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
