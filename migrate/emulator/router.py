"""Find the route of a request in a tree of path parts."""

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
    """One authorized request. `body` has passed its schema; uploads are read from `http` by their handler."""

    estate: Estate
    service: Service
    options: Options
    query: Mapping[str, str]
    body: Json
    http: Request


# Called with the call and the variable parts of the path; returns an object or a response.
Handler = Callable[..., "Json | Response | Awaitable[Json | Response]"]


@dataclass(frozen=True)
class Route:
    """One operation. `schema` is the name of the schema of its body; without one the body is not read."""

    method: str
    path: str
    handler: Handler
    schema: str | None = None


@dataclass
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)  # by method


class Router:
    """Finds routes. A fixed part is preferred to a variable one: `/threads/runs` is not a thread `runs`."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            for part in route.path.strip("/").split("/"):
                if part.startswith("{"):
                    node.variable = node = node.variable or _Node()
                else:
                    node = node.fixed.setdefault(part, _Node())
            node.routes[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route, list[str]] | None:
        """The route and the variable parts of the path, or None."""
        node, variables = self._root, []
        for part in path.strip("/").split("/"):
            if part in node.fixed:
                node = node.fixed[part]
            elif node.variable and part:
                variables.append(part)
                node = node.variable
            else:
                return None
        route = node.routes.get(method)
        return (route, variables) if route else None
