"""Which texts can be the name or the value of a header: what cannot is refused before anything is sent."""

from __future__ import annotations

import re

INVISIBLE_CHARACTERS = " \t\r\n\v\f\ufeff\xa0"
"""What copying and files put around a value without anybody seeing it; the mark of UTF-8 among it."""

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name (RFC 9110, token)."""

INVALID_IN_KEY = re.compile(r"[^\x21-\x7e]")
"""A sign that a key or token cannot hold: blanks, control characters and all that is not ASCII."""

INVALID_IN_HEADER_VALUE = re.compile(r"[^\x20-\x7e]")
"""The same of any other header's value, which may hold blanks."""

CLIENT_HEADERS = frozenset(
    {
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie",
        "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers, in small letters, that say how a request travels: only the HTTP client knows."""
