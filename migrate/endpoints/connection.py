"""What all requests to one estate share: its settings, one HTTP client and one limit for their rate."""

from __future__ import annotations

from typing import Any

from migrate.endpoints.http.client import http_client
from migrate.endpoints.http.openai_transport import OpenAITransport
from migrate.endpoints.http.rate_limit import RateLimiter
from migrate.endpoints.http.retry import FileChannel
from migrate.endpoints.settings import Settings


class EstateConnection:
    """The connection to one estate. Nothing is sent before the first use."""

    def __init__(self, settings: Settings, writable: bool) -> None:
        self.settings = settings
        self.limiter = RateLimiter(settings.workers, url=settings.url)
        self.http = http_client(settings, writable)

    def channel(self, client: Any) -> FileChannel:
        """A channel through a client of the OpenAI SDK, which was made with `http`."""
        return FileChannel(OpenAITransport(client, self.http), self.limiter)
