"""Bodies as they are stored: bytes, hash and key, computed from the JSON that a service sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from pydantic_core import PydanticSerializationError, from_json, to_json

from migrate.archive.hashes import body_id, body_key, content_sha
from migrate.model import JSON
from migrate.model.input_limits import loads
from migrate.model.results.archive import StoredBody


class BodyRow(NamedTuple):
    """One body, ready to be stored. It is computed by the thread that received the body."""

    object_id: str
    body: bytes
    sha: bytes
    key: int

    @classmethod
    def from_json(cls, kind: str, body: Mapping[str, JSON]) -> BodyRow:
        """From parsed JSON as a service sent it."""
        return cls._from_bytes(kind, body_id(body), body_bytes(body))

    @classmethod
    def from_text(cls, kind: str, text: str) -> BodyRow:
        """From the text of a stored body. Raises `ValueError` where it is no JSON, or nested too deeply."""
        return cls._from_bytes(kind, body_id(load_body(text)), text.encode())

    @classmethod
    def _from_bytes(cls, kind: str, object_id: str, body: bytes) -> BodyRow:
        sha = content_sha(kind, body)
        return cls(object_id, body, sha, body_key(object_id, sha))


def load_body(text: str) -> StoredBody:
    """The parsed text of a stored body. Raises `ValueError` where it is no JSON, or nested too deeply."""
    try:
        body: StoredBody = from_json(text)
    except ValueError:  # half of a surrogate pair, nested deeply, or damaged
        body = loads(text)
    return body


def body_bytes(body: Mapping[str, JSON]) -> bytes:
    """A body as it is stored: JSON in UTF-8 with every value and the order of keys as received, without white
    space. It has no line break: JSON escapes them."""
    try:
        return to_json(body, inf_nan_mode="constants")  # takes a third of the time of json.dumps
    except (PydanticSerializationError, UnicodeEncodeError, ValueError):
        # A lone surrogate has no UTF-8 form and is kept as an escape; and json has another limit of depth.
        return json.dumps(body, separators=(",", ":")).encode()
