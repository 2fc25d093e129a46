"""Where estates live: one file per service. All network code, and nothing else has any.

`connect_reader` loads a service's file, and with it the SDK, only when that service is used.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from migrate.endpoints.process_tuning import import_service_module

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader, Writer
    from migrate.endpoints.settings import Settings

log = logging.getLogger(__name__)

SERVICES = {
    "azure-openai": "migrate.endpoints.azure_openai",
    "openai": "migrate.endpoints.openai_platform",
    "foundry-classic": "migrate.endpoints.foundry_classic",
    "foundry": "migrate.endpoints.foundry",
}
"""Service type -> the module whose `connect_reader` reaches it."""


def connect_reader(settings: Settings) -> Reader:
    """A reading connection; every method but GET is refused before anything is sent."""
    _log("read", settings)
    return cast("Reader", import_service_module(SERVICES[settings.type]).connect(settings))


def connect_writer(settings: Settings) -> Writer:
    """A connection that may also write."""
    _log("read and write", settings)
    return cast("Writer", import_service_module(SERVICES[settings.type]).connect(settings, writable=True))


def _log(access: str, settings: Settings) -> None:
    log.info(
        "%s %s %s (sign-in: %s, %d workers)",
        *(access, settings.type, settings.url, settings.auth, settings.workers),
    )
