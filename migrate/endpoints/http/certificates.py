"""Trusted certificates: `ca_file` of the estate, or those that the environment names, or those of the system.

SSL_CERT_FILE and SSL_CERT_DIR are variables of OpenSSL, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE of other
clients. It is enough to set one of them; it applies to every request and to the sign-in with Entra.
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
# The places where a certificate can be set, as text for messages.
CERTIFICATE_OPTIONS = "ca_file of the estate, SSL_CERT_FILE or REQUESTS_CA_BUNDLE"


def ssl_context_for(settings: Settings) -> ssl.SSLContext | None:
    """The TLS settings for an estate; None for plain http on loopback. Raises `BadUsage` for a file without a
    certificate."""
    if settings.origin[0] != "https":
        return None
    configured = _configured_paths(settings)
    if not configured:
        return _system_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for setting, path in configured:
        _load(context, setting, path)
    return context


def ca_path_for_sign_in(settings: Settings) -> str | None:
    """The file or folder of certificates for azure-identity; None: azure-identity uses its default."""
    configured = _configured_paths(settings)
    for setting, path in configured:
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), setting, path)
    return configured[0][1] if configured else None


def _configured_paths(settings: Settings) -> list[tuple[str, str]]:
    """Each setting with a file or folder of certificates, with its path. `ca_file` replaces the others."""
    if settings.ca_file:
        return [(f"ca_file of {settings.name or settings.url}", settings.ca_file)]
    variables = [(name, os.environ.get(name, "").strip()) for name in CERTIFICATE_VARIABLES]
    split = {name: path.split(os.pathsep) if name.endswith("DIR") else [path] for name, path in variables}
    return [(name, path) for name, paths in split.items() for path in paths if path]


def _load(context: ssl.SSLContext, setting: str, path: str) -> None:
    file = Path(path)
    try:
        if file.is_dir():
            context.load_verify_locations(capath=path)
            return
        if not file.is_file():
            raise FileNotFoundError("there is no such file")
        context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:  # also ssl.SSLError
        why = "it contains no certificate in PEM format" if isinstance(error, ssl.SSLError) else None
        raise BadUsage(
            f"{setting} names {path}, which cannot be used",
            why or getattr(error, "strerror", None) or str(error),
            f"name a file of certificates in PEM format: {CERTIFICATE_OPTIONS}",
        ) from None


@cache
def _system_context() -> ssl.SSLContext:
    """The certificates of the system. Loading them takes 20 ms, so it is done once."""
    return httpx2.create_ssl_context(trust_env=False)
