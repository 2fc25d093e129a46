"""The messages of one thread as they are to be written, and how to recognise each of them on the target.

A thread may have 100,000 messages, and dozens of threads are written at once. So messages are read from the
archive each time they are needed; only the fingerprints of the first of them are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from itertools import islice, takewhile
from typing import NamedTuple

from migrate.codecs import Target, TextMessage
from migrate.codecs.foundry.citations import ANNOTATIONS_FIELD, READ_IN_ARCHIVE
from migrate.model import Entity
from migrate.model.loss import Loss
from migrate.model.message import count_citations, without_citations
from migrate.model.message_label import object_label
from migrate.model.stamp import stamp
from migrate.stages.apply.context import ApplyContext, RequestBody, UnresolvedReference
from migrate.stages.apply.implicit_vector_stores import attached_for_search
from migrate.stages.estate import LazyMessage
from migrate.stages.object_fingerprints import written_fingerprint
from migrate.stages.plan.adaptation import (
    alternative_targets,
    losses_of_other_form,
    target_without_citations,
)
from migrate.stages.plan.decision import object_loss

# Messages of a thread whose fingerprints are kept; later ones are read again.
MAX_FINGERPRINTS_KEPT = 2_000


class MessageFingerprint(NamedTuple):
    """How a message of the source is recognised on the target.

    `contents`: hashes of the forms in which it may have been written, in the order in which they are tried.
    `is_text`: it is nothing but text, and the hash is of the text alone. `citations`: how many it has; the
    hashes are of the forms without them, so that it is recognised whatever the service did with them.
    `planned_citations`: how many the plan names, also where a file of them could not be created.
    """

    id: str
    stamp: str
    contents: tuple[bytes, ...]
    is_text: bool = False
    citations: int = 0
    planned_citations: int = 0

    def is_in_first_form(self, present: Entity) -> bool:
        """Whether a message of the target has the form that is tried first, apart from its citations."""
        return _content_hash(without_citations(present)) == self.contents[0]

    def matches(self, present: Entity) -> bool:
        """Whether a message of the target is this one, by its stamp where it has one, else by its content."""
        if self.stamp and stamp(present):
            return self.stamp == stamp(present)
        return _content_hash(without_citations(present) if self.citations else present) in self.contents


class MessageForm(NamedTuple):
    """A form in which a message may be written, and the rules of the target that give it."""

    target: Target
    entity: Entity


class OutgoingMessage:
    """A message of the source that is to be sent. Its properties are computed on first use."""

    def __init__(self, ctx: ApplyContext, message: LazyMessage) -> None:
        self._ctx, self._message = ctx, message
        self.id = message.id
        # Set where the target takes a message that is only text without any change.
        self.text = message.text_message if ctx.codec.omits_stamp_on_text else None
        # Which of the forms is written.
        self._form = 0

    @property
    def label(self) -> str:
        """How the message is named in a list."""
        return object_label(self._message.entity)

    @property
    def entity(self) -> Entity:
        """The message to be written. Raises `UnresolvedReference`."""
        return self._forms[self._form].entity

    @property
    def has_citations(self) -> bool:
        """Whether the message to be written has citations. Raises `UnresolvedReference`."""
        return not self.text and count_citations(self.entity) > 0

    @cached_property
    def _forms(self) -> list[MessageForm]:
        """The forms in which it may be written, in the order in which they are tried."""
        if self.text:
            fields = self.text.fields
            return [MessageForm(self._ctx.target, Entity("message", self.id, self._message.thread, fields))]
        ctx, message = self._ctx, self._message.entity
        target = ctx.target
        try:
            first = ctx.adapted(message)
        except UnresolvedReference as unresolved:  # a file that is only cited does not stop the thread
            target = target_without_citations(target)
            first = ctx.adapted(message, target)
            ctx.note(f"a message arrives without its citations: {unresolved}")
        targets = [target, *alternative_targets(ctx.codec, target, first)]
        return [MessageForm(target, first), *(MessageForm(t, ctx.adapted(message, t)) for t in targets[1:])]

    def _planned_citations(self) -> int:
        """How many citations the plan lists, also where one of their files could not be created."""
        first = self._forms[0]
        if first.target is self._ctx.target:
            return count_citations(first.entity)
        return count_citations(self._ctx.codec.adapt(self._message.entity, self._ctx.target)[0])

    def losses_of(self, present: Entity, missing_citations: int) -> list[Loss]:
        """What the message lacks on the target, where it is in another form than the one that is tried
        first, or has fewer citations."""
        ctx, message, content = self._ctx, self._message.entity, _content_hash(without_citations(present))
        for target, form in self._forms:
            is_form = _content_hash(without_citations(form)) == content
            if is_form and count_citations(form) == count_citations(present):
                return losses_of_other_form(message, ctx.codec, ctx.target, target)
        if missing_citations <= 0:
            return []
        reason = f"{missing_citations} citation(s) are not on the target; their markers stay in the text"
        return [object_loss(message, ANNOTATIONS_FIELD, reason, "lost", READ_IN_ARCHIVE)]

    def use_next_form(self) -> bool:
        """Write the next form from now on; False where there is none."""
        is_last = self._form + 1 == len(self._forms)
        self._form += not is_last
        return not is_last

    def drop_citations(self) -> None:
        """Write the next form that has no citations from now on."""
        while self.has_citations:
            self.use_next_form()

    @cached_property
    def fingerprint(self) -> MessageFingerprint:
        """How it is recognised where the target shows a message of text as nothing but text."""
        if self.text:
            return MessageFingerprint(self.id, "", (_text_hash(self.text),), is_text=True)
        return self.full_fingerprint()

    def full_fingerprint(self) -> MessageFingerprint:
        """How it is recognised by all its fields."""
        if self.text:
            form = self._ctx.adapted(self._message.entity)
            return MessageFingerprint(self.id, stamp(form), (_content_hash(form),))
        forms = [form.entity for form in self._forms]
        contents = dict.fromkeys(_content_hash(without_citations(form)) for form in forms)
        return MessageFingerprint(
            self.id,
            stamp(forms[0]),
            tuple(contents),
            citations=count_citations(forms[0]),
            planned_citations=self._planned_citations(),
        )


def before_citations(messages: list[OutgoingMessage]) -> list[OutgoingMessage]:
    """The messages before the first one that has citations."""
    return list(takewhile(lambda message: not message.has_citations, messages))


class ThreadMessages:
    """The messages of one thread, in order. Each iteration reads them again, independently of others."""

    def __init__(self, ctx: ApplyContext, thread: Entity) -> None:
        self._ctx, self._thread = ctx, thread
        # Of the messages read so far: whether one attaches a file, and ids on the target of the files that
        # they attach for search.
        self.attaches_files = False
        self.searched_file_ids: set[str] = set()
        self._kept: list[MessageFingerprint] = []
        self._count: int | None = None
        # The message read last behind those that are kept, and its position.
        self._rest: Iterator[OutgoingMessage] = iter(())
        self._last: OutgoingMessage | None = None
        self._last_place = -1
        target_id = ctx.ids.get(("thread", thread.id))
        self._origins = ctx.message_origins(thread.id, target_id) if target_id else {}

    def iterate(self, start: int = 0) -> Iterator[OutgoingMessage]:
        """The messages from a place to the end. Raises `UnresolvedReference`."""
        ctx = self._ctx
        messages = ctx.source.iter_replayed_messages(self._thread.id, ctx.codec, ctx.target)
        for place, message in enumerate(islice(messages, start, None), start):
            outgoing = OutgoingMessage(ctx, message)
            if not outgoing.text and outgoing.entity.fields.get("attachments"):
                self.attaches_files = True
                self.searched_file_ids.update(attached_for_search(outgoing.entity))
            if place == len(self._kept) < MAX_FINGERPRINTS_KEPT:
                self._kept.append(outgoing.fingerprint)
            yield outgoing

    def count(self) -> int:
        """How many there are. The first call reads all of them."""
        if self._count is None:
            self._count = sum(1 for _ in self.iterate())
        return self._count

    def fingerprint_at(self, place: int) -> MessageFingerprint | None:
        """The fingerprint of the message at a place, None after the last one. Fast in ascending order."""
        if place < len(self._kept):
            return self._kept[place]
        message = self.read(place)
        return message.fingerprint if message else None

    def matches_at(self, place: int, body: RequestBody) -> bool:
        """Whether a message on the target is the one at a place: by its id where it was there before, by its
        stamp where it has one, else by its content."""
        expected = self.fingerprint_at(place)
        if expected is None:
            return False
        original = self._origins.get(expected.id) or (expected.id if self._ctx.same_place else "")
        if original and original == body.get("id"):
            return True  # this very message, or the one that the source's was created from
        codec = self._ctx.codec
        if expected.is_text:
            text = codec.text_message(body)
            if text:
                return _text_hash(text) in expected.contents
            expected = self._full_fingerprint_at(place)
        return expected.matches(self._ctx.decode("message", body, self._thread.id))

    def _full_fingerprint_at(self, place: int) -> MessageFingerprint:
        """The fingerprint over all fields, where the target shows more of a message than its text."""
        message = self.read(place)
        assert message
        found = message.full_fingerprint()
        if place < len(self._kept):
            self._kept[place] = found
        return found

    def read(self, place: int) -> OutgoingMessage | None:
        """The message at a place: the one read last, or the next one, or the archive is read again."""
        if place != self._last_place:
            following = place == self._last_place + 1
            rest = self._rest if following and place else self.iterate(place)
            self._last_place = -1  # an error while reading ends the iteration
            self._last, self._rest = next(rest, None), rest
            self._last_place = place
        return self._last


def _text_hash(text: TextMessage) -> bytes:
    return hashlib.sha256(repr(text).encode(errors="surrogatepass")).digest()


def _content_hash(message: Entity) -> bytes:
    return bytes.fromhex(written_fingerprint(message))
