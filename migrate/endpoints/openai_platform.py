"""The OpenAI platform as an estate: Bearer key, no API version, no official listing of threads."""

from __future__ import annotations

from migrate.endpoints.assistants_family import Access, FamilyReader, FamilyWriter
from migrate.endpoints.channel import FileChannel
from migrate.endpoints.interface import Probe
from migrate.endpoints.pace import Pace
from migrate.endpoints.probing import survey
from migrate.endpoints.settings import Settings
from migrate.endpoints.wire import OpenAIWire, http_client
from migrate.errors import Unreachable


def connect(settings: Settings, writable: bool = False) -> FamilyReader:
    """A reader (or writer) of an OpenAI project. Nothing is sent before the first use."""
    from openai import OpenAI

    pace = Pace(settings.workers)
    client = OpenAI(
        base_url=settings.url.rstrip("/"),
        api_key=settings.secret,
        max_retries=0,
        http_client=http_client(settings.workers, writable),
    )
    channel = FileChannel(OpenAIWire(client), pace)

    def settle() -> Access:
        found = survey(channel, settings.url)
        if all(answer.state == "gone" for answer in found.values()):
            raise Unreachable(
                f"{settings.url} has neither assistants nor files",
                found["file"].reason,
                "the address of the OpenAI platform ends in /v1",
            )
        probe = Probe(
            {kind: answer.state for kind, answer in found.items()},
            {kind: answer.reason for kind, answer in found.items() if answer.reason},
        )
        return Access(probe, channel, channel)

    kind = FamilyWriter if writable else FamilyReader
    return kind("openai", settings.url, pace, settle, client.close)
