"""Find the route of a request in a tree, in as many steps as its path has parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Route:
    """One operation. `body` names its schema; without one, a body is not read."""

    method: str
    path: str
    handler: Handler
    body: str | None = None


@dataclass
class _Step:
    fixed: dict[str, _Step] = field(default_factory=dict)
    variable: _Step | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """A fixed part wins over a variable one: `/threads/runs` is not the thread called runs."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Step()
        for route in routes:
            step = self._root
            for part in route.path.strip("/").split("/"):
                if part.startswith("{"):
                    step.variable = step = step.variable or _Step()
                else:
                    step = step.fixed.setdefault(part, _Step())
            step.routes[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route, list[str]] | None:
        """The route and the variable parts of the path, or nothing."""
        step, variables = self._root, []
        for part in path.strip("/").split("/"):
            if part in step.fixed:
                step = step.fixed[part]
            elif step.variable and part:
                variables.append(part)
                step = step.variable
            else:
                return None
        route = step.routes.get(method)
        return (route, variables) if route else None
