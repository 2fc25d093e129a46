"""Who may ask: the key, the cookie that a page gets for it, and how trying many keys is prevented.

The key is random, or comes from an environment variable. A browser that opens `/?key=KEY` gets a cookie; an
application sends the key with every request.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict

# The longest delay of the answer to a wrong key, in seconds, and how many such answers may wait at once.
MAX_WRONG_KEY_DELAY_S = 5.0
MAX_WAITING_WRONG_KEYS = 10
# A key is never longer; a longer text is not compared.
MAX_KEY_CHARS = 1_000
# Wrong keys that are remembered: who sends one of them again learns nothing.
MAX_KNOWN_WRONG_KEYS = 1_000


class WrongKey(Exception):
    """A key that is not the one of this server. `is_too_often`: others are being answered already, so that it
    was not even compared."""

    def __init__(self, is_too_often: bool = False) -> None:
        super().__init__("wrong key")
        self.is_too_often = is_too_often


class KeyGuard:
    """Compares keys and cookies in constant time. Wrong ones are answered one after another, each later than
    the one before, and no key is compared while many of them wait: keys cannot be tried quickly, nor many at
    once. A right one never waits. A wrong one that comes again, from an application with an old key, takes no
    place among those that wait."""

    def __init__(self, key: str, delay_s: float) -> None:
        self._key = key.encode()
        self._delay_s = delay_s
        # No function of the key: who has it could try keys without asking this server.
        self._cookie = secrets.token_urlsafe(32)
        self._tickets: set[bytes] = set()
        self._known_wrong: OrderedDict[bytes, None] = OrderedDict()
        self._wrong = 0
        self._waiting = 0
        self._turn = asyncio.Lock()

    def cookie_value(self) -> str:
        """What a page keeps as long as this server runs. Not the key: cookies are sent to every port of a
        host, also to other programs on it."""
        return self._cookie

    def has_cookie(self, value: str) -> bool:
        """Whether this is the cookie that a page got for the key."""
        return _equal(value, self._cookie.encode())

    def add_ticket(self, ticket: str) -> None:
        """Accept another key once. It opens the browser: arguments of a program can be seen by other users of
        the machine."""
        self._tickets.add(ticket.encode())

    async def check(self, given: str) -> None:
        """Raise `WrongKey`, after a delay, unless the text is the key."""
        digest = hashlib.sha256(given.encode("utf-8", "replace")).digest()
        if digest in self._known_wrong:
            await asyncio.sleep(self._delay_s)
            raise WrongKey
        if self._waiting >= MAX_WAITING_WRONG_KEYS:
            raise WrongKey(is_too_often=True)
        if _equal(given, self._key):
            self._wrong = 0
            return
        for ticket in tuple(self._tickets):
            if _equal(given, ticket):
                self._tickets.discard(ticket)
                return
        self._remember_wrong(digest)
        self._waiting += 1
        try:
            async with self._turn:
                delay = self._delay_s * 2 ** min(self._wrong, 10)
                self._wrong += 1
                await asyncio.sleep(min(delay, MAX_WRONG_KEY_DELAY_S))
        finally:
            self._waiting -= 1
        raise WrongKey

    def _remember_wrong(self, digest: bytes) -> None:
        self._known_wrong[digest] = None
        if len(self._known_wrong) > MAX_KNOWN_WRONG_KEYS:
            self._known_wrong.popitem(last=False)


def _equal(given: str, expected: bytes) -> bool:
    raw = given[:MAX_KEY_CHARS].encode("utf-8", "replace")
    return hmac.compare_digest(raw, expected) and len(given) <= MAX_KEY_CHARS
