"""The HTTP client through which the openai package sends its requests: guarded, and cheap for each."""

from __future__ import annotations

from functools import cached_property
from itertools import cycle
from typing import Any
from urllib.request import getproxies

import httpx2

POOLS = 8
BODY = ("content", "data", "files", "json")
"""What a request may say, in httpx2's words."""


def http_client(workers: int, writable: bool) -> httpx2.Client:
    """One for so many requests at once; a reading one refuses every method but GET before a byte is sent."""

    def check(request: httpx2.Request) -> None:
        only_get(request.method, request.url.path)

    limits = httpx2.Limits(max_connections=workers + 2, max_keepalive_connections=workers + 2)
    return Client(
        # Given a transport, the client would pass by the proxies that the environment names.
        transport=None if getproxies() else Pools(limits, min(POOLS, workers)),
        limits=limits,
        timeout=httpx2.Timeout(120.0, connect=10.0),
        follow_redirects=True,
        event_hooks={} if writable else {"request": [check]},
    )


def only_get(method: str, path: str) -> None:
    """The guard of every reading connection."""
    if method != "GET":
        raise AssertionError(f"a reading connection was asked to {method} {path}")


class Client(httpx2.Client):
    """Puts a request of the openai package together in one step. The package gives a whole address, a text of
    parameters and a list of headers; httpx2 would read each of them several times over to merge them."""

    def build_request(self, method: str, url: httpx2.URL | str, **given: Any) -> httpx2.Request:
        params, headers, timeout = given.get("params"), given.get("headers"), given.get("timeout")
        plain = isinstance(url, str) and "://" in url and "?" not in url and isinstance(params, str | None)
        if not (plain and isinstance(headers, list) and isinstance(timeout, httpx2.Timeout)):
            return super().build_request(method, url, **given)
        own = {name.lower() for name, _ in headers}
        return httpx2.Request(
            method,
            f"{url}?{params}" if params else url,
            headers=[*(item for item in self._always if item[0] not in own), *headers],
            cookies=self.cookies,
            extensions={"timeout": timeout.as_dict()},
            **{name: given[name] for name in BODY if name in given},
        )

    @cached_property
    def _always(self) -> list[tuple[str, str]]:
        """Headers that every request has where it does not say otherwise."""
        return self.headers.multi_items()


class Pools(httpx2.BaseTransport):
    """Several pools of connections, used in turn. A pool looks at each of its connections for each request:
    in one pool of 32 that takes a third of the time that a request costs."""

    def __init__(self, limits: httpx2.Limits, number: int) -> None:
        trust = httpx2.create_ssl_context()  # reading the certificates takes 20 ms, so once for all
        self._pools = [httpx2.HTTPTransport(verify=trust, limits=limits) for _ in range(max(1, number))]
        self._turn = cycle(self._pools)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return next(self._turn).handle_request(request)

    def close(self) -> None:
        for pool in self._pools:
            pool.close()
