"""Credentials in, a callable that gives a bearer token out. Entra through azure-identity, loaded late."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from migrate.endpoints.settings import Settings
from migrate.errors import SignInFailed

AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"
FOUNDRY_SCOPE = "https://ai.azure.com/.default"
EARLY = 300
"""Seconds before its end at which a token is renewed."""


class Entra:
    """Entra tokens for a scope, in the estate's own tenant, renewed before their end. Threads may share
    it; raises `SignInFailed`."""

    def __init__(self, settings: Settings, scope: str) -> None:
        from azure.identity import DefaultAzureCredential

        logging.getLogger("azure").setLevel(logging.CRITICAL)  # its failures are told by us, in three lines
        self._settings, self._scope = settings, scope
        self._credential = DefaultAzureCredential(additionally_allowed_tenants=["*"])
        self._lock = threading.Lock()
        self._held: Any = None

    def access(self) -> Any:
        """The token of now with its true end (an `AccessToken` of azure-core)."""
        with self._lock:
            if self._held is None or self._held.expires_on - EARLY < time.time():
                in_tenant = {"tenant_id": self._settings.tenant} if self._settings.tenant else {}
                self._held = _asked(self._credential, self._scope, in_tenant, self._settings)
            return self._held

    def __call__(self) -> str:
        return str(self.access().token)


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
