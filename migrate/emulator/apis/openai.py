"""The OpenAI platform: `/v1/...`, assistants and threads only with the header that asks for them."""

from __future__ import annotations

from migrate.emulator.apis import Api, Dialect, Head
from migrate.emulator.errors import refuse
from migrate.emulator.options import Options
from migrate.emulator.router import Router
from migrate.emulator.routes import ASSISTANTS, ATTRIBUTES, FILES, PARSED_CONTENT, STORES, THREADS
from migrate.emulator.schemas import assistants
from migrate.emulator.services import OPENAI

BETA = "assistants=v2"
WITHOUT_BETA = ("files", "vector_stores")  # (recorded 2025-09 to 2026-03)

_bodies = assistants.bodies(OPENAI)
_lasting = (*FILES, *STORES, *ATTRIBUTES, *PARSED_CONTENT)
LIVE = Dialect(Router((*ASSISTANTS, *THREADS, *_lasting)), _bodies)
RETIRED = Dialect(Router(_lasting), _bodies)


def choose(head: Head, options: Options) -> Dialect:
    dialect = RETIRED if options.retired else LIVE
    family = head.path.split("/")[1]
    known = dialect.router.find(head.method, head.path) is not None
    if (
        known
        and family not in WITHOUT_BETA
        and head.headers.get(b"openai-beta", b"").decode("latin-1") != BETA
    ):
        raise refuse(f"The Assistants API needs the header 'OpenAI-Beta: {BETA}'.", code="invalid_beta")
    return dialect


API = Api("/v1", OPENAI, choose)
