"""Classic agents of a Foundry project as an estate: the Assistants API under the project's address.

They end on 31 March 2027. Sign-in is Entra or a token; the API description has no key.
"""

from __future__ import annotations

from typing import Any

from migrate.endpoints.assistants import AssistantsReader, AssistantsWriter, EstateChannels
from migrate.endpoints.auth import PLACEHOLDER_KEY, EntraTokenProvider
from migrate.endpoints.connection import EstateConnection
from migrate.endpoints.probe import check_any_route_known, probe_result, probe_routes
from migrate.endpoints.settings import Settings
from migrate.errors import BadUsage

CLASSIC_API_VERSION = "v1"


def connect_foundry_classic(settings: Settings, writable: bool = False) -> AssistantsReader:
    """A reader (or writer) of a project's classic agents. Nothing is sent before the first use."""
    from openai import AzureOpenAI

    connection = EstateConnection(settings, writable)
    version = settings.api_version or CLASSIC_API_VERSION
    client = AzureOpenAI(
        base_url=settings.url.rstrip("/"),
        api_version=version,
        max_retries=0,
        http_client=connection.http,
        **_credential(settings),
    )
    channel = connection.channel(client)

    def open_channels() -> EstateChannels:
        answers = probe_routes(channel, settings.url)
        check_any_route_known(
            answers,
            settings.url,
            "classic agents",
            "the address of a project ends in /api/projects/PROJECT; classic agents end on 31 March 2027",
        )
        return EstateChannels(probe_result(answers, version, settings.remarks), channel, channel)

    return (AssistantsWriter if writable else AssistantsReader)(connection, open_channels)


def _credential(settings: Settings) -> dict[str, Any]:
    if settings.auth == "key":
        raise BadUsage(
            f"{settings.url} does not accept a key",
            "the classic agents of a project accept Entra or a token",
            'set auth = "entra", or auth = "token" and token_env, in the config file',
        )
    if settings.auth == "entra":
        return {"azure_ad_token_provider": EntraTokenProvider(settings)}
    return {"azure_ad_token": settings.secret or PLACEHOLDER_KEY}
