"""A Foundry project's own API (agents, deployments, connections) through azure-ai-projects, as raw JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from azure.ai.projects import AIProjectClient
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest

from migrate.endpoints.answers import failure
from migrate.endpoints.interface import Body
from migrate.endpoints.plain_http import LoopbackHttp
from migrate.endpoints.settings import Settings
from migrate.endpoints.sign_in import FOUNDRY_SCOPE, entra_token
from migrate.endpoints.wire import Wire, only_get, parsed_text
from migrate.errors import RequestFailed

API_VERSION = "v1"
TOKEN_LIFE = 3600
"""Seconds for which a given token is taken to be good: nobody tells us its end."""


class Credential:
    """A token provider in the form that azure-core asks for."""

    def __init__(self, provider: Callable[[], str]) -> None:
        self._provider = provider

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The token of now; the provider renews it before its end."""
        return AccessToken(self._provider(), int(time.time()) + TOKEN_LIFE)


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
    return AIProjectClient(settings.url, Credential(token_provider(settings)), **options)


def token_provider(settings: Settings) -> Callable[[], str]:
    """Gives the bearer token: Entra's, renewed in time, or the one that was configured."""
    if settings.auth == "entra":
        return entra_token(settings, FOUNDRY_SCOPE)
    return lambda: settings.secret


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
            if path and urlsplit(path)[:2] != urlsplit(self._url)[:2]:
                raise RequestFailed(f"a listing goes on at another host: {urlsplit(path).netloc}")
