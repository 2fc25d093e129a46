"""A thread of the source in, its messages as they are to be written out, in order, each made once.

What was given out is not kept, only what tells the first of them from others. A thread may hold 100,000
messages, and dozens are written at once: those further on are read again when they are recognised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from migrate.codecs import TextMessage
from migrate.model import Entity
from migrate.model.normalize import json_digest, normalize_written_fields
from migrate.stages.apply.context import ApplyContext, RequestBody
from migrate.stages.apply.implicit_vector_stores import attached_for_search
from migrate.stages.estate import LazyMessage, stamp
from migrate.stages.fingerprints import message_fingerprint
from migrate.stages.plan.adaptation import iter_messages

MAX_FINGERPRINTS_KEPT = 2_000
"""Messages of a thread of which is kept what tells them from others."""


class MessageFingerprint(NamedTuple):
    """What tells one message from others: its id at the source, its stamp, and a hash of what it says; of its
    words alone where it is nothing else."""

    id: str
    stamp: str
    says: bytes
    bare: bool
    surely: bytes = b""
    """The hash of the sure form, where another one was tried."""


class ThreadMessages:
    """The messages of one thread."""

    def __init__(self, ctx: ApplyContext, thread: Entity) -> None:
        self._shop, self._thread = ctx, thread
        self._where = ctx.source, ctx.codec, ctx.fit, thread.id
        self._bare = ctx.codec.omits_stamp_on_text
        self.searched: set[str] = set()
        """Ids on the target of files that messages drawn so far attach for search."""
        self.attaches = False
        """Whether any of them attaches a file."""
        self._known = 0
        self._told: list[MessageFingerprint] = []
        self.sure: dict[str, Entity] = {}
        """Messages in a form that was never seen accepted, by id: the form that was."""
        self._back: list[Entity] = []
        self._beyond: Iterator[LazyMessage] = iter(())
        self._last: tuple[int, MessageFingerprint] | None = None
        there = ctx.ids.get(("thread", thread.id))
        self._origins = ctx.origins(thread.id, there) if there else {}
        self._restart()

    def next_batch(self, count: int) -> list[Entity]:
        """The next messages, fewer at the end."""
        taken, self._back = self._back[:count], self._back[count:]
        while len(taken) < count and (message := self._draw()) is not None:
            taken.append(message)
        return taken

    def push_back(self, messages: list[Entity]) -> None:
        """These are the next ones again."""
        self._back = messages + self._back

    def seek(self, place: int) -> None:
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

    def at(self, place: int) -> MessageFingerprint | None:
        """The message at a place, None behind the last one. Cheap in order; else as with `has`."""
        if not self.has(place):
            return None
        return self._told[place] if place < MAX_FINGERPRINTS_KEPT else self._again(place)

    def count(self) -> int:
        """How many there are."""
        while self._draw() is not None:
            pass
        return self._known

    def matches_at(self, place: int, body: RequestBody) -> bool:
        """Whether a message on the target is the one at this place: by its id where it was there before, by
        stamp where there is one, else by what it says."""
        expected = self.at(place)
        if expected is None:
            return False
        there_before = self._origins.get(expected.id) or (expected.id if self._shop.same_place else "")
        if there_before and there_before == body.get("id"):
            return True  # the very message, or the one that ours was made from
        codec = self._shop.codec
        if expected.bare:
            words = codec.text_message(body)
            if words:
                return expected.says == _hash(words)
            expected = self._by_all(place)
        there = codec.decode("message", body, self._thread.id, None)[0]
        if expected.stamp and stamp(there):
            return expected.stamp == stamp(there)
        return _says(there) in (expected.says, expected.surely)

    def mark(self, body: RequestBody) -> str:
        """How a message of the target is known later: see `message_fingerprint`."""
        return message_fingerprint(self._shop.codec, body, self._thread.id)

    def _by_all(self, place: int) -> MessageFingerprint:
        """The message at a place, known by all it has: the target shows more of it than words. So it may of
        the others, which are made again once."""
        self._bare, self._last = False, None
        again = islice(iter_messages(*self._where), len(self._told))
        self._told = [self._tell(message.entity, self._shop.fitted(message.entity)) for message in again]
        return self._told[place] if place < MAX_FINGERPRINTS_KEPT else self._again(place)

    def _again(self, place: int) -> MessageFingerprint:
        """A message further on than what is kept, read again: the next one after the last that was asked for,
        or that one."""
        if self._last is None or not 0 <= place - self._last[0] <= 1:
            self._beyond, self._last = islice(iter_messages(*self._where), place, None), None
        if self._last is None or place > self._last[0]:
            message = next(self._beyond)
            words = message.text_message if self._bare else None
            whole = message.entity
            told = _in_words(message, words) if words else self._tell(whole, self._shop.fitted(whole))
            self._last = place, told
        return self._last[1]

    def _restart(self) -> None:
        self._back, self._drawn = [], 0
        self._rest = iter_messages(*self._where)

    def _draw(self) -> Entity | None:
        message = next(self._rest, None)
        if message is None:
            return None
        bare = message.text_message if self._bare else None
        fitted = (
            Entity("message", message.id, self._thread.id, bare.fields)
            if bare
            else self._shop.fitted(message.entity)
        )
        if not bare and fitted.fields.get("attachments"):
            self.attaches = True
            self.searched.update(attached_for_search(fitted))
        if self._drawn == self._known:
            self._known += 1
            if self._drawn < MAX_FINGERPRINTS_KEPT:
                self._told.append(_in_words(message, bare) if bare else self._tell(message.entity, fitted))
        if self._shop.codec.is_unproven(fitted):
            self.sure[message.id] = self._shop.surely(message.entity)
        self._drawn += 1
        return fitted

    def _tell(self, message: Entity, fitted: Entity) -> MessageFingerprint:
        tried = self._shop.codec.is_unproven(fitted)
        also = _says(self._shop.surely(message)) if tried else b""
        return MessageFingerprint(message.id, stamp(fitted), _says(fitted), bare=False, surely=also)


def _in_words(message: LazyMessage, words: TextMessage) -> MessageFingerprint:
    return MessageFingerprint(message.id, "", _hash(words), bare=True)


def _hash(words: TextMessage) -> bytes:
    return hashlib.sha256(repr(words).encode(errors="surrogatepass")).digest()


def _says(message: Entity) -> bytes:
    return bytes.fromhex(json_digest(normalize_written_fields(message)))
