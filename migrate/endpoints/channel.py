"""One connection to a service: raw JSON through the SDK's client, reads repeated, writes sent once.

Bodies are read as raw JSON: typed parsing costs eight times the processor time and turns an unknown
tool into a code interpreter. The SDK's own retries are off, since it repeats a POST without any
idempotency key and gives up at once when asked to wait for more than 120 seconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx2
import openai

from migrate.endpoints.answers import TRANSIENT, failure
from migrate.endpoints.interface import Body
from migrate.endpoints.waiting import ATTEMPTS, pause
from migrate.errors import OutcomeUnknown, RequestFailed, Unreachable

CHUNK = 1 << 18
NOT_SENT = (429,)
"""Statuses that say a write was turned away before anything happened."""


def http_client(workers: int, writable: bool) -> httpx2.Client:
    """The SDK's http client; a reading one refuses every method but GET before a byte is sent."""

    def only_get(request: httpx2.Request) -> None:
        if request.method != "GET":
            raise AssertionError(f"a reading connection was asked to {request.method} {request.url.path}")

    return httpx2.Client(
        timeout=httpx2.Timeout(120.0, connect=10.0),
        limits=httpx2.Limits(max_connections=workers + 2, max_keepalive_connections=workers + 2),
        follow_redirects=True,
        event_hooks={} if writable else {"request": [only_get]},
    )


@dataclass(frozen=True)
class Channel:
    """A signed-in SDK client and how it asks. Safe to share between threads."""

    client: openai.OpenAI
    headers: Mapping[str, str]
    attempts: int = ATTEMPTS
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Body:
        """A GET, repeated while that may help. Raises `RequestFailed` or a subclass."""
        options: Any = {"params": dict(params or {}), "headers": dict(self.headers), "max_retries": 0}
        return self._repeat(
            lambda: parsed(self.client.get(path, cast_to=httpx2.Response, options=options)), f"GET {path}"
        )

    def send(self, method: str, path: str, wire: Body | None = None) -> Body:
        """A writing request, sent again only when the service says it did nothing (429)."""
        options: Any = {"headers": dict(self.headers), "max_retries": 0}
        call = self.client.delete if method == "DELETE" else self.client.post
        return self._write(
            lambda: parsed(call(path, cast_to=httpx2.Response, body=wire, options=options)),
            f"{method} {path}",
        )

    def upload(self, path: str, name: str, purpose: str, data: BinaryIO) -> Body:
        """A multipart upload of exactly two parts, `purpose` and `file` (Azure refuses any other)."""
        headers = {"Content-Type": "multipart/form-data"}

        def once() -> Body:
            data.seek(0)
            return parsed(
                self.client.post(
                    path,
                    cast_to=httpx2.Response,
                    body={"purpose": purpose},
                    files=[("file", (name, data))],
                    options={"headers": headers, "max_retries": 0},
                )
            )

        return self._write(once, f"POST {path}")

    @contextmanager
    def stream(self, file_id: str) -> Iterator[Iterator[bytes]]:
        """A file's bytes, read in chunks; a broken stream raises `RequestFailed`."""
        files = self.client.files.with_streaming_response
        with self._translated(f"GET /files/{file_id}/content"), files.content(file_id) as response:
            yield response.iter_bytes(CHUNK)

    def _repeat(self, call: Callable[[], Body], asked: str) -> Body:
        for attempt in range(self.attempts):
            try:
                with self._translated(asked):
                    return call()
            except RequestFailed as failed:
                again = failed.status in TRANSIENT or failed.status == 0
                wait = pause(attempt, failed.headers) if again else None
                if wait is None or attempt + 1 == self.attempts:
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable")

    def _write(self, call: Callable[[], Body], asked: str) -> Body:
        for attempt in range(self.attempts):
            try:
                with self._translated(asked):
                    return call()
            except RequestFailed as failed:
                if failed.status not in NOT_SENT:
                    raise unsettled(failed) from None
                wait = pause(attempt, failed.headers)
                if wait is None or attempt + 1 == self.attempts:
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable")

    @contextmanager
    def _translated(self, asked: str) -> Iterator[None]:
        try:
            yield
        except openai.APIStatusError as error:
            answer = error.response
            answer.read() if not answer.is_stream_consumed else None
            raise failure(answer.status_code, answer.text, answer.headers, asked) from None
        except UnicodeEncodeError:
            why = "it holds half of a character pair, which has no form on the wire"
            raise RequestFailed(f"{asked} was not sent: {why}", status=400) from None
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            reason = str(error.__cause__ or error) or type(error).__name__
            raise RequestFailed(f"{asked} got no answer: {reason}") from None


def parsed(response: httpx2.Response) -> Body:
    """The JSON object of an answer; anything else (HTML of a proxy, a cut body) is a failed request."""
    try:
        body = json.loads(response.content, parse_constant=_no_number) if response.content else {}
    except RecursionError:
        raise RequestFailed("the answer is nested too deeply to be read") from None
    except ValueError:
        start = " ".join(response.text[:200].split())
        raise RequestFailed(f"the answer is not JSON but begins {start[:80]!r}") from None
    if not isinstance(body, dict):
        raise RequestFailed("the answer is JSON but not an object")
    return body


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def unsettled(failed: RequestFailed) -> RequestFailed:
    """A failed write as what it is: refused for certain, or carried out perhaps."""
    if failed.status == 0 or failed.status in TRANSIENT or failed.status >= 500:
        return OutcomeUnknown(failed.what, failed.status, failed.code, failed.headers)
    return failed


def no_answer(url: str, failed: RequestFailed) -> Unreachable:
    """The error for a service that could not be reached at all."""
    return Unreachable(
        f"cannot reach {url}",
        str(failed),
        "check the address, the network and any proxy; `assistants-migrate doctor` names what works",
    )
