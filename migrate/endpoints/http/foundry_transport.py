"""A Foundry project's own API (agents, deployments, connections) through azure-ai-projects, as raw JSON."""

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
    """Sends what azure-core's pipeline has signed. What goes wrong is raised as httpx2 raises it."""

    def __init__(self, http: EstateHttpClient) -> None:
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
        return AzureCoreResponse(request, self._http.send(asked))

    def open(self) -> None:
        return

    def close(self) -> None:
        self._http.close()

    def __exit__(self, *_: object) -> None:
        self.close()


class AzureCoreResponse(HttpResponse):
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
    """Lets a request to a loopback address go over http, and no other."""

    def on_request(self, request: Any) -> None:
        if is_loopback(urlsplit(request.http_request.url).hostname or ""):
            request.context.options["enforce_https"] = False


PROJECT_API_VERSION = "v1"
# Seconds for which a given token is taken to be good: nobody tells us its end.
ASSUMED_TOKEN_LIFETIME_S = 3600


class ProjectCredential:
    """How we sign in, in the form that azure-core asks for. It keeps a token until the end it is told, so
    that must be the true one."""

    def __init__(self, settings: Settings) -> None:
        self._entra = EntraTokenProvider(settings) if settings.auth == "entra" else None
        self._secret = settings.secret or PLACEHOLDER_KEY

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The token of now."""
        if self._entra is not None:
            held: AccessToken = self._entra.access_token()
            return held
        return AccessToken(self._secret, int(time.time()) + ASSUMED_TOKEN_LIFETIME_S)


class GetOnlyPolicy(SansIOHTTPPolicy[Any, Any]):
    """The guard of a reading connection."""

    def on_request(self, request: Any) -> None:
        check_is_get(request.http_request.method, request.http_request.url)


def project_client(settings: Settings, writable: bool, http: EstateHttpClient) -> AIProjectClient:
    """The SDK's client, signed in, its retries off, sending through the HTTP client of all requests."""
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
    """Through the SDK's own pipeline: its sign-in, its headers, but bodies as they are."""

    def __init__(self, client: AIProjectClient, url: str) -> None:
        self._client = client
        self._url = url

    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        given: dict[str, Any] = {} if body is None else {"json": body}
        asked = f"{method} {path}"
        with one_large_response(), translate_errors(asked):
            query = urlencode({**params, "api-version": PROJECT_API_VERSION})
            url = path if "://" in path else f"{self._url}{path}?{query}"
            request = HttpRequest(method, url, headers={"Accept": "application/json", **headers}, **given)
            try:
                # As a stream, so that azure-core does not parse it too, as XML for one.
                answer = self._client.send_request(request, stream=True)
                content = answer.read()
            except AzureError as error:
                said = " ".join(redact(str(error)).split())[:MAX_REASON_CHARS] or type(error).__name__
                raise NoResponse(f"{asked} got no answer: {said}") from None
            if answer.status_code >= 300:
                raise failure_of_response(answer.status_code, answer.text(), answer.headers, asked)
            return json_object(content, answer.text)

    def list_rows(self, path: str, ask: Callable[[str], Body]) -> Iterator[Body]:
        """The rows of a listing in Azure's own form, whose pages name the next one by its address. An
        address on another host is never followed: the token would go there. Raises `RequestFailed` for a
        page that leads back to one that was read, and for a row that is no object."""
        asked, seen = path, set[str]()
        while path:
            if path in seen:
                raise RequestFailed(f"GET {asked} leads back to a page that was read: more may lie behind it")
            seen.add(path)
            page = ask(path)
            rows = page.get("value")
            if not isinstance(rows, list):
                raise RequestFailed(f"GET {asked} answered without a `value` list")
            if not all(isinstance(row, dict) for row in rows):
                raise RequestFailed(f"GET {asked} answered with a row that is no object")
            yield from rows
            path = self._next_page_url(page.get("nextLink"))

    def _next_page_url(self, link: JSON) -> str:
        """The address of the next page, or ''. Raises `RequestFailed` for one that is not followed."""
        if not link:
            return ""
        if not isinstance(link, str):
            raise RequestFailed("a listing goes on at what is no address")
        try:
            path = urljoin(self._url, link)
            place, ours = origin_of_url(path), origin_of_url(self._url)
        except ValueError:
            raise RequestFailed("a listing goes on at what is no address") from None
        if place != ours or "@" in urlsplit(path).netloc:
            raise RequestFailed(
                f"a listing goes on at another host, which was not asked: {format_origin(place)}"
            )
        return path
