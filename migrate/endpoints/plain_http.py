"""The one place where a token may travel over plain http: to this machine itself, for rehearsals.

azure-core refuses a bearer token over http, whatever the client's constructor is told; only the request's
own options change that. `Settings` has refused http to any other host before.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline.policies import SansIOHTTPPolicy

from migrate.endpoints.addresses import is_loopback


class LoopbackHttp(SansIOHTTPPolicy[Any, Any]):
    """Lets a request to a loopback address go over http, and no other."""

    def on_request(self, request: Any) -> None:
        if is_loopback(urlsplit(request.http_request.url).hostname or ""):
            request.context.options["enforce_https"] = False
