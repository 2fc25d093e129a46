"""Addresses (URLs): which ones an estate may have, their origin, and how an id is written into a path."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from migrate.errors import BadUsage, RequestFailed
from migrate.model.input_limits import MAX_ID
from migrate.model.known_secrets import register_secret
from migrate.model.loopback import is_loopback as is_loopback

# Scheme, host and port of an address.
Origin = tuple[str, str, int]

DEFAULT_PORTS = {"http": 80, "https": 443}
FORBIDDEN_CHARACTER = re.compile(r"[\s\x00-\x1f\x7f\\]")
# Servers and clients resolve these path segments ("this folder", "the folder above") unless they are escaped.
ESCAPED_DOT_SEGMENTS = {".": "%2E", "..": "%2E%2E"}


def origin_of_url(url: str) -> Origin:
    """Scheme, host and port of an address. Raises `ValueError` if it is not an address."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(scheme, 0)


def format_origin(origin: Origin) -> str:
    """An origin as text. The port is shown only where it is not the default of the scheme."""
    scheme, host, port = origin
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + ("" if port == DEFAULT_PORTS.get(scheme) else f":{port}")


def check_estate_url(url: str, name: str = "") -> None:
    """Raise `BadUsage` for an address that an estate cannot have. A credential in the address is not
    repeated in the message. `name`: the name of the estate in the config file."""
    _check_no_credentials(url, f"estate {name}" if name else "an estate")
    if FORBIDDEN_CHARACTER.search(url):
        raise BadUsage(
            f"{url!r} is not the address of a service",
            "it contains a blank, a backslash or a control character",
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
    """Whether a text can be a host name: labels of 1 to 63 characters, at most 253 in total (RFC 1035)."""
    if ":" in host:  # an IPv6 address, which `urlsplit` has checked
        return True
    try:
        labels = host.rstrip(".").encode("idna").split(b".")
    except UnicodeError:
        return False
    return all(0 < len(label) <= 63 for label in labels) and len(host) <= 253


def _check_no_credentials(url: str, owner: str) -> None:
    """Refuse user-info, query and fragment before any part of the address is shown in a message."""
    rest = url.partition("://")[2] or url
    host_and_path, mark, query = re.match(r"([^?#]*)([?#]?)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    userinfo, separator, _ = host_and_path.partition("/")[0].rpartition("@")
    if separator:
        for part in (userinfo, *userinfo.split(":", 1)):
            register_secret(part)
        raise BadUsage(
            f"the address of {owner} contains a user or a password",
            "it would be stored in archives and plans, and shown in reports",
            "leave it out of the address; set key_env or token_env to the name of a variable with it",
        )
    if mark:
        for pair in re.split("[&;]", query):
            register_secret(pair.partition("=")[2])
        scheme = url[: len(url) - len(rest)]
        raise BadUsage(
            f"the address of {owner}, {scheme}{host_and_path}, is followed by {mark!r}",
            "what follows may be a credential, and would not be sent with the requests",
            "write the address without; api_version, key_env and headers_env are settings of their own",
        )


def path_segment(id_: str) -> str:
    """An id, escaped so that it is one segment of a path. Raises `RequestFailed` for an id that cannot be
    written into a path: only the object with this id is affected."""
    if not id_:
        raise RequestFailed("an object without an id cannot be requested", status=400)
    if len(id_) > MAX_ID.maximum:
        raise RequestFailed(f"the id {id_[:40]!r}... cannot be requested: {MAX_ID.describe()}", status=400)
    try:
        quoted = quote(id_, safe="")
    except UnicodeEncodeError:
        why = "it contains half of a surrogate pair, which UTF-8 cannot encode"
        raise RequestFailed(f"the id {id_!r} cannot be requested: {why}", status=400) from None
    return ESCAPED_DOT_SEGMENTS.get(quoted, quoted)
