"""A body as a service gave it in; its text, its hash and its key, as they are stored, out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from migrate.model import JSON

_plain = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_escaped = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode

OF_SHA = 24
"""Bits of a key that come from the body's hash; the others are those of its id."""


def body_text(body: Mapping[str, JSON]) -> str:
    """A body as it is stored: every value and the key order as received, without white space. It has no
    line end: JSON spells them out."""
    try:
        (text := _plain(body)).encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8 form; escaped it survives
        text = _escaped(body)
    return text


def storable(text: str) -> str:
    """Text that SQLite can hold: a lone surrogate has no UTF-8 form and is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def body_sha(kind: str, text: str) -> bytes:
    """The hash by which a body is known. Kind counts: two kinds may have equal bodies."""
    return hashlib.sha256(f"{kind}\0{text}".encode()).digest()


def id_of(body: Mapping[str, JSON]) -> str:
    """The id of a body as it is stored, '' where it has none."""
    return storable(str(body.get("id", "")))


def keys_of(object_id: str) -> range:
    """The keys that bodies of this id may have. Other ids have other keys, but for chance."""
    first = int.from_bytes(hashlib.sha256(object_id.encode()).digest()[:8], "big") >> OF_SHA + 1 << OF_SHA
    return range(first, first + (1 << OF_SHA))


@dataclass(frozen=True)
class Row:
    """One body ready to be stored; hashing is done by the thread that received it."""

    object_id: str
    text: str
    sha: bytes
    key: int
    """63 bits under which the body is found: of its id first, so that all bodies of an id lie together, then
    of its hash."""

    @classmethod
    def of(cls, kind: str, body: Mapping[str, JSON]) -> Row:
        return cls.stored(kind, id_of(body), body_text(body))

    @classmethod
    def stored(cls, kind: str, object_id: str, text: str) -> Row:
        """One whose text is known."""
        sha = body_sha(kind, text)
        return cls(object_id, text, sha, keys_of(object_id)[int.from_bytes(sha[:3], "big")])
