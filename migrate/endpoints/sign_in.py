"""Credentials in, a callable that gives a bearer token out. Entra through azure-identity, loaded late."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from migrate.endpoints.settings import Settings
from migrate.errors import SignInFailed

AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"
FOUNDRY_SCOPE = "https://ai.azure.com/.default"
EARLY = 300
"""Seconds before its end at which a token is renewed."""


def entra_token(settings: Settings, scope: str) -> Callable[[], str]:
    """A provider of Entra tokens for a scope, in the estate's own tenant; raises `SignInFailed`."""
    from azure.identity import DefaultAzureCredential

    logging.getLogger("azure").setLevel(logging.CRITICAL)  # its failures are told by us, in three lines

    credential = DefaultAzureCredential(additionally_allowed_tenants=["*"])
    in_tenant: dict[str, Any] = {"tenant_id": settings.tenant} if settings.tenant else {}
    lock = threading.Lock()
    held: list[Any] = []

    def token() -> str:
        with lock:
            if not held or held[0].expires_on - EARLY < time.time():
                held[:] = [_asked(credential, scope, in_tenant, settings)]
            return str(held[0].token)

    return token


def _asked(credential: Any, scope: str, in_tenant: dict[str, Any], settings: Settings) -> Any:
    from azure.core.exceptions import AzureError

    try:
        return credential.get_token(scope, **in_tenant)
    except AzureError as error:
        raise SignInFailed(
            f"cannot sign in to {settings.url} with Entra",
            " ".join(str(error).split())[:300],
            'run `az login`, or set auth = "key" and key_env in the config file',
        ) from None
