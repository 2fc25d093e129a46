"""Azure OpenAI as it was addressed by date: `/openai/...?api-version=2024-05-01-preview`."""

from __future__ import annotations

from functools import cache

from migrate.emulator import legacy_shapes
from migrate.emulator.apis import Api, Dialect, Head
from migrate.emulator.errors import gateway, resource_not_found
from migrate.emulator.options import OLD_VERSION, Options
from migrate.emulator.router import Router
from migrate.emulator.routes import ASSISTANTS, ATTRIBUTES, FILES, STORES, THREADS
from migrate.emulator.schemas import assistants
from migrate.emulator.services import AZURE

# The first version whose description knows the key; all others refuse unknown keys.
SINCE = {"chunking_strategy": "2024-07-01-preview", "attributes": "2025-03-01-preview"}
MOST_CUSTOM_HEADERS = 10


def choose(head: Head, options: Options) -> Dialect:
    version = head.query.get("api-version")
    if options.dated_gone or version is None or version not in options.api_versions:
        raise resource_not_found(head.method, head.path)
    if sum(name.startswith(b"x-ms-") for name in head.headers) > MOST_CUSTOM_HEADERS:
        raise gateway(431, "Too many custom headers")
    return dialect(version, options.retired)


@cache
def dialect(version: str, retired: bool) -> Dialect:
    live = () if retired else (*ASSISTANTS, *THREADS)
    if version == OLD_VERSION:
        return Dialect(
            Router((*live, *FILES)), assistants.old_bodies(AZURE), legacy_shapes.as_new, legacy_shapes.as_old
        )
    has_attributes = version >= SINCE["attributes"]
    return Dialect(
        Router((*live, *FILES, *STORES, *(ATTRIBUTES if has_attributes else ()))),
        assistants.bodies(
            AZURE, has_chunking=version >= SINCE["chunking_strategy"], has_attributes=has_attributes
        ),
    )


API = Api("/openai", AZURE, choose)
