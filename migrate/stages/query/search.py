"""Search a snapshot for a text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from migrate.archive.snapshots.reader import SnapshotReader, search_candidates
from migrate.codecs import CODECS
from migrate.model import Entity
from migrate.model.results.query import SearchHit
from migrate.model.secrets import MASKED_SECRET, mask_text
from migrate.stages.query.message_parts import as_text
from migrate.stages.query.transcript import message_parts

# Characters that are shown before and after a match.
EXCERPT_CHARS_BEFORE, EXCERPT_CHARS_AFTER = 30, 60


def search(snapshot: SnapshotReader, text: str, kinds: Collection[str] = ()) -> Iterator[SearchHit]:
    """Every field that contains the text, in any case, in the order of the listings. Only one object at a
    time is kept in memory."""
    needle = text.casefold()
    decode = CODECS[snapshot.info.type].decode
    for kind, fields in SEARCHED_FIELDS.items():
        if kinds and kind not in kinds:
            continue
        for parent, body in search_candidates(snapshot, kind, text):
            entity = decode(kind, body, parent, None)[0]
            for name, value in fields(entity):
                if needle in value.casefold():
                    yield SearchHit(kind, entity.id, parent, name, _excerpt(value, needle))


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
