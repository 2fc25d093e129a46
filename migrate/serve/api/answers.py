"""What an operation answers: a body in pieces, so that no more than a few of them are in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

JSON_TYPE = "application/json"
BYTES_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class ApiAnswer:
    """An answer with status 200. `pieces` may open the archive again for each piece, and keep nothing of it
    open between them. `size`: bytes of all pieces, where that is known before they are read."""

    pieces: Iterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE
    size: int | None = None


def json_answer(text: str, headers: Mapping[str, str] | None = None) -> ApiAnswer:
    """An answer of one JSON text."""
    return ApiAnswer(iter([text.encode()]), headers or {})
