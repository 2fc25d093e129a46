"""A Foundry project's own API (agents, deployments, connections) through azure-ai-projects, as raw JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from azure.ai.projects import AIProjectClient
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import AzureError, DecodeError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest

from migrate.endpoints.answers import failure
from migrate.endpoints.http_client import only_get
from migrate.endpoints.interface import Body
from migrate.endpoints.plain_http import LoopbackHttp
from migrate.endpoints.settings import Settings
from migrate.endpoints.sign_in import FOUNDRY_SCOPE, Entra
from migrate.endpoints.wire import Wire, parsed_text
from migrate.errors import RequestFailed

API_VERSION = "v1"
TOKEN_LIFE = 3600
"""Seconds for which a given token is taken to be good: nobody tells us its end."""


class Credential:
    """How we sign in, in the form that azure-core asks for. It keeps a token until the end it is told, so
    that must be the true one."""

    def __init__(self, settings: Settings) -> None:
        self._entra = Entra(settings, FOUNDRY_SCOPE) if settings.auth == "entra" else None
        self._secret = settings.secret

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The token of now."""
        if self._entra is not None:
            held: AccessToken = self._entra.access()
            return held
        return AccessToken(self._secret, int(time.time()) + TOKEN_LIFE)


class OnlyGet(SansIOHTTPPolicy[Any, Any]):
    """The guard of a reading connection."""

    def on_request(self, request: Any) -> None:
        only_get(request.http_request.method, request.http_request.url)


def project_client(settings: Settings, writable: bool) -> AIProjectClient:
    """The SDK's client, signed in, its retries off."""
    policies: list[Any] = [] if writable else [OnlyGet()]
    # A redirect would take the key along to whatever host it names.
    options: dict[str, Any] = {"per_call_policies": policies, "retry_total": 0, "permit_redirects": False}
    if settings.auth != "key":
        policies.append(LoopbackHttp())
    else:
        options["authentication_policy"] = AzureKeyCredentialPolicy(
            AzureKeyCredential(settings.secret), "api-key"
        )
    os.environ.pop("AZURE_AI_PROJECTS_CONSOLE_LOGGING", None)  # it prints whole bodies on standard output
    return AIProjectClient(settings.url, Credential(settings), **options)


class ProjectWire(Wire):
    """Through the SDK's own pipeline: its sign-in, its headers, but bodies as they are."""

    def __init__(self, client: AIProjectClient, url: str) -> None:
        self._client = client
        self._url = url

    def ask(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        query = urlencode({**params, "api-version": API_VERSION})
        given: dict[str, Any] = {} if body is None else {"json": body}
        url = path if "://" in path else f"{self._url}{path}?{query}"
        request = HttpRequest(method, url, headers={"Accept": "application/json", **headers}, **given)
        asked = f"{method} {path}"
        try:
            answer = self._client.send_request(request)
            answer.read()
        except DecodeError as error:  # an answer that calls itself JSON and is none
            raise _undecoded(error, asked) from None
        except AzureError as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise RequestFailed(f"{asked} got no answer: {reason}") from None
        except UnicodeEncodeError:
            why = "it holds half of a character pair, which has no form on the wire"
            raise RequestFailed(f"{asked} was not sent: {why}", status=400) from None
        if answer.status_code >= 300:
            raise failure(answer.status_code, answer.text(), answer.headers, asked)
        return parsed_text(answer.content, answer.text)

    def values(self, path: str, ask: Callable[[str], Body]) -> Iterator[Body]:
        """The rows of a listing in Azure's own form, whose pages name the next one by its address. An
        address on another host is never followed: the token would go there."""
        seen: set[str] = set()
        while path and path not in seen:
            seen.add(path)
            page = ask(path)
            rows = page.get("value")
            if not isinstance(rows, list):
                raise RequestFailed(f"GET {path} answered without a `value` list")
            yield from (row for row in rows if isinstance(row, dict))
            following = str(page.get("nextLink") or "")
            path = urljoin(self._url, following) if following else ""
            if path and _place(path) != _place(self._url):
                raise RequestFailed(f"a listing goes on at another host: {urlsplit(path).netloc}")


def _undecoded(error: DecodeError, asked: str) -> RequestFailed:
    """The failure that an answer means whose body the SDK could not read."""
    answer: Any = error.response
    status = getattr(answer, "status_code", 0) or 0
    if status >= 300:
        return failure(status, "", getattr(answer, "headers", {}), asked)
    return RequestFailed(f"{asked}: the answer is not JSON")


def _place(url: str) -> tuple[str, str, int]:
    """Where a request to an address goes: scheme, host, port."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").lower(), port
