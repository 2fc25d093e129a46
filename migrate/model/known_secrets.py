"""All secret values of this run, and texts without them.

Keys, tokens (those of Entra when they are received), header values and passwords in addresses are registered
as soon as they are known. All text that is shown, logged or written into plans, reports and reasons passes
`redact` first; so does the text of an exception of a library, before it is shortened. Bodies in an archive
stay as the service returned them.

Short values, and keys of services on this machine, may be ordinary words (the emulator's key is `emulator`):
they are replaced only where a header, a credential or an address is quoted.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

# Replaces a secret.
REDACTED = "(secret)"

# A shorter value may be an ordinary word.
SHORT_VALUE_CHARS = 12

# A value of a loopback service with at least this many characters, with letters and digits, is not a word.
MIN_LOOPBACK_SECRET_CHARS = 20

# The beginning of a secret by which it is recognized in a text that was cut inside it.
PREFIX_CHARS = 16

# Words before a value that is a credential.
CREDENTIAL_NAMES = (
    r"key|token|secret|password|passwd|pwd|credential|authorization|signature|cookie|header value"
)

# The text before a value in a header, a quoted credential or an address.
BEFORE_CREDENTIAL = (
    rf"(?:\b(?:bearer|basic)\s+|(?:{CREDENTIAL_NAMES})\w*[^\w\n]{{0,4}}(?:[^\n:=]{{0,30}}[:=])?\s*b?[\"'(\[]*"
    r"(?:(?:bearer|basic)\s+)?|[?&][\w.%-]+=|://[^/\s@]*:|://)"
)


class KnownSecrets:
    """The secrets of one run. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._anywhere: dict[str, None] = {}
        self._quoted: dict[str, re.Pattern[str]] = {}
        self._spellings: tuple[str, ...] = ()

    def register(self, value: str, loopback: bool = False) -> None:
        """Register a value as secret. `loopback`: it belongs to a service on this machine."""
        for part in _parts(value):
            if len(part) >= SHORT_VALUE_CHARS and (not loopback or _is_no_word(part)):
                self._remember_anywhere(part)
            else:
                self._remember_quoted(part)

    def forget_all(self) -> None:
        """Forget all secrets before another run in the same process."""
        with self._lock:
            self._anywhere, self._quoted, self._spellings = {}, {}, ()

    def redact(self, text: str) -> str:
        """A text without any secret, in every spelling: plain, or as addresses, JSON, HTML, base64 and Python
        escape it. Also without a secret of which the text has only the beginning."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, REDACTED)
        for value in self._anywhere:
            text = _without_prefix(text, value)
        for value, pattern in tuple(self._quoted.items()):
            if value in text:
                text = pattern.sub(lambda match: match.group(1) + REDACTED, text)
        return text

    def _remember_anywhere(self, value: str) -> None:
        with self._lock:
            if value in self._anywhere:
                return
            spellings = {*self._spellings, *_spellings(value)}
            self._anywhere = {**self._anywhere, value: None}
            # The longest first: a spelling that contains another must not lose only that part.
            self._spellings = tuple(sorted(spellings, key=lambda spelling: (-len(spelling), spelling)))

    def _remember_quoted(self, value: str) -> None:
        with self._lock:
            spellings = "|".join(map(re.escape, sorted({value, quote(value, safe=""), repr(value)[1:-1]})))
            pattern = re.compile(rf"({BEFORE_CREDENTIAL})(?:{spellings})(?!\w)", re.IGNORECASE)
            self._quoted = {**self._quoted, value: pattern}


def _parts(value: str) -> Iterator[str]:
    """A value, and each of its parts between blanks or control characters: a message of a library may show
    one line of it, or replace its blanks."""
    yield from dict.fromkeys(
        part
        for part in (value, value.strip(), " ".join(value.split()), *re.split(r"[\s\x00-\x1f\x7f]+", value))
        if len(part) >= 3
    )


def _is_no_word(value: str) -> bool:
    return (
        len(value) >= MIN_LOOPBACK_SECRET_CHARS
        and any(char.isdigit() for char in value)
        and any(char.isalpha() for char in value)
    )


def _spellings(value: str) -> Iterator[str]:
    """The forms in which texts quote a value."""
    escaped = json.dumps(value)[1:-1]
    raw = value.encode("utf-8", "surrogatepass")
    yield from (value, escaped, json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(escaped)[1:-1])
    yield from (repr(value)[1:-1], repr(raw)[2:-1], html.escape(value), html.escape(value, quote=False))
    yield value.encode("unicode_escape").decode()
    yield from (value.upper(), value.lower(), raw.hex(), raw.hex().upper())
    for address in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield address
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), address)
    # Base64 groups three bytes: inside a longer value, this one begins at one of three places of a group.
    for shift in range(3):
        letters = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        begin = (shift * 8 + 5) // 6  # the first letter that encodes only bytes of this value
        inner = letters[begin : len(letters) - 1]
        if len(inner) >= SHORT_VALUE_CHARS:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def _without_prefix(text: str, value: str) -> str:
    """A text without a secret of which it has only the beginning."""
    head = value[:PREFIX_CHARS]
    if len(value) <= PREFIX_CHARS or head not in text:
        return text
    pieces, position = [], 0
    while (start := text.find(head, position)) >= 0:
        end = start + len(head)
        while end - start < len(value) and end < len(text) and text[end] == value[end - start]:
            end += 1
        pieces += [text[position:start], REDACTED]
        position = end
    return "".join([*pieces, text[position:]])


# The secrets of this process.
PROCESS_SECRETS = KnownSecrets()


def register_secret(value: str, loopback: bool = False) -> None:
    """Register a secret of this run."""
    PROCESS_SECRETS.register(value, loopback)


def redact(text: str) -> str:
    """A text without the secrets of this run."""
    return PROCESS_SECRETS.redact(text)
