"""The HTTP client that sends all requests to an estate, with its connections and its proxy.

Proxies: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are read as curl reads them, names in lower case
first. Services on this machine are always reached without a proxy.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
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
    """One proxy. `display_url`: its address without user and password."""

    url: str
    display_url: str
    auth: tuple[str, str] | None = field(default=None, repr=False)


def proxy_for(url: str) -> Proxy | None:
    """The proxy that the environment names for an address, or None. Raises `BadUsage` for a proxy that
    cannot be used."""
    scheme, host, port = origin_of_url(url)
    if is_loopback(host):
        return None
    proxies = getproxies()
    variable = next((name for name in (scheme, "all") if proxies.get(name)), None)
    if variable is None or _is_excluded(host, port, proxies.get("no", "")):
        return None
    return _proxy(proxies[variable], f"{variable.upper()}_PROXY")


def _proxy(text: str, variable: str) -> Proxy:
    text = text.strip()
    text = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(text)
        origin = origin_of_url(text)
        if not parts.hostname or origin[0] not in (*PROXY_SCHEMES, "socks5", "socks5h", "socks4", "socks4a"):
            raise ValueError
    except ValueError:
        raise BadUsage(
            f"the environment variable {variable} is not a usable proxy",
            "its value does not have the form http://HOST:PORT",
            "correct or unset it; NO_PROXY lists hosts that are reached without a proxy",
        ) from None
    for part in (parts.password, unquote(parts.password or "")):
        if part:
            register_secret(part)
    if origin[0] not in PROXY_SCHEMES:
        raise BadUsage(
            f"the environment variable {variable} names a proxy of type {origin[0]}",
            "only http and https proxies can be used",
            "name an http or https proxy, or list the host in NO_PROXY",
        )
    auth = (unquote(parts.username or ""), unquote(parts.password or "")) if parts.username else None
    return Proxy(format_origin(origin), format_origin(origin), auth)


def _is_excluded(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY lists a host: by name (including subdomains), by address or network, with or without a
    port; `*` lists everything."""
    return any(_entry_matches(host, port, entry) for entry in no_proxy.replace(",", " ").split())


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


def http_client(settings: Settings, writable: bool) -> EstateHttpClient:
    """A client for as many parallel requests as the estate has workers. If not `writable`, it refuses
    every method other than GET before a byte is sent. Raises `BadUsage` for an address, proxy or
    certificate that cannot be used."""

    def check(request: httpx2.Request) -> None:
        check_is_get(request.method, request.url.path)

    try:
        httpx2.URL(settings.url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise BadUsage(
            f"{settings.url!r} is not the address of a service", str(error), "it needs https:// and a host"
        ) from None
    proxy = proxy_for(settings.url)
    pool = ConnectionPool(settings.workers + 2, ssl_context_for(settings), proxy)
    return EstateHttpClient(
        transport=GuardedTransport(pool, settings, proxy.display_url if proxy else ""),
        timeout=httpx2.Timeout(WRITE_ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
        event_hooks={} if writable else {"request": [check]},
    )


def check_is_get(method: str, path: str) -> None:
    """Raise `AssertionError` if a connection for reading is about to send another method than GET."""
    if method != "GET":
        raise AssertionError(f"a connection for reading must not send {method} {path}")


class EstateHttpClient(httpx2.Client):
    """The HTTP client of one estate."""

    def send(self, request: httpx2.Request, *, stream: bool = False, **given: Any) -> httpx2.Response:
        """Send a request. A streamed answer is a file, so the size limit of files applies to it."""
        if stream:
            request.extensions[STREAMED_EXTENSION] = True
        return super().send(request, stream=stream, **given)


class ConnectionPool(httpx2.HTTPTransport):
    """The connections to one estate. A `ReadMeter` measures the time that reading takes."""

    def __init__(self, connections: int, tls: ssl.SSLContext | None, proxy: Proxy | None) -> None:
        options: dict[str, Any] = {
            "ssl_context": tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            "max_connections": connections,
            "max_keepalive_connections": connections,
            "keepalive_expiry": 5.0,
            "network_backend": MeteredBackend(),
        }
        if proxy is None:
            self._pool = httpcore2.ConnectionPool(**options)
            return
        proxy_tls = tls if proxy.url.startswith("https:") else None
        self._pool = httpcore2.HTTPProxy(
            proxy.url, proxy_auth=proxy.auth, proxy_ssl_context=proxy_tls, **options
        )
