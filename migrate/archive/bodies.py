"""A body as a service gave it in; its bytes, its hash and its key, as they are stored, out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from pydantic_core import PydanticSerializationError, from_json, to_json

from migrate.archive.hashes import body_id, body_key, body_sha
from migrate.model import JSON
from migrate.model.input_limits import loads


class BodyRow(NamedTuple):
    """One body ready to be stored; made by the thread that received it."""

    object_id: str
    body: bytes
    sha: bytes
    key: int

    @classmethod
    def of(cls, kind: str, body: Mapping[str, JSON]) -> BodyRow:
        return _row(kind, body_id(body), body_bytes(body))

    @classmethod
    def stored(cls, kind: str, text: str) -> BodyRow:
        """One that was stored. Raises `ValueError` where it is no JSON any more, or nested too deeply."""
        try:
            body = from_json(text)
        except ValueError:  # half of a character pair, depth, or damage
            body = loads(text)
        return cls.named(kind, body_id(body), text)

    @classmethod
    def named(cls, kind: str, object_id: str, text: str) -> BodyRow:
        """One whose id is known."""
        return _row(kind, object_id, text.encode())


def body_bytes(body: Mapping[str, JSON]) -> bytes:
    """A body as it is stored: every value and the key order as received, without white space, in UTF-8. It
    has no line end: JSON spells them out. As `json.dumps` would, in a third of the time."""
    try:
        return to_json(body, inf_nan_mode="constants")
    except (PydanticSerializationError, UnicodeEncodeError, ValueError):
        # a lone surrogate has no UTF-8 form, escaped it survives; and depth has another limit
        return json.dumps(body, separators=(",", ":")).encode()


def _row(kind: str, object_id: str, body: bytes) -> BodyRow:
    sha = body_sha(kind, body)
    return BodyRow(object_id, body, sha, body_key(object_id, sha))
