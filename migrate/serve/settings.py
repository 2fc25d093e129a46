"""What `serve` was started with, checked before anything listens."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from migrate.errors import BadUsage
from migrate.model.loopback import is_loopback

# Hosts that only this machine can reach. A browser that was led here by another name (DNS rebinding) is
# refused.
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
API_FAMILIES = ("azure", "openai", "foundry")
# Of a key that is given; the random one has 43.
MIN_KEY_CHARS = 16
KEY_PATTERN = re.compile(r"[!-~]+")
HOST_NAME_PATTERN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")


@dataclass(frozen=True)
class ServeSettings:
    """`snapshot`: the number of the snapshot that the user gave. `key`: opens pages and API; `key_is_given`:
    it comes from an environment variable and is never shown. `allowed_hosts`: names by which browsers and
    applications may call this server, besides those of this machine. `apis`: families of the API."""

    archive: Path
    key: str
    snapshot: int | None = None
    host: str = "127.0.0.1"
    port: int = 0
    key_is_given: bool = False
    allowed_hosts: frozenset[str] = frozenset()
    apis: frozenset[str] = frozenset(API_FAMILIES)
    tls: ssl.SSLContext | None = field(default=None, compare=False)
    # The delay of the answer to a first wrong key, in seconds; it doubles with each further one.
    wrong_key_delay_s: float = 0.2

    @property
    def hosts(self) -> frozenset[str]:
        """Every name by which this server may be called, in lower case."""
        here = {self.host.lower()} if is_loopback(self.host) else set()
        return LOOPBACK_HOSTS | here | {host.lower().rstrip(".") for host in self.allowed_hosts}

    @property
    def shown_host(self) -> str:
        """The host in the address that is printed. For other machines it is a name by which they may call
        this one: 0.0.0.0 leads nowhere."""
        host = self.host if is_loopback(self.host) else min(self.allowed_hosts, default=self.host)
        return f"[{host}]" if ":" in host else host

    @property
    def scheme(self) -> str:
        """http or https."""
        return "https" if self.tls else "http"


def check_serve_settings(settings: ServeSettings) -> None:
    """Raise `BadUsage` for a key that is too weak or cannot be sent, and for another host than this machine
    without what protects it there."""
    if settings.key_is_given:
        _check_key(settings.key)
    for host in settings.allowed_hosts:
        if not HOST_NAME_PATTERN.fullmatch(host):
            raise BadUsage(
                f"{host!r} is not the name of a host",
                "--allowed-host is a name or an address as it stands in the address bar of a browser",
                "give the name without scheme, port and path: --allowed-host archive.example.com",
            )
    if is_loopback(settings.host):
        return
    missing = {
        "--key-env VARIABLE, a key that does not change": not settings.key_is_given,
        "--tls-cert FILE and --tls-key FILE: without TLS the key and all conversations travel in clear text, "
        "and the SDKs of Azure send a token over https only": settings.tls is None,
        "--allowed-host NAME, the name by which others call it": not settings.allowed_hosts,
    }
    if lacks := [text for text, is_missing in missing.items() if is_missing]:
        raise BadUsage(
            f"--host {settings.host} can be reached by other machines",
            f"that needs {'; '.join(lacks)}",
            "leave --host out to serve this machine only, or give these options",
        )


def _check_key(key: str) -> None:
    todo = "put a new one into the variable: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
    if not KEY_PATTERN.fullmatch(key):
        raise BadUsage(
            "the key of --key-env cannot be sent",
            "it has blanks, or characters that are not ASCII, which no header may have",
            todo,
        )
    if len(key) < MIN_KEY_CHARS:
        raise BadUsage(
            f"the key of --key-env has {len(key)} characters",
            f"it opens every conversation of the archive, so it needs at least {MIN_KEY_CHARS}",
            todo,
        )


def load_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """The certificate and the key with which the server identifies itself. Raises `BadUsage`."""

    def ask() -> str:
        raise BadUsage(
            f"{key} is encrypted", "serve asks for no password", "give a key without one: openssl pkey"
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, ask)
    except (OSError, ssl.SSLError) as error:  # SSLError is an OSError; both are listed for the reader
        raise BadUsage(
            f"cannot use the certificate {certificate} with the key {key}",
            error.strerror or str(error),
            "give a PEM file with the certificate and its chain, and the PEM file of its key",
        ) from None
    return context
