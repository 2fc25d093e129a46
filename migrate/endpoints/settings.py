"""The settings of one estate: address, API version, credentials and headers; and Azure's clouds.

Sources for the clouds: `AzureAuthorityHosts` of azure-identity for the sign-in hosts; Microsoft's pages on
Azure Government and Azure China for the hosts and audiences of Azure OpenAI. No page and no recording
names the audience of Foundry projects outside the public cloud. Those values are derived from the hosts,
marked as unverified, and can be replaced with `scope` in the config file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from migrate.endpoints.addresses import check_estate_url, is_loopback
from migrate.endpoints.addresses import origin_of_url as origin_of
from migrate.errors import BadUsage
from migrate.model.known_secrets import register_secret


@dataclass(frozen=True)
class Cloud:
    """One Azure cloud. `domain`: the ending of its host names; `authority`: its sign-in host; `cli_name`:
    its name in `az cloud set --name`; `foundry_verified`: whether a source names `foundry_scope`."""

    name: str
    domain: str
    authority: str
    cli_name: str
    foundry_verified: bool

    @property
    def azure_scope(self) -> str:
        """The audience of Azure OpenAI."""
        return f"https://cognitiveservices.{self.domain}/.default"

    @property
    def foundry_scope(self) -> str:
        """The audience of Foundry projects."""
        return f"https://ai.{self.domain}/.default"


# The name of a cloud in the config file -> the cloud.
CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud("public", "azure.com", "login.microsoftonline.com", "AzureCloud", True),
        Cloud("usgov", "azure.us", "login.microsoftonline.us", "AzureUSGovernment", False),
        Cloud("china", "azure.cn", "login.chinacloudapi.cn", "AzureChinaCloud", False),
    )
}

# The part of a host name between the resource's name and the cloud's domain -> the type of service.
SERVICE_BY_HOST_LABEL = {
    "openai": "azure-openai",
    "cognitiveservices": "azure-openai",
    "services.ai": "foundry",
}


def cloud_of_host(host: str) -> Cloud | None:
    """The cloud of a host name, or None if the host name belongs to none."""
    return next((cloud for cloud in CLOUDS.values() if _is_subdomain(host, cloud.domain)), None)


def service_of_host(host: str) -> str | None:
    """The type of service at a host name, or None if the host name is not a known one."""
    if _normalized_host(host) == "api.openai.com":
        return "openai"
    for cloud in CLOUDS.values():
        for middle, type_ in SERVICE_BY_HOST_LABEL.items():
            if _is_subdomain(host, f"{middle}.{cloud.domain}"):
                return type_
    return None


def service_of_url(url: str) -> str:
    """The type of service at an address. Raises `BadUsage` for an address that no estate can have, and for
    one whose host is not a known one."""
    check_estate_url(url)
    if type_ := service_of_host(urlsplit(url).hostname or ""):
        return type_
    raise BadUsage(
        f"{url} does not show its type of service",
        "the host is not a known one",
        f"write TYPE+URL: azure-openai+{url}",
    )


def _is_subdomain(host: str, domain: str) -> bool:
    return _normalized_host(host).endswith(f".{domain}")


def _normalized_host(host: str) -> str:
    return host.lower().rstrip(".")


# Characters that copying or a file may add around a value; U+FEFF is the byte order mark of UTF-8.
INVISIBLE_CHARACTERS = " \t\r\n\v\f\ufeff\xa0"

# The name of a header (RFC 9110, token).
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# A character that a key or token cannot contain: blanks, control characters and everything outside ASCII.
INVALID_IN_KEY = re.compile(r"[^\x21-\x7e]")

# The same for the value of any other header, which may contain blanks.
INVALID_IN_HEADER_VALUE = re.compile(r"[^\x20-\x7e]")

# Headers (in lower case) about the connection and the encoding of the body, which only the HTTP client may
# set.
CLIENT_HEADERS = frozenset(
    "accept-encoding connection content-encoding content-length content-type cookie expect host keep-alive"
    " proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split()
)


Auth = Literal["key", "entra", "token", "none"]


@dataclass(frozen=True)
class Settings:
    """The address and credentials of one estate.

    `secret`: the key or token; `headers`: names and values sent with every request. Both exist only in
    memory and are not part of the repr. `workers`: the largest number of parallel requests. `cloud`,
    `scope` and `ca_file` are '' if not configured: then the cloud follows from the host, the scope from
    the cloud, and the trusted certificates from the environment.
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
        """Whether the service runs on this machine."""
        return is_loopback(urlsplit(self.url).hostname or "")

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port. Requests are sent to no other origin."""
        return origin_of(self.url)

    @property
    def resolved_cloud(self) -> Cloud:
        """The configured cloud, or the cloud of the host, or the public one."""
        if self.cloud:
            return CLOUDS[self.cloud]
        return cloud_of_host(urlsplit(self.url).hostname or "") or CLOUDS["public"]

    @property
    def audience(self) -> str:
        """The scope for which an Entra token is requested."""
        cloud = self.resolved_cloud
        return self.scope or (cloud.azure_scope if self.type == "azure-openai" else cloud.foundry_scope)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks for the user about settings that no documentation confirms."""
        derived_audience = self.auth == "entra" and not self.scope and self.type != "azure-openai"
        if not derived_audience or self.resolved_cloud.foundry_verified:
            return ()
        return (
            f"unverified: tokens are requested for {self.audience}; no document states the audience of "
            "projects outside the public cloud, and `scope` in the config file replaces it",
        )
