"""Azure OpenAI without dates: `/openai/v1/...`, files and vector stores only, never assistants or threads."""

from __future__ import annotations

from .. import schemas
from ..errors import gateway
from ..options import Options
from ..routes import ATTRIBUTES, FILES, PARSED_CONTENT, STORES
from ..routing import Router
from ..services import AZURE_V1
from . import Dialect, Face, Head

VERSIONS = (None, "v1", "preview")

DIALECT = Dialect(Router((*FILES, *STORES, *ATTRIBUTES, *PARSED_CONTENT)), schemas.bodies(AZURE_V1))


def choose(head: Head, _options: Options) -> Dialect:
    if head.query.get("api-version") not in VERSIONS:
        raise gateway(400, "API version not supported")
    return DIALECT


FACE = Face("/openai/v1", AZURE_V1, choose)
