"""Entra tokens through azure-identity, which is imported only for estates with `auth = "entra"`."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from typing import Any

from migrate.endpoints.http.certificates import ca_path_for_sign_in
from migrate.endpoints.settings import INVALID_IN_KEY, INVISIBLE_CHARACTERS, Settings
from migrate.errors import SignInFailed
from migrate.model.known_secrets import redact, register_secret

log = logging.getLogger(__name__)

# The SDKs need a key even where an estate has no sign-in. `GuardedTransport` removes it from every request.
PLACEHOLDER_KEY = "unused"
# azure-identity signs in with these variables where they are set, and may repeat their values in its
# messages.
SECRET_VARIABLES = (
    "AZURE_CLIENT_SECRET AZURE_PASSWORD AZURE_CLIENT_CERTIFICATE_PASSWORD IDENTITY_HEADER".split()
)
# The longest reason seen for one way to sign in had 260 characters.
MAX_SIGN_IN_REASON_CHARS = 400
# One way to sign in and its result, as azure-identity 1.x writes them.
SIGN_IN_METHOD_LINE = re.compile(r"^\s+(\w+Credential): (.*)$", re.MULTILINE)
METHOD_NOT_CONFIGURED = re.compile(
    r"unavailable|not found|could not be found|not installed|is required|requires the|not fully configured"
)
# A token is renewed this many seconds before it expires.
TOKEN_RENEWAL_MARGIN_S = 300


class EntraTokenProvider:
    """Entra tokens for an estate's audience, cloud and tenant, renewed before they expire. Safe to share
    between threads. Raises `SignInFailed`, and `BadUsage` for certificates that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        from azure.identity import DefaultAzureCredential

        logging.getLogger("azure").setLevel(logging.CRITICAL)  # this program reports failures itself
        self._settings = settings
        for name in SECRET_VARIABLES:
            register_secret(os.environ.get(name, ""))
        options: dict[str, Any] = {"additionally_allowed_tenants": ["*"]}
        if settings.cloud or not os.environ.get("AZURE_AUTHORITY_HOST"):
            options["authority"] = settings.resolved_cloud.authority
        if certificates := ca_path_for_sign_in(settings):
            options["connection_verify"] = certificates
        self._credential = DefaultAzureCredential(**options)
        self._lock = threading.Lock()
        self._token: Any = None

    def access_token(self) -> Any:
        """The current token with its expiry (an `AccessToken` of azure-core)."""
        with self._lock:
            if self._token is None or self._token.expires_on - TOKEN_RENEWAL_MARGIN_S < time.time():
                in_tenant = {"tenant_id": self._settings.tenant} if self._settings.tenant else {}
                self._token = _request_token(self._credential, in_tenant, self._settings)
            return self._token

    def __call__(self) -> str:
        return str(self.access_token().token)


def _request_token(credential: Any, in_tenant: dict[str, Any], settings: Settings) -> Any:
    from azure.core.exceptions import AzureError

    try:
        token = credential.get_token(settings.audience, **in_tenant)
    except (AzureError, OSError, ValueError) as error:
        log.debug("no token from Entra for %s: %s", settings.audience, error)
        raise SignInFailed(
            f"cannot sign in to {settings.url} with Entra for {settings.audience}",
            _reason(redact(str(error))),
            _next_step(settings),
        ) from None
    log.info("token from Entra for %s, valid for %d s", settings.audience, token.expires_on - time.time())
    return _checked_token(str(token.token), int(token.expires_on), settings)


def _reason(message: str) -> str:
    """A short form of an error message of azure-identity. The message lists every way to sign in, one per
    line; most are not configured, and the one that was tried and failed often comes last."""
    methods = SIGN_IN_METHOD_LINE.findall(message)
    if not methods:
        return " ".join(message.split())[:MAX_SIGN_IN_REASON_CHARS]
    failures = [f"{name}: {why.strip()}" for name, why in methods if not METHOD_NOT_CONFIGURED.search(why)]
    if not failures:
        names = ", ".join(name.removesuffix("Credential") for name, _ in methods)
        return f"no way to sign in is set up on this machine (looked for: {names})"
    return "; ".join(failures)[:MAX_SIGN_IN_REASON_CHARS]


def _next_step(settings: Settings) -> str:
    cloud = settings.resolved_cloud
    login = "az login" if cloud.name == "public" else f"az cloud set --name {cloud.cli_name} && az login"
    steps = [f"run `{login}`"]
    if settings.type == "azure-openai":
        steps.append('or use a key: auth = "key" and key_env')
    steps.append(
        "if the tenant, cloud or audience is a different one, set tenant, cloud or scope of the estate"
    )
    return "; ".join([*steps, *settings.remarks])


def _checked_token(text: str, expires_on: int, settings: Settings) -> Any:
    """A token without surrounding blanks, as azure-core's type. Raises `SignInFailed` for a token that
    cannot be sent in a header."""
    from azure.core.credentials import AccessToken

    register_secret(text, settings.loopback)
    if INVALID_IN_KEY.search(text.strip(INVISIBLE_CHARACTERS)):
        raise SignInFailed(
            f"the Entra token for {settings.url} cannot be sent",
            "it contains a character that is not allowed in a header",
            "sign in again: az login",
        )
    return AccessToken(text.strip(INVISIBLE_CHARACTERS), expires_on)
