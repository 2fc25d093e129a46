"""How an object changed from snapshot to snapshot, shown; secrets in tool headers are masked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from migrate.reports.objects import masked_at
from migrate.reports.tables import short

LONG = 60
"""Characters from which a text is shown by what changed in it."""
AROUND = 24
"""Characters around a change that are shown with it."""
NAMED = 10
"""Files of a store that are named in text; JSON has all of them."""


def as_dict(found: Any) -> list[dict[str, Any]]:
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
        "came": list(event.came),
        "went": list(event.went),
    }


def _values(path: Any) -> dict[str, Any]:
    left, right = (masked_at(path.path, value) for value in (path.left, path.right))
    return {"path": path.path, "left": left, "right": right}


def as_text(found: Any) -> str:
    """One block for each place; one paragraph for each snapshot that saw something new."""
    return "\n\n".join("\n".join(_block(one)) for one in found)


def _block(one: Any) -> Iterator[str]:
    where = f" in {short(one.parent)}" if one.parent else ""
    yield f"{one.kind} {short(one.name) or '(no name)'} [{short(one.id)}]{where}, {one.type} {one.url}"
    yield f"in {one.times:,} of {one.snapshots:,} snapshots; as last seen since {one.since.started_at}"
    for event in one.events:
        number = f"{event.snapshot.id}"
        if event.until > event.snapshot.id:
            number += f" to {event.until}"
        tag = f" ({short(event.snapshot.tag)})" if event.snapshot.tag else ""
        why = f": {short(event.reason, 200)}" if event.reason else ""
        yield f"  snapshot {number}{tag}  {event.snapshot.started_at}  {event.what}{why}"
        yield from (f"      {line}" for line in _details(event))


def _details(event: Any) -> Iterator[str]:
    for path in map(_values, event.paths):
        yield f"{short(path['path'], 100)}: {told(path['left'], path['right'])}"
    if event.messages is not None:
        now, was = event.messages
        yield f"messages: {now:,}" if event.what == "first seen" else f"messages: {was:,} -> {now:,}"
    for sign, ids in (("+", event.came), ("-", event.went)):
        more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
        if ids:
            yield f"files: {sign} {', '.join(map(short, ids[:NAMED]))}{more}"
    facts = [f"{short(p['path'])} {told(p['left'], p['right'])}" for p in map(_values, event.facts)]
    if facts:
        yield f"set by the service: {'; '.join(facts)}"
    if event.what == "changed" and not (
        event.paths or event.facts or event.messages or event.came or event.went
    ):
        yield "nothing that is compared"


def told(left: Any, right: Any) -> str:
    """Both values on one line. Of two long texts only where they differ; the difference word by word has
    its place here."""
    if isinstance(left, str) and isinstance(right, str) and max(len(left), len(right)) > LONG:
        was, now = excerpts(left, right)
        return f"{short(repr(was), 160)} -> {short(repr(now), 160)}"
    return f"{short(repr(left))} -> {short(repr(right))}"


def excerpts(left: str, right: str) -> tuple[str, str]:
    """What differs between two texts, from the first word that does to the last, with a little around it."""
    start = _alike(left, right, 1)
    end = min(_alike(left, right, -1), min(len(left), len(right)) - start)
    while start and not left[start - 1].isspace():
        start -= 1
    while end and not left[len(left) - end].isspace():
        end -= 1
    return _cut(left, start, end), _cut(right, start, end)


def _alike(left: str, right: str, step: int) -> int:
    """How many characters two texts have in common at an end."""
    shortest = min(len(left), len(right))
    low, high = 0, shortest
    while low < high:
        middle = (low + high + 1) // 2
        same = left[:middle] == right[:middle] if step > 0 else left[-middle:] == right[-middle:]
        low, high = (middle, high) if same else (low, middle - 1)
    return low


def _cut(text: str, start: int, end: int) -> str:
    before = max(0, start - AROUND)
    after = min(len(text), len(text) - end + AROUND)
    return f"{'…' if before else ''}{text[before:after]}{'…' if after < len(text) else ''}"
