"""How a body is known: by its id as it is stored, by its hash, and by a key under which it is found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from migrate.model import JSON

OF_SHA = 24
"""Bits of a key that come from the body's hash; the others are those of its id."""


def storable(text: str) -> str:
    """Text that SQLite can hold: a lone surrogate has no UTF-8 form and is spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def id_of(body: Mapping[str, JSON]) -> str:
    """The id of a body as it is stored, '' where it has none."""
    return storable(str(body.get("id", "")))


def body_sha(kind: str, text: bytes) -> bytes:
    """The hash by which a body is known. Kind counts: two kinds may have equal bodies."""
    return hashlib.sha256(kind.encode() + b"\0" + text).digest()


def key_of(object_id: str, sha: bytes) -> int:
    """63 bits under which a body is found: of its id first, so that all bodies of an id lie together, then of
    its hash."""
    return _first(object_id) | int.from_bytes(sha[:3], "big")


def keys_of(object_id: str) -> tuple[int, int]:
    """The first and the last key that a body of this id may have. Other ids have others, but for chance."""
    first = _first(object_id)
    return first, first | (1 << OF_SHA) - 1


def _first(object_id: str) -> int:
    """39 bits of the id's hash, in front of the bits that are the body's."""
    head = hashlib.sha256(object_id.encode()).digest()[:5]
    return int.from_bytes(head, "big") >> 1 << OF_SHA
