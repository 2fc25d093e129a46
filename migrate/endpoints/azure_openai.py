"""An Azure OpenAI resource as an estate: dated routes while they answer, then `/openai/v1`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from migrate.endpoints.assistants import Access, FamilyReader, FamilyWriter
from migrate.endpoints.auth import UNUSED_KEY, Entra
from migrate.endpoints.http.client import http_client
from migrate.endpoints.http.openai_transport import OpenAIWire
from migrate.endpoints.http.retry import FileChannel
from migrate.endpoints.interface import Probe
from migrate.endpoints.probe import Answer, ask, findings, survey, turned_away
from migrate.endpoints.rate_limit import RateLimiter
from migrate.endpoints.settings import Settings
from migrate.errors import ServiceUnreachable

VERSIONS = ("2025-04-01-preview", "2025-03-01-preview", "2024-05-01-preview")
"""Tried in this order when none is configured; later ones show more (attributes since 2025-03)."""

FIRST_V2 = "2024-05-01-preview"
FIRST_WITH_ATTRIBUTES = "2025-03"


@dataclass(frozen=True)
class Doors:
    """The resource's ways in: one channel per API version, and the one that has none."""

    settings: Settings
    http: Any
    pace: RateLimiter

    def dated(self, version: str) -> FileChannel:
        """The channel of one API version."""
        from openai import AzureOpenAI

        client = AzureOpenAI(
            azure_endpoint=self.settings.url.rstrip("/"),
            api_version=version,
            max_retries=0,
            http_client=self.http,
            **self._credential,
        )
        return FileChannel(OpenAIWire(client, self.http), self.pace)

    def outliving(self, found: dict[str, Answer]) -> FileChannel:
        """The channel under /openai/v1, for files and vector stores; fills their rows of `found`."""
        from openai import OpenAI

        url = self.settings.url
        key: Any = self._credential.get("azure_ad_token_provider") or self.settings.secret or UNUSED_KEY
        base = f"{url.rstrip('/')}/openai/v1/"
        client = OpenAI(base_url=base, api_key=key, max_retries=0, http_client=self.http)
        channel = FileChannel(OpenAIWire(client, self.http), self.pace)
        for kind in ("file", "vector_store"):
            found[kind] = ask(channel, kind)
        if found["file"].state == "denied":
            raise turned_away(url, found["file"])
        if "works" not in (found["file"].state, found["vector_store"].state):
            raise ServiceUnreachable(
                f"{url} has neither assistants nor files, dated or under /openai/v1",
                found["assistant"].reason,
                "check the address: https://RESOURCE.openai.azure.com, without a path",
            )
        return channel

    @cached_property
    def _credential(self) -> dict[str, Any]:
        """How the SDK's client signs in: exactly one of its three ways."""
        if self.settings.auth == "entra":
            return {"azure_ad_token_provider": Entra(self.settings)}
        secret = self.settings.secret or UNUSED_KEY
        return {"azure_ad_token" if self.settings.auth == "token" else "api_key": secret}


def connect(settings: Settings, writable: bool = False) -> FamilyReader:
    """A reader (or writer) of an Azure OpenAI resource. Nothing is sent before the first use."""
    pace = RateLimiter(settings.workers, url=settings.url)
    doors = Doors(settings, http_client(settings, writable), pace)
    kind = FamilyWriter if writable else FamilyReader
    return kind("azure-openai", settings.url, doors.pace, lambda: _settle(doors), doors.http.close)


def _settle(doors: Doors) -> Access:
    """The first version whose routes answer; files and stores under /openai/v1 where no version has them."""
    settings = doors.settings
    versions = (settings.api_version,) if settings.api_version else VERSIONS
    found: dict[str, Answer] = {}
    for version in versions:
        dated = doors.dated(version)
        found = survey(dated, settings.url)
        if any(answer.state == "works" for kind, answer in found.items() if kind != "thread"):
            break
    else:
        version, dated = versions[0], doors.dated(versions[0])
    if settings.api_version and found["assistant"].state == "gone":
        _suggest_version(doors)
    stored = dated
    if "works" not in (found["file"].state, found["vector_store"].state):
        stored = doors.outliving(found)
    return Access(_probe(found, version, stored is not dated), dated, stored)


def _suggest_version(doors: Doors) -> None:
    """Raise `ServiceUnreachable` when another API version has what the configured one lacks: a misspelled
    version must not pass for a retired service."""
    asked = doors.settings.api_version
    for version in VERSIONS:
        if version != asked and ask(doors.dated(version), "assistant").state == "works":
            raise ServiceUnreachable(
                f"{doors.settings.url} has no assistants in API version {asked!r}",
                f"version {version} has them",
                f'set api_version = "{version}" in the config file',
            )


def _probe(found: dict[str, Answer], version: str, outlived: bool) -> Probe:
    notes = []
    if outlived:
        notes.append("files and vector stores are read under /openai/v1")
    if version < FIRST_V2:
        notes.append(
            f"API version {version} shows v1 shapes and hides tool_resources; use {FIRST_V2} or later"
        )
    elif version < FIRST_WITH_ATTRIBUTES:
        notes.append(f"API version {version} does not show attributes of files in stores")
    return findings(found, version, tuple(notes))
