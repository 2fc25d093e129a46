"""Azure OpenAI without dates: `/openai/v1/...`, files and vector stores only, never assistants or threads."""

from __future__ import annotations

from migrate.emulator.apis import Api, Dialect, Head
from migrate.emulator.errors import gateway
from migrate.emulator.options import Options
from migrate.emulator.router import Router
from migrate.emulator.routes import ATTRIBUTES, FILES, PARSED_CONTENT, STORES
from migrate.emulator.schemas import assistants
from migrate.emulator.services import AZURE_V1

VERSIONS = (None, "v1", "preview")

DIALECT = Dialect(Router((*FILES, *STORES, *ATTRIBUTES, *PARSED_CONTENT)), assistants.bodies(AZURE_V1))


def choose(head: Head, _options: Options) -> Dialect:
    if head.query.get("api-version") not in VERSIONS:
        raise gateway(400, "API version not supported")
    return DIALECT


API = Api("/openai/v1", AZURE_V1, choose)
