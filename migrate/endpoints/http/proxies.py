"""Which proxy a request to an estate goes through. Services on this machine are always reached directly.

HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are read as curl reads them, in small letters first.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from migrate.endpoints.addresses import format_origin, is_loopback, origin_of_url
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
