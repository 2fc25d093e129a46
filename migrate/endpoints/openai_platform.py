"""The OpenAI platform as an estate: bearer key, no API version, no documented listing of threads."""

from __future__ import annotations

from migrate.endpoints.assistants import AssistantsReader, AssistantsWriter, EstateChannels
from migrate.endpoints.auth import PLACEHOLDER_KEY
from migrate.endpoints.connection import EstateConnection
from migrate.endpoints.probe import check_any_route_known, probe_result, probe_routes
from migrate.endpoints.settings import Settings
from migrate.errors import AccessDenied, NotFound

MODELS_PATH = "/models"


def connect_openai(settings: Settings, writable: bool = False) -> AssistantsReader:
    """A reader (or writer) of an OpenAI project. Nothing is sent before the first use."""
    from openai import OpenAI

    connection = EstateConnection(settings, writable)
    client = OpenAI(
        base_url=settings.url.rstrip("/"),
        api_key=settings.secret or PLACEHOLDER_KEY,
        max_retries=0,
        http_client=connection.http,
    )
    channel = connection.channel(client)

    def open_channels() -> EstateChannels:
        answers = probe_routes(channel, settings.url)
        check_any_route_known(
            answers, settings.url, "assistants", "the address of the OpenAI platform ends in /v1"
        )
        return EstateChannels(probe_result(answers), channel, channel)

    return (OpenAIWriter if writable else OpenAIReader)(connection, open_channels)


class OpenAIReader(AssistantsReader):
    """Reads an OpenAI project."""

    def shutdown_dates(self) -> dict[str, str]:
        """From `GET /v1/models`, one request without pages. openai 3.57 describes `shutdown_date` as a text
        or null; how the text is written is not described."""
        try:
            rows = self.channels.files.get(MODELS_PATH).get("data")
        except (NotFound, AccessDenied):
            return {}
        bodies = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return {str(row.get("id")): str(row["shutdown_date"]) for row in bodies if row.get("shutdown_date")}


class OpenAIWriter(OpenAIReader, AssistantsWriter):
    """Reads and writes an OpenAI project."""
