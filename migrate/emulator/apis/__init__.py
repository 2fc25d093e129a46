"""The APIs of a service: each checks the head of a request and selects how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest

from migrate.emulator.errors import ApiError
from migrate.emulator.options import Options
from migrate.emulator.router import Router
from migrate.emulator.schemas.assistants import Bodies
from migrate.emulator.services import Service
from migrate.emulator.state import Json

Headers = Mapping[bytes, bytes]


def _unchanged(answer: Json) -> Json:
    return answer


def _as_given(_operation: str, body: Json) -> Json:
    return body


@dataclass(frozen=True)
class Dialect:
    """One version of one API: its routes, the bodies it accepts, and its words, if they are not today's."""

    router: Router
    bodies: Bodies
    incoming: Callable[[str, Json], Json] = _as_given
    outgoing: Callable[[Json], Json] = _unchanged


@dataclass(frozen=True)
class Head:
    """What is known of a request before its body is read. `path` is the part after the api's prefix."""

    method: str
    path: str
    headers: Headers
    query: Mapping[str, str]


@dataclass(frozen=True)
class Api:
    """Everything under one path prefix."""

    prefix: str
    service: Service
    choose: Callable[[Head, Options], Dialect]  # may refuse: unknown version, missing header, route gone
    families: frozenset[str] = frozenset()  # the first parts of its paths; none named: whatever is left

    def covers(self, path: str) -> bool:
        if not path.startswith(self.prefix + "/"):
            return False
        return not self.families or path[len(self.prefix) + 1 :].split("/", 1)[0] in self.families

    def admit(self, head: Head, options: Options) -> Dialect:
        """The dialect for this request, once its key has been accepted."""
        wanted = options.key.encode()
        given = False
        for name, prefix in self.service.key_headers:
            if value := head.headers.get(name):
                given = True
                if compare_digest(value, prefix + wanted):
                    return self.choose(head, options)
        raise self.service.unauthorised(given)

    def nowhere(self, head: Head) -> ApiError:
        return self.service.not_a_route(head.method, self.prefix + head.path)
