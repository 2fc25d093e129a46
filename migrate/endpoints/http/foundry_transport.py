"""Sends requests to a Foundry project's own API (agents, deployments, connections) through azure-ai-projects.

Answers are returned as raw JSON. The SDK's pipeline signs each request; the request itself is sent by the
same HTTP client as all others, so the same checks and limits apply.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx2
from azure.ai.projects import AIProjectClient
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse

from migrate.endpoints.addresses import format_origin, is_loopback, origin_of_url
from migrate.endpoints.auth import PLACEHOLDER_KEY, EntraTokenProvider
from migrate.endpoints.http.client import EstateHttpClient, check_is_get
from migrate.endpoints.http.guarded_transport import one_large_response
from migrate.endpoints.http.openai_transport import (
    MAX_REASON_CHARS,
    JsonTransport,
    json_object,
    translate_errors,
)
from migrate.endpoints.http.response_check import failure_of_response
from migrate.endpoints.interface import Body
from migrate.endpoints.settings import Settings
from migrate.errors import NoResponse, RequestFailed
from migrate.model import JSON
from migrate.model.known_secrets import redact


class AzureCoreTransport(HttpTransport[HttpRequest, HttpResponse]):
    """A transport for azure-core's pipeline that sends through the program's HTTP client. Raises the
    errors of httpx2."""

    def __init__(self, http: EstateHttpClient) -> None:
        self._http = http

    def send(self, request: HttpRequest, **options: Any) -> HttpResponse:
        """Send a request; returns the whole answer. The options of the pipeline (timeouts, certificates)
        are ignored: the HTTP client has its own."""
        http_request = self._http.build_request(
            request.method,
            request.url,
            headers=list(request.headers.items()),
            content=request.content,
            timeout=self._http.timeout,
        )
        return AzureCoreResponse(request, self._http.send(http_request))

    def open(self) -> None:
        return

    def close(self) -> None:
        self._http.close()

    def __exit__(self, *_: object) -> None:
        self.close()


class AzureCoreResponse(HttpResponse):
    """An answer of httpx2 with the interface that azure-core's policies need."""

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

    def __enter__(self) -> AzureCoreResponse:
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


class AllowLoopbackHttp(SansIOHTTPPolicy[Any, Any]):
    """Allows plain http for requests to a loopback address, and for no others (rehearsals with the
    emulator)."""

    def on_request(self, request: Any) -> None:
        if is_loopback(urlsplit(request.http_request.url).hostname or ""):
            request.context.options["enforce_https"] = False


PROJECT_API_VERSION = "v1"
# A token from an environment variable comes without its expiry; azure-core needs one.
ASSUMED_TOKEN_LIFETIME_S = 3600


class ProjectCredential:
    """The credential of an estate with azure-core's interface. azure-core keeps a token until it expires,
    so the expiry of an Entra token must be the true one."""

    def __init__(self, settings: Settings) -> None:
        self._entra = EntraTokenProvider(settings) if settings.auth == "entra" else None
        self._secret = settings.secret or PLACEHOLDER_KEY

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The current token."""
        if self._entra is not None:
            token: AccessToken = self._entra.access_token()
            return token
        return AccessToken(self._secret, int(time.time()) + ASSUMED_TOKEN_LIFETIME_S)


class GetOnlyPolicy(SansIOHTTPPolicy[Any, Any]):
    """Refuses every method other than GET on a connection for reading."""

    def on_request(self, request: Any) -> None:
        check_is_get(request.http_request.method, request.http_request.url)


def project_client(settings: Settings, writable: bool, http: EstateHttpClient) -> AIProjectClient:
    """The SDK's client with the estate's credential. Its retries are off, and it sends through `http`."""
    policies: list[Any] = [] if writable else [GetOnlyPolicy()]
    options: dict[str, Any] = {
        "per_call_policies": policies,
        "retry_total": 0,
        "permit_redirects": False,
        "transport": AzureCoreTransport(http),
    }
    if settings.auth not in ("key", "none"):
        policies.append(AllowLoopbackHttp())
    else:
        key = AzureKeyCredential(settings.secret or PLACEHOLDER_KEY)
        options["authentication_policy"] = AzureKeyCredentialPolicy(key, "api-key")
    os.environ.pop("AZURE_AI_PROJECTS_CONSOLE_LOGGING", None)  # it prints whole bodies on standard output
    return AIProjectClient(settings.url, ProjectCredential(settings), **options)


class ProjectTransport(JsonTransport):
    """Sends requests through the SDK's pipeline, with its sign-in and headers; bodies are raw JSON."""

    def __init__(self, client: AIProjectClient, url: str) -> None:
        self._client = client
        self._url = url

    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        content_options: dict[str, Any] = {} if body is None else {"json": body}
        request_text = f"{method} {path}"
        with one_large_response(), translate_errors(request_text):
            query = urlencode({**params, "api-version": PROJECT_API_VERSION})
            url = path if "://" in path else f"{self._url}{path}?{query}"
            all_headers = {"Accept": "application/json", **headers}
            request = HttpRequest(method, url, headers=all_headers, **content_options)
            try:
                # As a stream, because otherwise azure-core parses the body as well, also as XML.
                answer = self._client.send_request(request, stream=True)
                content = answer.read()
            except AzureError as error:
                message = " ".join(redact(str(error)).split())[:MAX_REASON_CHARS] or type(error).__name__
                raise NoResponse(f"{request_text} got no answer: {message}") from None
            if answer.status_code >= 300:
                raise failure_of_response(answer.status_code, answer.text(), answer.headers, request_text)
            return json_object(content, answer.text)

    def list_rows(self, path: str, get: Callable[[str], Body]) -> Iterator[Body]:
        """The rows of a listing in Azure's own format, where each page contains the address of the next one.

        An address on another host is never followed, because the token would be sent there. Raises
        `RequestFailed` for such an address, for a page that was read before, and for a row that is not an
        object."""
        listing, pages_read = path, set[str]()
        while path:
            if path in pages_read:
                raise RequestFailed(
                    f"GET {listing} leads back to a page that was read; there may be more pages"
                )
            pages_read.add(path)
            page = get(path)
            rows = page.get("value")
            if not isinstance(rows, list):
                raise RequestFailed(f"GET {listing} answered without a `value` list")
            if not all(isinstance(row, dict) for row in rows):
                raise RequestFailed(f"GET {listing} answered with a row that is not an object")
            yield from rows
            path = self._next_page_url(page.get("nextLink"))

    def _next_page_url(self, link: JSON) -> str:
        """The address of the next page, or ''. Raises `RequestFailed` for an address that must not be
        followed."""
        if not link:
            return ""
        try:
            if not isinstance(link, str):
                raise ValueError
            url = urljoin(self._url, link)
            link_origin, own_origin = origin_of_url(url), origin_of_url(self._url)
        except ValueError:
            raise RequestFailed("the next page of a listing has no valid address") from None
        if link_origin != own_origin or "@" in urlsplit(url).netloc:
            host = format_origin(link_origin)
            raise RequestFailed(f"the next page of a listing is on another host, which is not used: {host}")
        return url
