"""Rows and objects that were answered in; nothing out, or an error: they must be what was asked for.

A service, or a cache before it, may answer with what belongs to another question: rows of another kind or of
another thread, or another object than the one of that id. Archived, they would be somebody else's words in
a conversation. Only what a body says of itself is held against the question; what it leaves out is no proof.
"""

from __future__ import annotations

from collections.abc import Iterable

from migrate.endpoints.interface import Body
from migrate.errors import RequestFailed

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
"""Kind -> how its bodies name it in `object`. A name that stands nowhere here says nothing: items of
conversations have none, and services add some."""

KIND_BY_OBJECT_NAME = {name: kind for kind, names in OBJECT_NAMES.items() for name in names}

PARENT_KEYS = {
    "message": ("thread_id", "conversation_id"),
    "run": ("thread_id",),
    "run_step": ("thread_id",),
    "vector_store_file": ("vector_store_id",),
}
"""Kind -> the keys in which its bodies name what they lie in."""


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
