"""Where estates live: one file per service. All network code, and nothing else has any.

`connect` loads a service's file, and with it the SDK, only when that service is used.
"""

from __future__ import annotations

import gc
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader, Writer
    from migrate.endpoints.settings import Settings

SERVICES = {
    "azure-openai": "migrate.endpoints.azure_openai",
    "openai": "migrate.endpoints.openai_platform",
    "foundry-classic": "migrate.endpoints.foundry_classic",
    "foundry": "migrate.endpoints.foundry",
}
"""Service type -> the module whose `connect` reaches it."""
COLLECT_AFTER = 20_000
"""Objects made and not gone; by itself Python looks after some hundred."""


def connect(settings: Settings) -> Reader:
    """A reading connection; every method but GET is refused before anything is sent."""
    return cast("Reader", _service(settings).connect(settings))


def connect_to_write(settings: Settings) -> Writer:
    """A connection that may also write."""
    return cast("Writer", _service(settings).connect(settings, writable=True))


def _service(settings: Settings) -> ModuleType:
    """The file of a service. What an SDK brings stays for good, so the garbage collector need not walk it
    while it is loaded, nor again for each page; nor look after each page, for bodies hold no cycles."""
    gc.disable()
    try:
        module = import_module(SERVICES[settings.type])
        gc.freeze()
    finally:
        gc.enable()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    return module
