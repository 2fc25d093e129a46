"""The result of `history` as text and JSON; secrets in tool headers are masked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from migrate.reports.commands.ls import mask_value_at
from migrate.reports.report import ItemDetail
from migrate.reports.text_table import shorten
from migrate.reports.values import detail_pieces, is_word_diff, json_value, mark_piece
from migrate.reports.word_diff import fold_unchanged

# Characters around a changed word that are shown with it.
WORD_DIFF_CONTEXT_CHARS = 24
# Characters of a word difference that are shown.
MAX_WORD_DIFF_CHARS = 400
# Files of a store that are named in text; JSON has all of them.
MAX_STORE_FILES_SHOWN = 10


def history_document(found: Any) -> list[dict[str, Any]]:
    """As a JSON document: one object for each place where the id was found."""
    return [
        {
            "kind": one.kind,
            "id": one.id,
            "parent": one.parent,
            "name": one.name,
            "type": one.type,
            "url": one.url,
            "since": one.since.started_at,
            "snapshots": one.snapshots,
            "held_by": one.times,
            "events": [_event(event) for event in one.events],
        }
        for one in found
    ]


def _event(event: Any) -> dict[str, Any]:
    return {
        "snapshot": event.snapshot.id,
        "until": event.until or event.snapshot.id,
        "tag": event.snapshot.tag,
        "started_at": event.snapshot.started_at,
        "state": event.snapshot.state,
        "what": event.what,
        "reason": event.reason,
        "paths": [_values(path) for path in event.paths],
        "facts": [_values(path) for path in event.facts],
        "messages": None if event.messages is None else {"now": event.messages[0], "was": event.messages[1]},
        "came": list(event.added),
        "went": list(event.removed),
    }


def _values(path: Any) -> dict[str, Any]:
    left, right = (mask_value_at(path.path, value) for value in (path.left, path.right))
    return {"path": path.path, "left": left, "right": right}


def history_text(found: Any) -> str:
    """One block for each place; one paragraph for each snapshot that saw something new."""
    return "\n\n".join("\n".join(_block(one)) for one in found)


def _block(one: Any) -> Iterator[str]:
    where = f" in {shorten(one.parent)}" if one.parent else ""
    yield f"{one.kind} {shorten(one.name) or '(no name)'} [{shorten(one.id)}]{where}, {one.type} {one.url}"
    yield f"in {one.times:,} of {one.snapshots:,} snapshots; as last seen since {one.since.started_at}"
    for event in one.events:
        number = f"{event.snapshot.id}"
        if event.until > event.snapshot.id:
            number += f" to {event.until}"
        tag = f" ({shorten(event.snapshot.tag)})" if event.snapshot.tag else ""
        why = f": {shorten(event.reason, 200)}" if event.reason else ""
        yield f"  snapshot {number}{tag}  {event.snapshot.started_at}  {event.what}{why}"
        yield from (f"      {line}" for line in _details(event))


def _details(event: Any) -> Iterator[str]:
    for path in map(_values, event.paths):
        yield f"{shorten(path['path'], 100)}: {value_change_text(**path)}"
    if event.messages is not None:
        now, was = event.messages
        yield f"messages: {now:,}" if event.what == "first seen" else f"messages: {was:,} -> {now:,}"
    for sign, ids in (("+", event.added), ("-", event.removed)):
        more = f" and {len(ids) - MAX_STORE_FILES_SHOWN:,} more" if len(ids) > MAX_STORE_FILES_SHOWN else ""
        if ids:
            yield f"files: {sign} {', '.join(map(shorten, ids[:MAX_STORE_FILES_SHOWN]))}{more}"
    facts = [f"{shorten(p['path'])} {value_change_text(**p)}" for p in map(_values, event.facts)]
    if facts:
        yield f"set by the service: {'; '.join(facts)}"
    if event.what == "changed" and not (
        event.paths or event.facts or event.messages or event.added or event.removed
    ):
        yield "nothing that is compared"


def value_change_text(path: str, left: Any, right: Any) -> str:
    """Both values on one line; two texts word by word, their unchanged stretches folded."""
    detail = ItemDetail(path, left, right)
    if not is_word_diff(detail):
        return f"{shorten(json_value(left))} -> {shorten(json_value(right))}"
    marked = "".join(
        mark_piece(*piece) for piece in fold_unchanged(detail_pieces(detail), WORD_DIFF_CONTEXT_CHARS)
    )
    return shorten(marked, MAX_WORD_DIFF_CHARS)
