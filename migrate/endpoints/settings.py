"""How to reach one estate: address, API version, credentials, headers. Secrets never show in a repr."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from migrate.endpoints.addresses import check_estate_url, is_loopback
from migrate.endpoints.addresses import origin_of_url as origin_of
from migrate.endpoints.clouds import CLOUDS, Cloud, cloud_of_host
from migrate.model.known_secrets import register_secret

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
