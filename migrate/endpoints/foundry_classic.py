"""Classic agents of a Foundry project as an estate: the Assistants wire under the project's address.

They end on 31 March 2027. Sign-in is Entra or a token; the description names no key.
"""

from __future__ import annotations

from typing import Any

from migrate.endpoints.assistants import Access, FamilyReader, FamilyWriter
from migrate.endpoints.auth import UNUSED_KEY, Entra
from migrate.endpoints.http.client import http_client
from migrate.endpoints.http.openai_transport import OpenAIWire
from migrate.endpoints.http.retry import FileChannel
from migrate.endpoints.probe import findings, must_hold_something, survey
from migrate.endpoints.rate_limit import RateLimiter
from migrate.endpoints.settings import Settings
from migrate.errors import BadUsage

API_VERSION = "v1"


def connect(settings: Settings, writable: bool = False) -> FamilyReader:
    """A reader (or writer) of a project's classic agents. Nothing is sent before the first use."""
    from openai import AzureOpenAI

    pace = RateLimiter(settings.workers, url=settings.url)
    http = http_client(settings, writable)
    version = settings.api_version or API_VERSION
    client = AzureOpenAI(
        base_url=settings.url.rstrip("/"),
        api_version=version,
        max_retries=0,
        http_client=http,
        **_credential(settings),
    )
    channel = FileChannel(OpenAIWire(client, http), pace)

    def settle() -> Access:
        found = survey(channel, settings.url)
        must_hold_something(
            found,
            settings.url,
            "classic agents",
            "the address of a project ends in /api/projects/PROJECT; classic agents end on 31 March 2027",
        )
        return Access(findings(found, version, settings.remarks), channel, channel)

    kind = FamilyWriter if writable else FamilyReader
    return kind("foundry-classic", settings.url, pace, settle, http.close)


def _credential(settings: Settings) -> dict[str, Any]:
    if settings.auth == "key":
        raise BadUsage(
            f"{settings.url} takes no key",
            "classic agents of a project are reached with Entra or a token",
            'set auth = "entra", or auth = "token" and token_env, in the config file',
        )
    if settings.auth == "entra":
        return {"azure_ad_token_provider": Entra(settings)}
    return {"azure_ad_token": settings.secret or UNUSED_KEY}
