"""Credentials in, a callable that gives a bearer token out. Entra through azure-identity, loaded late."""

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

# What the SDKs are given where an estate is reached without a sign-in; no request carries it.
PLACEHOLDER_KEY = "unused"
# What azure-identity signs in with where they are set, and may repeat in its messages.
SECRET_VARIABLES = (
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "IDENTITY_HEADER",
)
# Of a reason that is shown; of one way to sign in, the longest seen had 260.
MAX_SIGN_IN_REASON_CHARS = 400
# One way to sign in, and what came of it, as azure-identity 1.x writes them.
SIGN_IN_METHOD_LINE = re.compile(r"^\s+(\w+Credential): (.*)$", re.MULTILINE)
METHOD_NOT_CONFIGURED = re.compile(
    r"unavailable|not found|could not be found|not installed|is required|requires the|not fully configured"
)
# Seconds before its end at which a token is renewed.
TOKEN_RENEWAL_MARGIN_S = 300


class EntraTokenProvider:
    """Entra tokens for an estate's audience, from its cloud and tenant, renewed before their end. Threads
    may share it; raises `SignInFailed`, and `BadUsage` for certificates that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        from azure.identity import DefaultAzureCredential

        logging.getLogger("azure").setLevel(logging.CRITICAL)  # its failures are told by us, in three lines
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
        """The token of now with its true end (an `AccessToken` of azure-core)."""
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
    log.info("a token from Entra for %s, good for %d s", settings.audience, token.expires_on - time.time())
    return _checked_token(str(token.token), int(token.expires_on), settings)


def _reason(told: str) -> str:
    """What azure-identity says of a failure, in short. It names each way to sign in, one a line, most of them
    not set up; what was tried and failed stands far behind."""
    ways = SIGN_IN_METHOD_LINE.findall(told)
    if not ways:
        return " ".join(told.split())[:MAX_SIGN_IN_REASON_CHARS]
    tried = [f"{way}: {why.strip()}" for way, why in ways if not METHOD_NOT_CONFIGURED.search(why)]
    if not tried:
        names = ", ".join(way.removesuffix("Credential") for way, _ in ways)
        return f"no way to sign in is set up on this machine (looked for: {names})"
    return "; ".join(tried)[:MAX_SIGN_IN_REASON_CHARS]


def _next_step(settings: Settings) -> str:
    cloud = settings.resolved_cloud
    login = "az login" if cloud.name == "public" else f"az cloud set --name {cloud.cli_name} && az login"
    steps = [f"run `{login}`"]
    if settings.type == "azure-openai":
        steps.append('or use a key: auth = "key" and key_env')
    steps.append("if the tenant, cloud or audience is another one, set tenant, cloud or scope of the estate")
    return "; ".join([*steps, *settings.remarks])


def _checked_token(text: str, until: int, settings: Settings) -> Any:
    """A token without blanks around it, in the form of azure-core. Raises `SignInFailed` for one that no
    header can carry."""
    from azure.core.credentials import AccessToken

    register_secret(text, settings.loopback)
    if INVALID_IN_KEY.search(text.strip(INVISIBLE_CHARACTERS)):
        raise SignInFailed(
            f"the token of Entra for {settings.url} cannot be sent",
            "it holds a character that no header takes",
            "sign in again: az login",
        )
    return AccessToken(text.strip(INVISIBLE_CHARACTERS), until)
