"""How to reach one estate: address, API version and credentials. Secrets never show in a repr."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from migrate.errors import BadUsage

Auth = Literal["key", "entra", "token"]


@dataclass(frozen=True)
class Settings:
    """One estate's address and credentials.

    `secret` is the key or token itself; it lives only here, in memory. `workers` bounds connections.
    """

    type: str
    url: str
    api_version: str = ""
    auth: Auth = "key"
    secret: str = field(default="", repr=False)
    tenant: str = ""
    workers: int = 8
    name: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise BadUsage(
                f"{self.url} is plain http",
                "keys and conversations would travel unprotected",
                "use https; http is accepted for 127.0.0.1, ::1 and localhost only",
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadUsage(f"{self.url!r} is not the address of a service", "it needs https:// and a host")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
