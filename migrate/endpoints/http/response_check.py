"""Checks answers: which failure an error status means, and whether rows and objects belong to the request.

A service, or a cache in front of it, may send the answer to another request: rows of another kind or
thread, or another object. In an archive these would be messages in the wrong conversation. Only fields
that are present are compared; a missing field is no error.

Three formats of error bodies occur on one Azure resource: OpenAI's {error:{message,type,param,code}}, the
gateway's {error:{code,message}}, and HTML from proxies. Codes may be the strings "404" or "null". The
wording of messages is not used, with one exception.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from migrate.endpoints.interface import Body
from migrate.errors import AccessDenied, NotDownloadable, NotFound, RequestFailed
from migrate.model.known_secrets import redact

NOT_FOUND_STATUSES = (404, 405, 410, 501)
DENIED_STATUSES = (401, 403)
TRANSIENT_STATUSES = (408, 409, 425, 429, 500, 502, 503, 504)

# The only text that is compared: OpenAI's 400 for such files has no code of its own.
REFUSED_DOWNLOAD_TEXT = "Not allowed to download files of purpose"


def failure_of_response(status: int, text: str, headers: Mapping[str, str], request: str) -> RequestFailed:
    """The failure that an answer with an error status means. `request`: "METHOD path", for the message."""
    message, code = error_message_and_code(redact(text))
    error_type: type[RequestFailed] = RequestFailed
    if REFUSED_DOWNLOAD_TEXT in message and status in (400, 403):
        error_type = NotDownloadable
    elif status in NOT_FOUND_STATUSES:
        error_type = NotFound
    elif status in DENIED_STATUSES:
        error_type = AccessDenied
    return error_type(f"{request} answered {status}: {message or 'no message'}", status, code, headers)


def error_message_and_code(text: str) -> tuple[str, str]:
    """Message and code of an error body in any of the known formats. Of HTML, the first 200 characters."""
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


# Kind -> the values of `object` in its bodies. An unknown value is not an error: items of conversations have
# none, and services add new ones.
OBJECT_NAMES = {
    "assistant": ("assistant", "agent"),
    "thread": ("thread", "conversation"),
    "message": ("thread.message",),
    "run": ("thread.run",),
    "run_step": ("thread.run.step",),
    "file": ("file",),
    "vector_store": ("vector_store",),
    "vector_store_file": ("vector_store.file",),
}

KIND_BY_OBJECT_NAME = {name: kind for kind, names in OBJECT_NAMES.items() for name in names}

# Kind -> the keys of its bodies with the id of the parent.
PARENT_KEYS = {
    "message": ("thread_id", "conversation_id"),
    "run": ("thread_id",),
    "run_step": ("thread_id",),
    "vector_store_file": ("vector_store_id",),
}


def check_rows(path: str, kind: str, rows: Iterable[Body], parent: str = "", run: str = "") -> None:
    """Raise `RequestFailed` for a row of a listing that is of another kind, or of another thread, run or
    vector store."""
    for row in rows:
        _check_kind(path, kind, row)
        for key in PARENT_KEYS.get(kind, ()):
            _check_id(path, row, key, parent)
        if kind == "run_step":
            _check_id(path, row, "run_id", run)


def check_object(path: str, kind: str, body: Body, id_: str) -> None:
    """Raise `RequestFailed` for an object of another kind or with another id than requested."""
    _check_kind(path, kind, body)
    _check_id(path, body, "id", id_)


def _check_kind(path: str, kind: str, body: Body) -> None:
    name = body.get("object")
    if isinstance(name, str) and KIND_BY_OBJECT_NAME.get(name, kind) != kind:
        raise RequestFailed(f"GET {path} answered with {body.get('id')!r}, which is of another kind: {name}")


def _check_id(path: str, body: Body, key: str, expected_id: str) -> None:
    actual_id = body.get(key)
    if expected_id and isinstance(actual_id, str) and actual_id not in ("", expected_id):
        raise RequestFailed(f"GET {path} answered with {body.get('id')!r}, whose {key} is {actual_id!r}")
