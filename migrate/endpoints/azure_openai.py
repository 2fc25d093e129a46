"""An Azure OpenAI resource as an estate: routes with a dated API version while they answer, then
`/openai/v1`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from migrate.endpoints.assistants import AssistantsReader, AssistantsWriter, EstateChannels
from migrate.endpoints.auth import PLACEHOLDER_KEY, EntraTokenProvider
from migrate.endpoints.connection import EstateConnection
from migrate.endpoints.http.retry import FileChannel
from migrate.endpoints.interface import Probe
from migrate.endpoints.probe import RouteAnswer, probe_result, probe_route, probe_routes, unreadable_error
from migrate.endpoints.settings import Settings
from migrate.errors import ServiceUnreachable

# Tried in this order when none is configured; later ones show more (attributes since 2025-03).
PROBED_API_VERSIONS = ("2025-04-01-preview", "2025-03-01-preview", "2024-05-01-preview")

FIRST_V2_VERSION = "2024-05-01-preview"
FIRST_VERSION_WITH_ATTRIBUTES = "2025-03"


@dataclass(frozen=True)
class AzureOpenAIChannelFactory:
    """Makes the channels of one resource: one for each API version, and one without a version."""

    connection: EstateConnection

    @property
    def settings(self) -> Settings:
        return self.connection.settings

    def versioned(self, version: str) -> FileChannel:
        """The channel for one API version."""
        from openai import AzureOpenAI

        client = AzureOpenAI(
            azure_endpoint=self.settings.url.rstrip("/"),
            api_version=version,
            max_retries=0,
            http_client=self.connection.http,
            **self._credential,
        )
        return self.connection.channel(client)

    def unversioned(self, answers: dict[str, RouteAnswer]) -> FileChannel:
        """The channel under /openai/v1 for files and vector stores. Puts the results of probing them into
        `answers`. Raises `ServiceUnreachable` where neither kind answers."""
        from openai import OpenAI

        url = self.settings.url
        key: Any = self._credential.get("azure_ad_token_provider") or self.settings.secret or PLACEHOLDER_KEY
        base = f"{url.rstrip('/')}/openai/v1/"
        client = OpenAI(base_url=base, api_key=key, max_retries=0, http_client=self.connection.http)
        channel = self.connection.channel(client)
        for kind in ("file", "vector_store"):
            answers[kind] = probe_route(channel, kind)
        if answers["file"].state == "denied":
            raise unreadable_error(url, answers["file"])
        if "works" not in (answers["file"].state, answers["vector_store"].state):
            raise ServiceUnreachable(
                f"{url} has neither assistants nor files, with an API version or under /openai/v1",
                answers["assistant"].reason,
                "check the address: https://RESOURCE.openai.azure.com, without a path",
            )
        return channel

    @cached_property
    def _credential(self) -> dict[str, Any]:
        """The sign-in argument of the SDK's client: exactly one of its three."""
        if self.settings.auth == "entra":
            return {"azure_ad_token_provider": EntraTokenProvider(self.settings)}
        secret = self.settings.secret or PLACEHOLDER_KEY
        return {"azure_ad_token" if self.settings.auth == "token" else "api_key": secret}


def connect_azure_openai(settings: Settings, writable: bool = False) -> AssistantsReader:
    """A reader (or writer) of an Azure OpenAI resource. Nothing is sent before the first use."""
    connection = EstateConnection(settings, writable)
    factory = AzureOpenAIChannelFactory(connection)
    reader_type = AssistantsWriter if writable else AssistantsReader
    return reader_type(connection, lambda: _open_channels(factory))


def _open_channels(factory: AzureOpenAIChannelFactory) -> EstateChannels:
    """Channels of the first version whose routes answer. Files and vector stores are read under /openai/v1
    where no version has them."""
    settings = factory.settings
    versions = (settings.api_version,) if settings.api_version else PROBED_API_VERSIONS
    answers: dict[str, RouteAnswer] = {}
    for version in versions:
        versioned = factory.versioned(version)
        answers = probe_routes(versioned, settings.url)
        if any(answer.state == "works" for kind, answer in answers.items() if kind != "thread"):
            break
    else:
        version, versioned = versions[0], factory.versioned(versions[0])
    if settings.api_version and answers["assistant"].state == "gone":
        _suggest_version(factory)
    files = versioned
    if "works" not in (answers["file"].state, answers["vector_store"].state):
        files = factory.unversioned(answers)
    return EstateChannels(_probe_result(answers, version, files is not versioned), versioned, files)


def _suggest_version(factory: AzureOpenAIChannelFactory) -> None:
    """Raise `ServiceUnreachable` if another API version has the assistants that the configured one lacks. A
    misspelled version must not look like a retired service."""
    configured = factory.settings.api_version
    for version in PROBED_API_VERSIONS:
        if version != configured and probe_route(factory.versioned(version), "assistant").state == "works":
            raise ServiceUnreachable(
                f"{factory.settings.url} has no assistants in API version {configured!r}",
                f"version {version} has them",
                f'set api_version = "{version}" in the config file',
            )


def _probe_result(answers: dict[str, RouteAnswer], version: str, files_unversioned: bool) -> Probe:
    notes = []
    if files_unversioned:
        notes.append("files and vector stores are read under /openai/v1")
    if version < FIRST_V2_VERSION:
        notes.append(
            f"API version {version} shows v1 shapes and hides tool_resources; use {FIRST_V2_VERSION} or later"
        )
    elif version < FIRST_VERSION_WITH_ATTRIBUTES:
        notes.append(f"API version {version} does not show attributes of files in stores")
    return probe_result(answers, version, tuple(notes))
