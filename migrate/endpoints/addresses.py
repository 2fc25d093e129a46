"""Addresses: which may name an estate, where a request to one goes, and an id as one segment of a path."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlsplit

from migrate.errors import BadUsage, RequestFailed
from migrate.model.input_limits import MAX_ID
from migrate.model.known_secrets import register_secret

# Scheme, host, port: where a request goes.
Origin = tuple[str, str, int]

DEFAULT_PORTS = {"http": 80, "https": 443}
FORBIDDEN_CHARACTER = re.compile(r"[\s\x00-\x1f\x7f\\]")
# Segments that servers and clients take for steps in a path, as they are written without that meaning.
ESCAPED_DOT_SEGMENTS = {".": "%2E", "..": "%2E%2E"}


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of_url(url: str) -> Origin:
    """Where a request to an address goes. Raises `ValueError` for what is no address."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(scheme, 0)


def format_origin(place: Origin) -> str:
    """An origin in words: its port only where it is not the usual one."""
    scheme, host, port = place
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + ("" if port == DEFAULT_PORTS.get(scheme) else f":{port}")


def check_estate_url(url: str, name: str = "") -> None:
    """Raises `BadUsage` for an address that cannot be an estate's, without repeating a credential in it.
    `name`: what the estate is called."""
    _check_no_credentials(url, f"estate {name}" if name else "an estate")
    if FORBIDDEN_CHARACTER.search(url):
        raise BadUsage(
            f"{url!r} is not the address of a service",
            "it holds a blank, a backslash or a control character",
            "write it without: https://HOST/PATH",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUsage(
            f"{url!r} is not the address of a service", str(error), "it needs https:// and a host"
        ) from None
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise BadUsage(
            f"{url} is plain http",
            "keys and conversations would travel unprotected",
            "use https; http is accepted for 127.0.0.1, ::1 and localhost only",
        )
    if parts.scheme not in DEFAULT_PORTS or not _is_host(parts.hostname or "") or port == 0:
        raise BadUsage(f"{url!r} is not the address of a service", "it needs https:// and a host")


def _is_host(host: str) -> bool:
    """Whether a name could be one of a machine: labels of 1 to 63 signs, 253 in all (RFC 1035)."""
    if ":" in host:  # an address of IPv6, which `urlsplit` has looked at
        return True
    try:
        labels = host.rstrip(".").encode("idna").split(b".")
    except UnicodeError:
        return False
    return all(0 < len(label) <= 63 for label in labels) and len(host) <= 253


def _check_no_credentials(url: str, whose: str) -> None:
    """User-info, query and fragment are refused before anything of the address is shown."""
    rest = url.partition("://")[2] or url
    host_and_path, mark, query = re.match(r"([^?#]*)([?#]?)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    userinfo, at, _ = host_and_path.partition("/")[0].rpartition("@")
    if at:
        for part in (userinfo, *userinfo.split(":", 1)):
            register_secret(part)
        raise BadUsage(
            f"the address of {whose} holds a user or a password",
            "it would be kept in archives and plans, and shown in reports",
            "write the address without; key_env or token_env names the variable of a key or token",
        )
    if mark:
        for pair in re.split("[&;]", query):
            register_secret(pair.partition("=")[2])
        scheme = url[: len(url) - len(rest)]
        raise BadUsage(
            f"the address of {whose}, {scheme}{host_and_path}, is followed by {mark!r}",
            "what follows may be a credential, and no request would carry it as meant",
            "write the address without; api_version, key_env and headers_env are settings of their own",
        )


def path_segment(id_: str) -> str:
    """An id as one segment of a path, whatever is in it. Raises `RequestFailed` for one that has no form
    there: it names an object that cannot be asked for, and nothing else."""
    if not id_:
        raise RequestFailed("an object without an id cannot be asked for", status=400)
    if len(id_) > MAX_ID.maximum:
        raise RequestFailed(f"the id {id_[:40]!r}... cannot be asked for: {MAX_ID.describe()}", status=400)
    try:
        quoted = quote(id_, safe="")
    except UnicodeEncodeError:
        why = "it holds half of a character pair, which has no form on the wire"
        raise RequestFailed(f"the id {id_!r} cannot be asked for: {why}", status=400) from None
    return ESCAPED_DOT_SEGMENTS.get(quoted, quoted)
