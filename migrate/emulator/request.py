"""What every handler is given: one checked request, the estate it is about, and who is answering."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from migrate.emulator.options import Options
from migrate.emulator.services import Service
from migrate.emulator.state import Estate, Json


@dataclass(frozen=True)
class Call:
    """One request that was let in. `body` was accepted by its schema; uploads read `http` themselves."""

    estate: Estate
    service: Service
    options: Options
    query: Mapping[str, str]
    body: Json
    http: Request


# A handler takes the call and the variable parts of the path, and answers with an object or a ready response.
Handler = Callable[..., "Json | Response | Awaitable[Json | Response]"]
