"""Rows and objects that were answered in; nothing out, or an error: they must be what was asked for.

A service, or a cache before it, may answer with what belongs to another question: rows of another kind or of
another thread, or another object than the one of that id. Archived, they would be somebody else's words in
a conversation. Only what a body says of itself is held against the question; what it leaves out is no proof.
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

# The one text that is matched: OpenAI's 400 for such files has no code of its own.
REFUSED_DOWNLOAD_TEXT = "Not allowed to download files of purpose"


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


# Kind -> how its bodies name it in `object`. A name that stands nowhere here says nothing: items of
# conversations have none, and services add some.
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

# Kind -> the keys in which its bodies name what they lie in.
PARENT_KEYS = {
    "message": ("thread_id", "conversation_id"),
    "run": ("thread_id",),
    "run_step": ("thread_id",),
    "vector_store_file": ("vector_store_id",),
}


def check_rows(asked: str, kind: str, rows: Iterable[Body], parent: str = "", run: str = "") -> None:
    """Raises `RequestFailed` for a row of a listing that is of another kind, or of another thread, run or
    vector store."""
    for row in rows:
        _check_kind(asked, kind, row)
        for key in PARENT_KEYS.get(kind, ()):
            _check_id(asked, row, key, parent)
        if kind == "run_step":
            _check_id(asked, row, "run_id", run)


def check_object(asked: str, kind: str, body: Body, id_: str) -> None:
    """Raises `RequestFailed` for an object that is of another kind or has another id than was asked for."""
    _check_kind(asked, kind, body)
    _check_id(asked, body, "id", id_)


def _check_kind(asked: str, kind: str, body: Body) -> None:
    name = body.get("object")
    if isinstance(name, str) and KIND_BY_OBJECT_NAME.get(name, kind) != kind:
        raise RequestFailed(f"GET {asked} answered with {body.get('id')!r}, which is of another kind: {name}")


def _check_id(asked: str, body: Body, key: str, meant: str) -> None:
    named = body.get(key)
    if meant and isinstance(named, str) and named not in ("", meant):
        raise RequestFailed(f"GET {asked} answered with {body.get('id')!r}, whose {key} is {named!r}")
