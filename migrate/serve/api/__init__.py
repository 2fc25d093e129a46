"""The old API over an archive: routes that answer as the services did, from the bodies as they are stored."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Scope

if TYPE_CHECKING:
    from migrate.serve.connections import ArchiveAccess

# How the path of every request to the API begins. Everything else is a page.
API_PREFIXES = ("/openai/", "/v1/", "/api/projects/", "/estates/")


def api_routes(archives: ArchiveAccess, families: Collection[str]) -> list[BaseRoute]:
    """The routes of the API. `families`: azure, openai, foundry. Keys were checked before."""
    del archives, families
    return []


def api_error(scope: Scope, status: int, message: str) -> Response:
    """An error in the shape of the service to whose API a path belongs."""
    del scope
    return JSONResponse({"error": {"code": str(status), "message": message}}, status)
