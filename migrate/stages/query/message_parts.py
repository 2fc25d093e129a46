"""A message in; what a reader sees of it out: its text, and everything else by name.

Nothing here trusts a shape: what is odd is shown as what it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from migrate.model import JSON, Entity
from migrate.model.message import CALL, ITEM, RESULT
from migrate.model.secrets import without_secrets

What = Literal["text", "refusal", "image", "citation", "attachment", "call", "result", "other"]
Names = Mapping[str, str]
"""File id -> file name."""


@dataclass(frozen=True)
class Part:
    """One thing in a message."""

    what: What
    text: str


def parts(message: Entity, names: Names) -> Iterator[Part]:
    """Everything in a message, in order; attachments come last."""
    content = message.fields.get("content")
    if content is None:
        content = message.extras.get("content")
    for one in content if isinstance(content, list) else [] if content is None else [content]:
        yield from _item(one) if message.fields.get("role") == ITEM else _part(one, names)
    attachments = message.fields.get("attachments")
    if attachments is None:
        attachments = message.extras.get("attachments")
    for one in attachments if isinstance(attachments, list) else []:
        yield Part("attachment", _attached(one, names))


def _part(part: JSON, names: Names) -> Iterator[Part]:
    if not isinstance(part, Mapping):
        yield Part("text" if isinstance(part, str) else "other", plain(part))
        return
    rule = PARTS.get(str(part.get("type")))
    if rule:
        yield from rule(part, names)
    else:
        yield Part("other", f"{plain(part.get('type') or 'part')} {_inside(part)}".strip())


def _text(part: Mapping[str, JSON], names: Names) -> Iterator[Part]:
    text = part.get("text")
    if not isinstance(text, Mapping):
        yield Part("text", plain(text))
        return
    yield Part("text", plain(text.get("value")))
    notes = text.get("annotations")
    for note in notes if isinstance(notes, list) else []:
        if isinstance(note, Mapping):
            yield Part("citation", _cited(note, names))


def _cited(note: Mapping[str, JSON], names: Names) -> str:
    """What an annotation points to, and the marker that stands for it in the text."""
    inside = note.get(str(note.get("type")))
    found = {**note, **(inside if isinstance(inside, Mapping) else {})}
    told = found.get("filename") or found.get("title") or found.get("url") or ""
    where = _named(found.get("file_id"), names) if found.get("file_id") else plain(told)
    marker = f" at {plain(note['text'])}" if note.get("text") else ""
    return f"{where or plain(note.get('type'))}{marker}"


def _image(part: Mapping[str, JSON], names: Names) -> Iterator[Part]:
    inside = part.get(str(part.get("type")))
    image = inside if isinstance(inside, Mapping) else part
    address = plain(image.get("url") or "")
    if address.startswith("data:"):
        address = f"{address.partition(',')[0]},... ({len(address):,} characters)"
    yield Part("image", _named(image.get("file_id"), names) if image.get("file_id") else address)


def _refusal(part: Mapping[str, JSON], _: Names) -> Iterator[Part]:
    yield Part("refusal", plain(part.get("refusal")))


def _file(part: Mapping[str, JSON], names: Names) -> Iterator[Part]:
    yield Part("attachment", _named(part.get("file_id"), names) if part.get("file_id") else _inside(part))


PARTS: Mapping[str, Callable[[Mapping[str, JSON], Names], Iterator[Part]]] = {
    "text": _text,
    "refusal": _refusal,
    "image_file": _image,
    "image_url": _image,
    "input_file": _file,
}
"""Type of a part of a message -> how it is told."""


def _item(item: JSON) -> Iterator[Part]:
    """Something in a conversation that nobody said."""
    if not isinstance(item, Mapping):
        yield Part("other", plain(item))
        return
    type_ = plain(item.get("type"))
    if type_ == CALL:
        yield Part("call", f"{plain(item.get('name'))}({plain(item.get('arguments'))})")
    elif type_ == RESULT:
        yield Part("result", plain(item.get("output")))
    elif type_.endswith("_output"):
        yield Part("result", f"{type_} {_inside(item)}".strip())
    else:
        yield Part("call" if type_.endswith("_call") else "other", f"{type_} {_inside(item)}".strip())


def step_calls(step: Mapping[str, JSON]) -> Iterator[Part]:
    """The tools that a step of a run called, as the older generation tells them."""
    details = step.get("step_details")
    calls = details.get("tool_calls") if isinstance(details, Mapping) else None
    for call in calls if isinstance(calls, list) else []:
        if isinstance(call, Mapping):
            function = call.get("function")
            if isinstance(function, Mapping):
                yield Part("call", f"{plain(function.get('name'))}({plain(function.get('arguments'))})")
            else:
                yield Part("call", plain(call.get("type") or "tool"))


def plain(value: JSON) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, default=str)


def _inside(item: Mapping[str, JSON]) -> str:
    """What an item says, without its type, ids and states."""
    kept = without_secrets(item).items()
    said = {k: v for k, v in kept if k not in SAID_BY_TYPE and v not in (None, "", [], {})}
    return plain(said) if said else ""


SAID_BY_TYPE = frozenset({"type", "id", "status", "call_id", "created_by", "partition_key"})


def _named(file_id: JSON, names: Names) -> str:
    id_ = plain(file_id)
    return f"{names[id_]} ({id_})" if names.get(id_) else id_


def _attached(one: JSON, names: Names) -> str:
    if not isinstance(one, Mapping):
        return plain(one)
    tools = one.get("tools")
    types = [plain(t.get("type")) for t in tools if isinstance(t, Mapping)] if isinstance(tools, list) else []
    where = _named(one.get("file_id"), names) if one.get("file_id") else _inside(one)
    return f"{where} for {', '.join(types)}" if types else where
