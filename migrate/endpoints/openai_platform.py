"""The OpenAI platform as an estate: Bearer key, no API version, no official listing of threads."""

from __future__ import annotations

from migrate.endpoints.assistants import Access, FamilyReader, FamilyWriter
from migrate.endpoints.auth import UNUSED_KEY
from migrate.endpoints.http.client import http_client
from migrate.endpoints.http.openai_transport import OpenAIWire
from migrate.endpoints.http.retry import FileChannel
from migrate.endpoints.probe import findings, must_hold_something, survey
from migrate.endpoints.rate_limit import RateLimiter
from migrate.endpoints.settings import Settings


def connect(settings: Settings, writable: bool = False) -> FamilyReader:
    """A reader (or writer) of an OpenAI project. Nothing is sent before the first use."""
    from openai import OpenAI

    pace = RateLimiter(settings.workers, url=settings.url)
    http = http_client(settings, writable)
    base = settings.url.rstrip("/")
    client = OpenAI(base_url=base, api_key=settings.secret or UNUSED_KEY, max_retries=0, http_client=http)
    channel = FileChannel(OpenAIWire(client, http), pace)

    def settle() -> Access:
        found = survey(channel, settings.url)
        must_hold_something(
            found,
            settings.url,
            "assistants",
            "the address of the OpenAI platform ends in /v1",
        )
        return Access(findings(found), channel, channel)

    kind = FamilyWriter if writable else FamilyReader
    return kind("openai", settings.url, pace, settle, client.close)
