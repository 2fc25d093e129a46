"""Search a snapshot for a text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from migrate.archive.snapshots.reader import SnapshotReader, search_candidates
from migrate.codecs import CODECS
from migrate.model import Entity
from migrate.model.results.query import SearchHit
from migrate.model.secrets import MASKED_SECRET, mask_text
from migrate.stages.query.transcript import as_text, message_parts

# Characters around the place where a text was found.
EXCERPT_CHARS_BEFORE, EXCERPT_CHARS_AFTER = 30, 60


def search(snapshot: SnapshotReader, text: str, kinds: Collection[str] = ()) -> Iterator[SearchHit]:
    """Every field that holds the text, whatever its case, in the order of the listings. Nothing but the
    object at hand is kept in memory."""
    wanted = text.casefold()
    decode = CODECS[snapshot.info.type].decode
    for kind, fields in SEARCHED_FIELDS.items():
        if kinds and kind not in kinds:
            continue
        for parent, body in search_candidates(snapshot, kind, text):
            entity = decode(kind, body, parent, None)[0]
            for name, said in fields(entity):
                if wanted in said.casefold():
                    yield SearchHit(kind, entity.id, parent, name, _excerpt(said, wanted))


def _text_fields(*names: str) -> Callable[[Entity], Iterator[tuple[str, str]]]:
    """These fields, whatever shape they have."""

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


def _excerpt(said: str, wanted: str) -> str:
    """The first place where a text stands, with what is around it."""
    shown = mask_text(said)
    if wanted not in shown.casefold():
        # What was looked for is part of a credential: that it is there is shown, and no more of it.
        return next((found.group() for found in MASKED_SECRET.finditer(shown)), "")
    said = shown
    at, end = _span(said, wanted)
    start = max(0, at - EXCERPT_CHARS_BEFORE)
    shown = said[start : end + EXCERPT_CHARS_AFTER]
    return f"{'…' if start else ''}{shown}{'…' if end + EXCERPT_CHARS_AFTER < len(said) else ''}"


def _span(said: str, wanted: str) -> tuple[int, int]:
    """Where folded text stands in text as it is: folding makes one character into up to three."""
    folded = said.casefold()
    at = folded.index(wanted)
    if len(folded) == len(said):
        return at, at + len(wanted)
    place, start = 0, 0
    for n, c in enumerate(said):
        if place <= at:
            start = n
        if place >= at + len(wanted):
            return start, n
        place += len(c.casefold())
    return start, len(said)
