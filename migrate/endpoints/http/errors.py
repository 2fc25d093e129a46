"""A failed answer in, the failure it means out. Parses every body family seen; never keys on wording.

Three families of error bodies occur on one Azure resource: OpenAI's {error:{message,type,param,code}},
the gateway's {error:{code,message}} and, from proxies, HTML. Codes may be the strings "404" or "null".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from migrate.errors import AccessDenied, NotDownloadable, NotFound, RequestFailed
from migrate.model.known_secrets import redact

NOT_FOUND_STATUSES = (404, 405, 410, 501)
DENIED_STATUSES = (401, 403)
TRANSIENT_STATUSES = (408, 409, 425, 429, 500, 502, 503, 504)

REFUSED_DOWNLOAD_TEXT = "Not allowed to download files of purpose"
"""The one text that is matched: OpenAI's 400 for such files has no code of its own."""


def failure_of_response(status: int, text: str, headers: Mapping[str, str], asked: str) -> RequestFailed:
    """The failure that an answer with an error status means; `asked` is "METHOD path"."""
    message, code = error_message_and_code(redact(text))
    what = f"{asked} answered {status}: {message or 'no message'}"
    meant: type[RequestFailed] = RequestFailed
    if REFUSED_DOWNLOAD_TEXT in message and status in (400, 403):
        meant = NotDownloadable
    elif status in NOT_FOUND_STATUSES:
        meant = NotFound
    elif status in DENIED_STATUSES:
        meant = AccessDenied
    return meant(what, status, code, headers)


def error_message_and_code(text: str) -> tuple[str, str]:
    """Message and code of an error body, whatever its family; HTML is cut to its first words."""
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return " ".join(text.split())[:200], ""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return error[:500], ""
    if not isinstance(error, dict):
        error = body if isinstance(body, dict) else {}
    message = str(error.get("message") or "")
    code = str(error.get("code") or "")
    return message[:500], "" if code in ("null", "None") else code
