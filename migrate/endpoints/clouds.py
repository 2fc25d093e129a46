"""Clouds of Azure: which hosts belong to which, where one signs in there, and for which audience.

Sources: azure-identity's `AzureAuthorityHosts` for the places of sign-in; Microsoft's pages on Azure
Government and Azure China for the hosts and audiences of Azure OpenAI. For Foundry projects outside the
public cloud nothing was recorded and no page names an audience: what stands here is derived from the hosts,
marked unverified, and replaced with `scope` in the config file.
"""

from __future__ import annotations

from dataclasses import dataclass


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
"""The name of a cloud in the config file -> the cloud."""

SERVICE_BY_HOST_LABEL = {
    "openai": "azure-openai",
    "cognitiveservices": "azure-openai",
    "services.ai": "foundry",
}
"""What stands between a resource's name and its cloud's domain -> the type of service there."""


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
