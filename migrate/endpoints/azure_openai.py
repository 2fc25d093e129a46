"""An Azure OpenAI resource as an estate: dated routes while they answer, then `/openai/v1`."""

from __future__ import annotations

from typing import Any

from migrate.endpoints.assistants_family import Access, FamilyReader, reader_or_writer
from migrate.endpoints.channel import FileChannel
from migrate.endpoints.interface import Probe
from migrate.endpoints.probing import Answer, ask, survey, turned_away
from migrate.endpoints.settings import Settings
from migrate.endpoints.sign_in import AZURE_SCOPE, entra_token
from migrate.endpoints.wire import OpenAIWire, http_client
from migrate.errors import Unreachable

VERSIONS = ("2025-04-01-preview", "2025-03-01-preview", "2024-05-01-preview")
"""Tried in this order when none is configured; later ones show more (attributes since 2025-03)."""

FIRST_V2 = "2024-05-01-preview"
FIRST_WITH_ATTRIBUTES = "2025-03"


def connect(settings: Settings, writable: bool = False) -> FamilyReader:
    """A reader (or writer) of an Azure OpenAI resource. Nothing is sent before the first use."""
    http = http_client(settings.workers, writable)
    credential = _credential(settings)

    def settle() -> Access:
        versions = (settings.api_version,) if settings.api_version else VERSIONS
        found: dict[str, Answer] = {}
        for version in versions:
            dated = _dated(settings, credential, http, version)
            found = survey(dated, settings.url)
            if any(answer.state == "works" for kind, answer in found.items() if kind != "thread"):
                break
        else:
            version, dated = versions[0], _dated(settings, credential, http, versions[0])
        if settings.api_version and found["assistant"].state == "gone":
            _suggest_version(settings, credential, http)
        stored = dated
        if "works" not in (found["file"].state, found["vector_store"].state):
            stored = _outliving(settings, credential, http, found)
        return Access(_probe(found, version, stored is not dated), dated, stored)

    return reader_or_writer(writable)("azure-openai", settings.url, settle, http.close)


def _suggest_version(settings: Settings, credential: dict[str, Any], http: Any) -> None:
    """Raise `Unreachable` when another API version has what the configured one lacks: a misspelled
    version must not pass for a retired service."""
    for version in VERSIONS:
        if version == settings.api_version:
            continue
        if ask(_dated(settings, credential, http, version), "assistant").state == "works":
            raise Unreachable(
                f"{settings.url} has no assistants in API version {settings.api_version!r}",
                f"version {version} has them",
                f'set api_version = "{version}" in the config file',
            )


def _dated(settings: Settings, credential: dict[str, Any], http: Any, version: str) -> FileChannel:
    from openai import AzureOpenAI

    client = AzureOpenAI(
        azure_endpoint=settings.url.rstrip("/"),
        api_version=version,
        max_retries=0,
        http_client=http,
        **credential,
    )
    return FileChannel(OpenAIWire(client), {})


def _outliving(
    settings: Settings, credential: dict[str, Any], http: Any, found: dict[str, Answer]
) -> FileChannel:
    """The channel under /openai/v1, for files and vector stores; fills their rows of `found`."""
    from openai import OpenAI

    key: Any = credential.get("azure_ad_token_provider") or settings.secret
    base = f"{settings.url.rstrip('/')}/openai/v1/"
    client = OpenAI(base_url=base, api_key=key, max_retries=0, http_client=http)
    channel = FileChannel(OpenAIWire(client), {})
    for kind in ("file", "vector_store"):
        found[kind] = ask(channel, kind)
    if found["file"].state == "denied":
        raise turned_away(settings.url, found["file"])
    if "works" not in (found["file"].state, found["vector_store"].state):
        raise Unreachable(
            f"{settings.url} has neither assistants nor files, dated or under /openai/v1",
            found["assistant"].reason,
            "check the address: https://RESOURCE.openai.azure.com, without a path",
        )
    return channel


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
    return Probe(
        {kind: answer.state for kind, answer in found.items()},
        {kind: answer.reason for kind, answer in found.items() if answer.reason},
        version,
        tuple(notes),
    )


def _credential(settings: Settings) -> dict[str, Any]:
    """How the SDK's client signs in: exactly one of its three ways."""
    if settings.auth == "entra":
        return {"azure_ad_token_provider": entra_token(settings, AZURE_SCOPE)}
    return {"azure_ad_token" if settings.auth == "token" else "api_key": settings.secret}
