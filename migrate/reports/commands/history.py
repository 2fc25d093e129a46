"""The result of `history` as text and JSON. Secrets in tool headers are masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrate.model.entity import JSON
from migrate.model.first_of import first_of
from migrate.model.results.query import HistoryEvent, ObjectHistory
from migrate.reports.commands.diff import masked_values
from migrate.reports.report import ItemDetail
from migrate.reports.text_table import shorten
from migrate.reports.values import is_word_diff, json_value, mark_piece
from migrate.reports.word_diff import fold_unchanged, word_diff

# Characters that are shown around a changed word.
WORD_DIFF_CONTEXT_CHARS = 24
# Characters of a word difference that are shown.
MAX_WORD_DIFF_CHARS = 400
# Files of a store that the text lists; JSON has all of them.
MAX_STORE_FILES_SHOWN = 10


def history_document(histories: Sequence[ObjectHistory]) -> list[dict[str, JSON]]:
    """The JSON document of `history`: one object for each place where the id was found."""
    return [
        {
            "kind": history.kind,
            "id": history.id,
            "parent": history.parent,
            "name": history.name,
            "type": history.type,
            "url": history.url,
            "since": history.since.started_at,
            "snapshots": history.snapshots,
            "held_by": history.times,
            "events": [_event(event) for event in history.events],
        }
        for history in histories
    ]


def _event(event: HistoryEvent) -> dict[str, JSON]:
    return {
        "snapshot": event.snapshot.id,
        "until": event.until or event.snapshot.id,
        "tag": event.snapshot.tag,
        "started_at": event.snapshot.started_at,
        "state": event.snapshot.state,
        "what": event.what,
        "reason": event.reason,
        "paths": [masked_values(path) for path in event.paths],
        "facts": [masked_values(path) for path in event.facts],
        "messages": None if event.messages is None else {"now": event.messages[0], "was": event.messages[1]},
        "came": list(event.added),
        "went": list(event.removed),
    }


def history_text(histories: Sequence[ObjectHistory]) -> str:
    """One block for each place, with one paragraph for each snapshot in which something changed."""
    return "\n\n".join("\n".join(_block(history)) for history in histories)


def _block(history: ObjectHistory) -> Iterator[str]:
    where = f" in {shorten(history.parent)}" if history.parent else ""
    name = f"{history.kind} {shorten(history.name) or '(no name)'} [{shorten(history.id)}]{where}"
    yield f"{name}, {history.type} {history.url}"
    yield (
        f"in {history.times:,} of {history.snapshots:,} snapshots; as last seen since "
        f"{history.since.started_at}"
    )
    for event in history.events:
        number = f"{event.snapshot.id}"
        if event.until > event.snapshot.id:
            number += f" to {event.until}"
        tag = f" ({shorten(event.snapshot.tag)})" if event.snapshot.tag else ""
        reason = f": {shorten(event.reason, 200)}" if event.reason else ""
        yield f"  snapshot {number}{tag}  {event.snapshot.started_at}  {event.what}{reason}"
        yield from (f"      {line}" for line in _event_lines(event))


def _event_lines(event: HistoryEvent) -> Iterator[str]:
    for path in map(masked_values, event.paths):
        yield f"{shorten(path['path'], 100)}: {value_change_text(**path)}"
    if event.messages is not None:
        now, before = event.messages
        yield f"messages: {now:,}" if event.what == "first seen" else f"messages: {before:,} -> {now:,}"
    for sign, ids in (("+", event.added), ("-", event.removed)):
        if ids:
            yield f"files: {sign} {first_of(list(map(shorten, ids)), MAX_STORE_FILES_SHOWN)}"
    facts = [f"{shorten(p['path'])} {value_change_text(**p)}" for p in map(masked_values, event.facts)]
    if facts:
        yield f"set by the service: {'; '.join(facts)}"
    changed = event.paths or event.facts or event.messages or event.added or event.removed
    if event.what == "changed" and not changed:
        yield "nothing that is compared"


def value_change_text(path: str, left: JSON, right: JSON) -> str:
    """Both values on one line; two texts are compared word by word, with unchanged parts folded."""
    if not is_word_diff(ItemDetail(path, left, right)):
        return f"{shorten(json_value(left))} -> {shorten(json_value(right))}"
    pieces = fold_unchanged(word_diff(left, right), WORD_DIFF_CONTEXT_CHARS)
    return shorten("".join(mark_piece(*piece) for piece in pieces), MAX_WORD_DIFF_CHARS)
