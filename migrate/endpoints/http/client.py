"""The HTTP client through which all requests to an estate are sent: guarded, bounded, and cheap for each."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import httpcore2
import httpx2

from migrate.endpoints.addresses import format_origin, is_loopback, origin_of_url
from migrate.endpoints.http.certificates import ssl_context_for
from migrate.endpoints.http.deadlines import CONNECT_TIMEOUT_S, WRITE_ANSWER_TIMEOUT_S, MeteredBackend
from migrate.endpoints.http.guarded_transport import STREAMED_EXTENSION, GuardedTransport
from migrate.endpoints.settings import Settings
from migrate.errors import BadUsage
from migrate.model.known_secrets import register_secret

PROXY_SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Proxy:
    """A proxy by its address; `display_url` is the address without user and password."""

    url: str
    display_url: str
    auth: tuple[str, str] | None = field(default=None, repr=False)


def proxy_for(url: str) -> Proxy | None:
    """The proxy that the environment names for an address. Raises `BadUsage` for one that cannot be used."""
    scheme, host, port = origin_of_url(url)
    if is_loopback(host):
        return None
    named = getproxies()
    variable = next((name for name in (scheme, "all") if named.get(name)), None)
    if variable is None or _is_excluded(host, port, named.get("no", "")):
        return None
    return _proxy(named[variable], f"{variable.upper()}_PROXY")


def _proxy(text: str, variable: str) -> Proxy:
    text = text.strip()
    text = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(text)
        place = origin_of_url(text)
        if not parts.hostname or place[0] not in (*PROXY_SCHEMES, "socks5", "socks5h", "socks4", "socks4a"):
            raise ValueError
    except ValueError:
        raise BadUsage(
            f"the environment variable {variable} names no proxy that can be used",
            "it is no address of the form http://HOST:PORT",
            "fix or unset it; NO_PROXY lists hosts that are reached without",
        ) from None
    for part in (parts.password, unquote(parts.password or "")):
        if part:
            register_secret(part)
    if place[0] not in PROXY_SCHEMES:
        raise BadUsage(
            f"the environment variable {variable} names a proxy of type {place[0]}",
            "proxies that speak http and https can be used",
            "name such a one, or list the host in NO_PROXY",
        )
    auth = (unquote(parts.username or ""), unquote(parts.password or "")) if parts.username else None
    return Proxy(format_origin(place), format_origin(place), auth)


def _is_excluded(host: str, port: int, listed: str) -> bool:
    """Whether NO_PROXY lists a host: by name (with all below it), by address or network, with or without
    its port, or everything by *."""
    return any(_entry_matches(host, port, entry) for entry in listed.replace(",", " ").split())


def _entry_matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit():
        return int(number) == port and _entry_matches(host, port, name)
    name = entry.lower().removeprefix("*").lstrip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


MAX_CONNECTION_POOLS = 8
# What a request may say, in httpx2's words.
BODY_ARGUMENTS = ("content", "data", "files", "json")


def http_client(settings: Settings, writable: bool) -> EstateHttpClient:
    """One for as many requests at once as an estate has workers; a reading one refuses every method but GET
    before a byte is sent. Raises `BadUsage` for an address, a proxy or a certificate that cannot be used."""

    def check(request: httpx2.Request) -> None:
        check_is_get(request.method, request.url.path)

    try:
        httpx2.URL(settings.url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise BadUsage(
            f"{settings.url!r} is not the address of a service", str(error), "it needs https:// and a host"
        ) from None
    proxy = proxy_for(settings.url)
    pools = ConnectionPools(settings.workers, ssl_context_for(settings), proxy)
    return EstateHttpClient(
        transport=GuardedTransport(pools, settings, proxy.display_url if proxy else ""),
        timeout=httpx2.Timeout(WRITE_ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
        event_hooks={} if writable else {"request": [check]},
    )


def check_is_get(method: str, path: str) -> None:
    """The guard of every reading connection."""
    if method != "GET":
        raise AssertionError(f"a reading connection was asked to {method} {path}")


class EstateHttpClient(httpx2.Client):
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
            headers=[*(item for item in self._default_headers if item[0] not in own), *headers],
            cookies=self.cookies,
            extensions={"timeout": timeout.as_dict()},
            **{name: given[name] for name in BODY_ARGUMENTS if name in given},
        )

    def send(self, request: httpx2.Request, *, stream: bool = False, **given: Any) -> httpx2.Response:
        """An answer that is streamed is a file, and bounded as one."""
        if stream:
            request.extensions[STREAMED_EXTENSION] = True
        return super().send(request, stream=stream, **given)

    @cached_property
    def _default_headers(self) -> list[tuple[str, str]]:
        """Headers that every request has where it does not say otherwise."""
        return self.headers.multi_items()


class ConnectionPools(httpx2.BaseTransport):
    """Several pools of connections, used in turn. A pool looks at each of its connections for each request:
    in one pool of 32 that takes a third of the time that a request costs."""

    def __init__(self, workers: int, trusted: ssl.SSLContext | None, proxy: Proxy | None) -> None:
        connections = workers + 2
        self._pools = [
            _Pool(connections, trusted, proxy) for _ in range(max(1, min(MAX_CONNECTION_POOLS, workers)))
        ]
        self._next_pool = cycle(self._pools)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return next(self._next_pool).handle_request(request)

    def close(self) -> None:
        for pool in self._pools:
            pool.close()


class _Pool(httpx2.HTTPTransport):
    """One pool of connections whose reads are metered."""

    def __init__(self, connections: int, trusted: ssl.SSLContext | None, proxy: Proxy | None) -> None:
        given: dict[str, Any] = {
            "ssl_context": trusted or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            "max_connections": connections,
            "max_keepalive_connections": connections,
            "keepalive_expiry": 5.0,
            "network_backend": MeteredBackend(),
        }
        if proxy is None:
            self._pool = httpcore2.ConnectionPool(**given)
            return
        of_proxy = trusted if proxy.url.startswith("https:") else None
        self._pool = httpcore2.HTTPProxy(
            proxy.url, proxy_auth=proxy.auth, proxy_ssl_context=of_proxy, **given
        )
