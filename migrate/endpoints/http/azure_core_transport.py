"""The same HTTP client below azure-core as below the openai package: one set of guards, bounds, certificates
and proxies for both halves of a project.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import httpx2
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse

from migrate.endpoints.http.client import Client


class ProjectTransport(HttpTransport[HttpRequest, HttpResponse]):
    """Sends what azure-core's pipeline has signed. What goes wrong is raised as httpx2 raises it."""

    def __init__(self, http: Client) -> None:
        self._http = http

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        """The answer, read whole; the pipeline's options (timeouts, certificates) are the client's matter."""
        asked = self._http.build_request(
            request.method,
            request.url,
            headers=list(request.headers.items()),
            content=request.content,
            timeout=self._http.timeout,
        )
        return Answer(request, self._http.send(asked))

    def open(self) -> None:
        return

    def close(self) -> None:
        self._http.close()

    def __exit__(self, *_: object) -> None:
        self.close()


class Answer(HttpResponse):
    """An answer of httpx2 in the form that azure-core's policies look at."""

    def __init__(self, request: HttpRequest, answer: httpx2.Response) -> None:
        self._request, self._answer = request, answer

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._answer.headers

    @property
    def reason(self) -> str:
        return self._answer.reason_phrase

    @property
    def content_type(self) -> str | None:
        return self._answer.headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        return self._answer.is_closed

    @property
    def is_stream_consumed(self) -> bool:
        return self._answer.is_stream_consumed

    @property
    def encoding(self) -> str | None:
        return self._answer.encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._answer.encoding = value or "utf-8"

    @property
    def url(self) -> str:
        return str(self._answer.url)

    @property
    def content(self) -> bytes:
        return self._answer.content

    def text(self, encoding: str | None = None) -> str:
        return self.content.decode(encoding, "replace") if encoding else self._answer.text

    def json(self) -> Any:
        return json.loads(self.text())

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._answer.close()

    def read(self) -> bytes:
        return self.content

    def iter_raw(self, **_: Any) -> Iterator[bytes]:
        yield self.content

    def iter_bytes(self, **_: Any) -> Iterator[bytes]:
        yield self.content
