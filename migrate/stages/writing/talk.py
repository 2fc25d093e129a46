"""A thread of the source in, its messages as they are to be written out, in order, each made once.

What was given out is not kept, only what tells it from others: a thread may hold 100,000 messages, and
dozens of threads are written at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice

from migrate.codecs import Words
from migrate.model import Entity
from migrate.model.normal import digest, written_form
from migrate.stages.estate import stamp
from migrate.stages.planning.fitting import spoken
from migrate.stages.writing.workshop import Body, Workshop

SIZE = 16
"""Bytes of a hash."""
NONE = bytes(SIZE)
"""Stands for no stamp."""
TOLD = 1 + 2 * SIZE
"""Bytes by which a message is known: whether it is nothing but words, a hash of what it says (of its words
alone where it is), and one of its stamp."""
KEPT = 2_000
"""Ids of the source that are kept; those of more messages are read again."""


class Talk:
    """The messages of one thread."""

    def __init__(self, shop: Workshop, thread: Entity) -> None:
        self._shop, self._thread = shop, thread
        self._where = shop.source, shop.codec, shop.fit, thread.id
        self._bare = shop.codec.bare_words
        self._told = bytearray()
        self._ids: list[str] = []
        self._back: list[Entity] = []
        self._restart()

    def take(self, count: int) -> list[Entity]:
        """The next messages, fewer at the end."""
        taken, self._back = self._back[:count], self._back[count:]
        while len(taken) < count and (message := self._draw()) is not None:
            taken.append(message)
        return taken

    def give_back(self, messages: list[Entity]) -> None:
        """These are the next ones again."""
        self._back = messages + self._back

    def go_to(self, place: int) -> None:
        """Go on with the message at this place."""
        if place < self._drawn - len(self._back):
            self._restart()
        passed = place - self._drawn + len(self._back)
        self._back = self._back[passed:]
        while self._drawn < place and self._draw() is not None:
            pass

    def has(self, place: int) -> bool:
        """Whether there is a message at a place. It need not be taken; those before it are not given out
        after this."""
        while self._known <= place:
            if self._draw() is None:
                return False
        return True

    def ids(self) -> Iterator[str]:
        """Their ids at the source, in order. As with `has`, those passed are not given out after this."""
        place = 0
        while place < KEPT and self.has(place):
            yield self._ids[place]
            place += 1
        if place == KEPT:
            yield from (message.id for message in islice(spoken(*self._where), place, None))

    def count(self) -> int:
        """How many there are."""
        while self._draw() is not None:
            pass
        return self._known

    def is_at(self, place: int, body: Body) -> bool:
        """Whether a message on the target is the one at this place: by stamp where there is one, else by what
        it says."""
        if not self.has(place):
            return False
        codec = self._shop.codec
        bare, says, mark = self._told_at(place)
        if bare:
            words = codec.words(body)
            if words:
                return says == _of_words(words)
            self._by_all()
            _, says, mark = self._told_at(place)
        there = codec.decode("message", body, self._thread.id, None)[0]
        if mark != NONE and stamp(there):
            return mark == _mark(there)
        return says == _says(there)

    @property
    def _known(self) -> int:
        return len(self._told) // TOLD

    def _told_at(self, place: int) -> tuple[bool, bytes, bytes]:
        told = bytes(self._told[place * TOLD : (place + 1) * TOLD])
        return bool(told[0]), told[1 : 1 + SIZE], told[1 + SIZE :]

    def _by_all(self) -> None:
        """Know messages by all they have: the target shows more of one than words. So it may of the others,
        which are made again once."""
        self._bare = False
        again = islice(spoken(*self._where), self._known)
        self._told = bytearray().join(_told(self._shop.fitted(message.entity)) for message in again)

    def _restart(self) -> None:
        self._back, self._drawn = [], 0
        self._rest = spoken(*self._where)

    def _draw(self) -> Entity | None:
        message = next(self._rest, None)
        if message is None:
            return None
        bare = message.words if self._bare else None
        fitted = (
            Entity("message", message.id, self._thread.id, bare.fields)
            if bare
            else self._shop.fitted(message.entity)
        )
        if self._drawn == self._known:
            self._told += b"\1" + _of_words(bare) + NONE if bare else _told(fitted)
            if self._drawn < KEPT:
                self._ids.append(message.id)
        self._drawn += 1
        return fitted


def _told(message: Entity) -> bytes:
    return b"\0" + _says(message) + _mark(message)


def _of_words(words: Words) -> bytes:
    return _hash(repr(words))


def _says(message: Entity) -> bytes:
    return bytes.fromhex(digest(written_form(message)))


def _mark(message: Entity) -> bytes:
    found = stamp(message)
    return _hash(found) if found else NONE


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:SIZE]
