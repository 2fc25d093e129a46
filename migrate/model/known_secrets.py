"""Every secret value of this run, in one place, and any text without them.

Keys, tokens (those of Entra as they are got), header values and passwords of addresses are registered as
soon as they are known. Whatever is shown, logged, or written into plans, reports and reasons passes `redact`
first; so does every text of an exception of another library, before it is cut. Bodies in an archive stay as
the service gave them.

Short values, and keys of services on this machine, may be plain words (the emulator's key is `emulator`):
those are looked for only where a header, a credential or an address is quoted.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

# Stands where a secret was.
REDACTED = "(secret)"

# A value below this many characters may be a word of any sentence.
SHORT_VALUE_CHARS = 12

# A value of a loopback service from this many characters on, with letters and digits in it, is no word.
MIN_LOOPBACK_SECRET_CHARS = 20

# A text that was cut inside a secret is recognized by this much of its beginning.
PREFIX_CHARS = 16

# What is written before a value that is a credential.
CREDENTIAL_NAMES = (
    r"key|token|secret|password|passwd|pwd|credential|authorization|signature|cookie|header value"
)

# What stands before a value in a header, a quoted credential, or an address.
BEFORE_CREDENTIAL = (
    rf"(?:\b(?:bearer|basic)\s+|(?:{CREDENTIAL_NAMES})\w*[^\w\n]{{0,4}}(?:[^\n:=]{{0,30}}[:=])?\s*b?[\"'(\[]*"
    r"(?:(?:bearer|basic)\s+)?|[?&][\w.%-]+=|://[^/\s@]*:|://)"
)


class KnownSecrets:
    """The secrets of one run. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._anywhere: dict[str, None] = {}
        self._quoted: dict[str, re.Pattern[str]] = {}
        self._spelled: tuple[str, ...] = ()

    def register(self, value: str, loopback: bool = False) -> None:
        """Remember a value as secret. `loopback`: it belongs to a service on this machine."""
        for one in _parts(value):
            if len(one) >= SHORT_VALUE_CHARS and not (loopback and not _is_no_word(one)):
                self._remember_anywhere(one)
            else:
                self._remember_quoted(one)

    def forget_all(self) -> None:
        """Forget all secrets before another run in the same process."""
        with self._lock:
            self._anywhere, self._quoted, self._spelled = {}, {}, ()

    def redact(self, text: str) -> str:
        """A text without any secret, however it is spelled: as it is, or as an address, JSON, HTML, base64
        or Python write it; also one that was cut off within."""
        for spelled in self._spelled:
            if spelled in text:
                text = text.replace(spelled, REDACTED)
        for spelled in self._anywhere:
            text = _without_prefix(text, spelled)
        for value, pattern in tuple(self._quoted.items()):
            if value in text:
                text = pattern.sub(lambda found: found.group(1) + REDACTED, text)
        return text

    def _remember_anywhere(self, value: str) -> None:
        with self._lock:
            if value in self._anywhere:
                return
            known = {*self._spelled, *_spellings(value)}
            self._anywhere = {**self._anywhere, value: None}
            # The longest first: what holds another spelling must not lose only that part.
            self._spelled = tuple(sorted(known, key=lambda one: (-len(one), one)))

    def _remember_quoted(self, value: str) -> None:
        with self._lock:
            spelled = "|".join(map(re.escape, sorted({value, quote(value, safe=""), repr(value)[1:-1]})))
            pattern = re.compile(rf"({BEFORE_CREDENTIAL})(?:{spelled})(?!\w)", re.IGNORECASE)
            self._quoted = {**self._quoted, value: pattern}


def _parts(value: str) -> Iterator[str]:
    """A value, and each of its parts where blanks or control characters divide it: a foreign message may
    show one line of it, or with its blanks folded."""
    yield from dict.fromkeys(
        part
        for part in (value, value.strip(), " ".join(value.split()), *re.split(r"[\s\x00-\x1f\x7f]+", value))
        if len(part) >= 3
    )


def _is_no_word(value: str) -> bool:
    return (
        len(value) >= MIN_LOOPBACK_SECRET_CHARS
        and any(sign.isdigit() for sign in value)
        and any(sign.isalpha() for sign in value)
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
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), address)
    # Base64 groups three bytes: within a longer value ours begins at one of three places of a group.
    for shift in range(3):
        letters = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        begin = (shift * 8 + 5) // 6  # the first letter made of our bytes alone
        inner = letters[begin : len(letters) - 1]
        if len(inner) >= SHORT_VALUE_CHARS:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def _without_prefix(text: str, value: str) -> str:
    """A text without the beginning of a secret that was cut off within it."""
    head = value[:PREFIX_CHARS]
    if len(value) <= PREFIX_CHARS or head not in text:
        return text
    pieces, at = [], 0
    while (found := text.find(head, at)) >= 0:
        end = found + len(head)
        while end - found < len(value) and end < len(text) and text[end] == value[end - found]:
            end += 1
        pieces += [text[at:found], REDACTED]
        at = end
    return "".join([*pieces, text[at:]])


# Those of this process.
PROCESS_SECRETS = KnownSecrets()


def register_secret(value: str, loopback: bool = False) -> None:
    """Remember a secret of this run."""
    PROCESS_SECRETS.register(value, loopback)


def redact(text: str) -> str:
    """Any text without a secret of this run."""
    return PROCESS_SECRETS.redact(text)
