"""Whose certificates are trusted: `ca_file` of an estate, else what the environment names, else the system's.

SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's variables, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE those of other
clients; a company sets one of them. Any is enough, for every request and for the sign-in with Entra.
"""

from __future__ import annotations

import os
import ssl
from functools import cache
from pathlib import Path

import httpx2

from migrate.endpoints.settings import Settings
from migrate.errors import BadUsage

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
# For messages: where a certificate can be named.
CERTIFICATE_OPTIONS = "ca_file of the estate, SSL_CERT_FILE or REQUESTS_CA_BUNDLE"


def ssl_context_for(settings: Settings) -> ssl.SSLContext | None:
    """What a connection to an estate trusts; None where it has no certificate (plain http on loopback).
    Raises `BadUsage` for a file that holds no certificate."""
    if settings.origin[0] != "https":
        return None
    named = _configured_paths(settings)
    if not named:
        return _system_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name, path in named:
        _load(context, name, path)
    return context


def ca_path_for_sign_in(settings: Settings) -> str | None:
    """The file or folder of certificates for azure-identity, or None: what it finds by itself."""
    named = _configured_paths(settings)
    for name, path in named:
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), name, path)
    return named[0][1] if named else None


def _configured_paths(settings: Settings) -> list[tuple[str, str]]:
    """Who names a file or folder of certificates, and which. The estate's own stands alone."""
    if settings.ca_file:
        return [(f"ca_file of {settings.name or settings.url}", settings.ca_file)]
    given = [(name, os.environ.get(name, "").strip()) for name in CERTIFICATE_VARIABLES]
    split = {name: path.split(os.pathsep) if name.endswith("DIR") else [path] for name, path in given}
    return [(name, path) for name, paths in split.items() for path in paths if path]


def _load(context: ssl.SSLContext, name: str, path: str) -> None:
    file = Path(path)
    try:
        if file.is_dir():
            context.load_verify_locations(capath=path)
            return
        if not file.is_file():
            raise FileNotFoundError("there is no such file")
        context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:  # also ssl.SSLError
        why = "it holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else None
        raise BadUsage(
            f"{name} names {path}, which cannot be used",
            why or getattr(error, "strerror", None) or str(error),
            f"name a file of certificates in PEM form: {CERTIFICATE_OPTIONS}",
        ) from None


@cache
def _system_context() -> ssl.SSLContext:
    """Read once: it takes 20 ms."""
    return httpx2.create_ssl_context(trust_env=False)
