"""How to reach one estate: address, API version, credentials, headers. Secrets never show in a repr."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from migrate.endpoints.addresses import check_estate_url, is_loopback
from migrate.endpoints.addresses import origin_of_url as origin_of
from migrate.model.known_secrets import register_secret


@dataclass(frozen=True)
class Cloud:
    """One cloud. `domain` is the ending of its hosts, `authority` the host that signs in, `cli_name` what
    `az cloud set --name` calls it."""

    name: str
    domain: str
    authority: str
    cli_name: str
    azure_scope: str
    foundry_scope: str
    foundry_verified: bool


# The name of a cloud in the config file -> the cloud.
CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            "public", "azure.com", "login.microsoftonline.com", "AzureCloud",
            "https://cognitiveservices.azure.com/.default", "https://ai.azure.com/.default", True,
        ),
        Cloud(
            "usgov", "azure.us", "login.microsoftonline.us", "AzureUSGovernment",
            "https://cognitiveservices.azure.us/.default", "https://ai.azure.us/.default", False,
        ),
        Cloud(
            "china", "azure.cn", "login.chinacloudapi.cn", "AzureChinaCloud",
            "https://cognitiveservices.azure.cn/.default", "https://ai.azure.cn/.default", False,
        ),
    )
}  # fmt: skip

# What stands between a resource's name and its cloud's domain -> the type of service there.
SERVICE_BY_HOST_LABEL = {
    "openai": "azure-openai",
    "cognitiveservices": "azure-openai",
    "services.ai": "foundry",
}


def cloud_of_host(host: str) -> Cloud | None:
    """The cloud that a host lies in, if it tells."""
    return next((cloud for cloud in CLOUDS.values() if _is_subdomain(host, cloud.domain)), None)


def service_of_host(host: str) -> str | None:
    """The type of service that a host tells, if it is a known one."""
    if _normalized_host(host) == "api.openai.com":
        return "openai"
    for cloud in CLOUDS.values():
        for middle, type_ in SERVICE_BY_HOST_LABEL.items():
            if _is_subdomain(host, f"{middle}.{cloud.domain}"):
                return type_
    return None


def _is_subdomain(host: str, domain: str) -> bool:
    return _normalized_host(host).endswith(f".{domain}")


def _normalized_host(host: str) -> str:
    return host.lower().rstrip(".")


# What copying and files put around a value without anybody seeing it; the mark of UTF-8 among it.
INVISIBLE_CHARACTERS = " \t\r\n\v\f\ufeff\xa0"

# A header's name (RFC 9110, token).
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# A sign that a key or token cannot hold: blanks, control characters and all that is not ASCII.
INVALID_IN_KEY = re.compile(r"[^\x21-\x7e]")

# The same of any other header's value, which may hold blanks.
INVALID_IN_HEADER_VALUE = re.compile(r"[^\x20-\x7e]")

# Headers, in small letters, that say how a request travels: only the HTTP client knows.
CLIENT_HEADERS = frozenset(
    {
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie",
        "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip


Auth = Literal["key", "entra", "token", "none"]


@dataclass(frozen=True)
class Settings:
    """One estate's address and credentials.

    `secret` is the key or token itself, `headers` are names and values that go with every request; they live
    only here, in memory. `workers` bounds connections. `cloud`, `scope` and `ca_file` are '' where nobody set
    them: then the host tells the cloud, the cloud the scope, and the environment the certificates.
    """

    type: str
    url: str
    api_version: str = ""
    auth: Auth = "key"
    secret: str = field(default="", repr=False)
    tenant: str = ""
    workers: int = 8
    name: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    cloud: str = ""
    scope: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        check_estate_url(self.url, self.name)
        for value in (self.secret, *(value for _, value in self.headers)):
            register_secret(value, self.loopback)

    @property
    def loopback(self) -> bool:
        """Whether the estate is a service on this machine."""
        return is_loopback(urlsplit(self.url).hostname or "")

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: the only place that requests go to."""
        return origin_of(self.url)

    @property
    def resolved_cloud(self) -> Cloud:
        """The cloud of the estate: as set, as its host tells, else the public one."""
        if self.cloud:
            return CLOUDS[self.cloud]
        return cloud_of_host(urlsplit(self.url).hostname or "") or CLOUDS["public"]

    @property
    def audience(self) -> str:
        """The scope that a token of Entra is asked for."""
        cloud = self.resolved_cloud
        return self.scope or (cloud.azure_scope if self.type == "azure-openai" else cloud.foundry_scope)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is not known for certain about reaching this estate."""
        unsure = self.auth == "entra" and not self.scope and self.type != "azure-openai"
        if not unsure or self.resolved_cloud.foundry_verified:
            return ()
        return (
            f"unverified: tokens are asked for {self.audience}; of projects outside the public cloud no "
            "document names the audience, `scope` of the config file sets another",
        )
