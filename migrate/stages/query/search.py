"""Search a snapshot for a text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from migrate.archive.snapshots.reader import SnapshotReader, contains_test, scan_for_text
from migrate.codecs import CODECS
from migrate.model import Entity
from migrate.model.input_limits import loads
from migrate.model.results.archive import StoredBody
from migrate.model.results.query import SearchHit
from migrate.model.secrets import MASKED_SECRET, mask_text
from migrate.stages.query.literal_candidates import Candidate, find_candidates
from migrate.stages.query.message_parts import as_text
from migrate.stages.query.transcript import message_parts

# Characters that are shown before and after a match.
EXCERPT_CHARS_BEFORE, EXCERPT_CHARS_AFTER = 30, 60
# Objects that are looked at in turn before the full-text index is asked. Asking it takes as long as 200,000
# of them, whatever is looked for: all its words are gone through.
SCANNED_FIRST = 20_000


def search(snapshot: SnapshotReader, text: str, kinds: Collection[str] = ()) -> Iterator[SearchHit]:
    """Every field that contains the text, in any case, in the order of the listings. Only one object at a
    time is kept in memory."""
    needle = text.casefold()
    decode = CODECS[snapshot.info.type].decode
    chosen = tuple(kind for kind in SEARCHED_FIELDS if not kinds or kind in kinds)
    for kind, parent, body in _candidates(snapshot, text, chosen):
        entity = decode(kind, body, parent, None)[0]
        for name, excerpt in fields_with(kind, entity, needle):
            yield SearchHit(kind, entity.id, parent, name, excerpt)


def fields_with(kind: str, entity: Entity, needle: str) -> Iterator[tuple[str, str]]:
    """Each field of an object that contains a text, which is case-folded, and the characters around it."""
    for name, value in SEARCHED_FIELDS[kind](entity):
        if needle in value.casefold():
            yield name, _excerpt(value, needle)


def mark_text(excerpt: str, needle: str) -> tuple[tuple[str, bool], ...]:
    """An excerpt in pieces; True: the text that was looked for, which is case-folded. It is not there where
    it is a part of a credential."""
    if needle not in excerpt.casefold():
        return ((excerpt, False),)
    start, end = _span(excerpt, needle)
    pieces = ((excerpt[:start], False), (excerpt[start:end], True), (excerpt[end:], False))
    return tuple(piece for piece in pieces if piece[0])


def _candidates(
    snapshot: SnapshotReader, text: str, kinds: tuple[str, ...]
) -> Iterator[tuple[str, str, StoredBody]]:
    """Kind, parent and body of the objects that may contain the text, in the order of the listings.

    A frequent text is found at once by looking at all objects in turn. Where it is not found often enough to
    fill what is shown, the full-text index tells which of the others may have it, if it can."""
    scanned = 0
    for rank, kind in enumerate(kinds):
        for place, body in scan_for_text(snapshot, kind, text):
            if body is not None:
                yield kind, place[0], body
            scanned += 1
            if scanned == SCANNED_FIRST:
                found = find_candidates(snapshot, text, kinds)
                if found is not None:
                    yield from _read_behind(snapshot, text, found, (rank, *place))
                    return


def _read_behind(
    snapshot: SnapshotReader, text: str, found: Sequence[Candidate], place: tuple[int, str, int]
) -> Iterator[tuple[str, str, StoredBody]]:
    """The candidates behind a place."""
    may_contain = contains_test(text)
    for candidate in found:
        if candidate.order > place:
            body = snapshot.body_text(candidate.body)
            if may_contain(body):
                yield candidate.kind, candidate.parent, loads(body)


def _text_fields(*names: str) -> Callable[[Entity], Iterator[tuple[str, str]]]:
    """A function that returns these fields as text, whatever types they have."""

    def named_fields(entity: Entity) -> Iterator[tuple[str, str]]:
        for name in names:
            value = entity.fields.get(name, entity.extras.get(name))
            if value:
                yield name, as_text(value)

    return named_fields


def _message_text(message: Entity) -> Iterator[tuple[str, str]]:
    yield "content", "\n".join(part.text for part in message_parts(message, {}))


# Kind -> its fields that are searched.
SEARCHED_FIELDS: dict[str, Callable[[Entity], Iterator[tuple[str, str]]]] = {
    "assistant": _text_fields("name", "description", "instructions"),
    "file": _text_fields("filename"),
    "vector_store": _text_fields("name", "description"),
    "message": _message_text,
}


def _excerpt(text: str, needle: str) -> str:
    """The first match with the text around it."""
    text = mask_text(text)
    if needle not in text.casefold():
        # The match is part of a credential: only the fingerprint of the credential is shown.
        return next((match.group() for match in MASKED_SECRET.finditer(text)), "")
    match_start, end = _span(text, needle)
    start = max(0, match_start - EXCERPT_CHARS_BEFORE)
    excerpt = text[start : end + EXCERPT_CHARS_AFTER]
    return f"{'…' if start else ''}{excerpt}{'…' if end + EXCERPT_CHARS_AFTER < len(text) else ''}"


def _span(text: str, needle: str) -> tuple[int, int]:
    """Start and end of a case-folded match in the text itself: folding turns one character into up to
    three."""
    folded = text.casefold()
    folded_start = folded.index(needle)
    folded_end = folded_start + len(needle)
    if len(folded) == len(text):
        return folded_start, folded_end
    position, start = 0, 0
    for n, char in enumerate(text):
        if position <= folded_start:
            start = n
        if position >= folded_end:
            return start, n
        position += len(char.casefold())
    return start, len(text)
