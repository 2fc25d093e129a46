"""The APIs of a service: each authorizes a request and selects the API version that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest

from migrate.emulator.errors import ApiError
from migrate.emulator.options import Options
from migrate.emulator.router import Router
from migrate.emulator.schemas.assistants import Schemas
from migrate.emulator.services import Service
from migrate.emulator.state import Json


@dataclass(frozen=True)
class ApiVersion:
    """One version of one API: its routes, its schemas, and how it differs from the stored form of objects."""

    router: Router
    schemas: Schemas
    decode_body: Callable[[str, Json], Json] = lambda _operation, body: body
    encode_answer: Callable[[Json], Json] = lambda answer: answer


@dataclass(frozen=True)
class RequestHead:
    """A request without its body. `path` is the part after the prefix of the API."""

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    query: Mapping[str, str]


@dataclass(frozen=True)
class Api:
    """Everything below one path prefix."""

    prefix: str
    service: Service
    # Raises ApiError for an unknown version, a missing header, or a retired route.
    select_version: Callable[[RequestHead, Options], ApiVersion]
    families: frozenset[str] = frozenset()  # first parts of the paths; empty: all that no other API has

    def matches(self, path: str) -> bool:
        """Whether a path belongs to this API."""
        if not path.startswith(self.prefix + "/"):
            return False
        return not self.families or path[len(self.prefix) + 1 :].split("/", 1)[0] in self.families

    def authorize(self, head: RequestHead, options: Options) -> ApiVersion:
        """The API version that answers this request. Raises `ApiError` for a missing or wrong key."""
        expected = options.key.encode()
        has_key = False
        for name, prefix in self.service.key_headers:
            if value := head.headers.get(name):
                has_key = True
                if compare_digest(value, prefix + expected):
                    return self.select_version(head, options)
        raise self.service.unauthorized(has_key)

    def unknown_route(self, head: RequestHead) -> ApiError:
        """The error of the service for a path that it does not know."""
        return self.service.unknown_route(head.method, self.prefix + head.path)
