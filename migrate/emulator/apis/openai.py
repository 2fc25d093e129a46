"""The OpenAI platform: `/v1/...`. Assistants and threads need the header `OpenAI-Beta: assistants=v2`."""

from __future__ import annotations

from migrate.emulator.apis import Api, ApiVersion, RequestHead
from migrate.emulator.errors import refuse
from migrate.emulator.options import Options
from migrate.emulator.router import Router
from migrate.emulator.routes import ASSISTANTS, ATTRIBUTES, FILES, MODELS, PARSED_CONTENT, STORES, THREADS
from migrate.emulator.schemas import assistants
from migrate.emulator.services import OPENAI

BETA = b"assistants=v2"
WITHOUT_BETA = ("files", "vector_stores", "models")  # (recorded 2025-09 to 2026-03)

_schemas = assistants.schemas(OPENAI)
_permanent_routes = (*FILES, *STORES, *ATTRIBUTES, *PARSED_CONTENT, *MODELS)
LIVE = ApiVersion(Router((*ASSISTANTS, *THREADS, *_permanent_routes)), _schemas)
RETIRED = ApiVersion(Router(_permanent_routes), _schemas)


def _select_version(head: RequestHead, options: Options) -> ApiVersion:
    version = RETIRED if options.retired else LIVE
    needs_beta = head.path.split("/")[1] not in WITHOUT_BETA
    if (
        needs_beta
        and head.headers.get(b"openai-beta") != BETA
        and version.router.find(head.method, head.path)
    ):
        raise refuse(
            f"The Assistants API needs the header 'OpenAI-Beta: {BETA.decode()}'.", code="invalid_beta"
        )
    return version


API = Api("/v1", OPENAI, _select_version)
