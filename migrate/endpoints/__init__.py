"""Live services, one file per service. Only this package sends anything over the network.

`connect_reader` loads a service's file, and with it the SDK, only when that service is used.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, cast

from migrate.endpoints.process_settings import tune_for_requests

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader, Writer
    from migrate.endpoints.settings import Settings

log = logging.getLogger(__name__)

# Service type -> the module of the service, and the function in it that connects to an estate.
SERVICES = {
    "azure-openai": ("migrate.endpoints.azure_openai", "connect_azure_openai"),
    "openai": ("migrate.endpoints.openai_platform", "connect_openai"),
    "foundry-classic": ("migrate.endpoints.foundry_classic", "connect_foundry_classic"),
    "foundry": ("migrate.endpoints.foundry", "connect_foundry"),
}


def connect_reader(settings: Settings) -> Reader:
    """A connection for reading. It refuses every method other than GET before anything is sent."""
    _log("read", settings)
    return cast("Reader", _connect(settings, writable=False))


def connect_writer(settings: Settings) -> Writer:
    """A connection that may also write."""
    _log("read and write", settings)
    return cast("Writer", _connect(settings, writable=True))


def _connect(settings: Settings, writable: bool) -> object:
    module, function = SERVICES[settings.type]
    connect = getattr(import_module(module), function)
    tune_for_requests()
    return connect(settings, writable=writable)


def _log(access: str, settings: Settings) -> None:
    log.info(
        "%s %s %s (sign-in: %s, %d workers)",
        *(access, settings.type, settings.url, settings.auth, settings.workers),
    )
