"""Bodies as they are sent: the stored text as it is, without credentials, with the ids of the address."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from migrate.archive.bodies import load_body
from migrate.model.entity import JSON
from migrate.model.mask_screen import has_mask_hint, may_need_mask
from migrate.model.masked_values import mask_body

# Returns a body with some of its values replaced.
BodyChange = Callable[[dict[str, JSON]], dict[str, JSON]]


def dump_json(value: JSON) -> str:
    """JSON without white space, as bodies are stored."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which has no form but the escape
        return json.dumps(value, separators=(",", ":"))
    return text


def body_text(stored: str, change: BodyChange | None = None) -> str:
    """The text that is sent for a stored body: the same text, unless `change` or a mask changes the body."""
    if change is None and not may_need_mask(stored):
        return stored
    body = load_body(stored)
    sent = mask_body(change(body) if change else body, keep_shape=True)
    return stored if sent == body else dump_json(sent)


def body_texts(stored: list[str], change: BodyChange | None = None) -> list[str]:
    """The texts that are sent for several stored bodies. For most pages one test of all of them is enough."""
    if change is None and not has_mask_hint("\n".join(stored)):
        return stored
    return [body_text(text, change) for text in stored]


def with_ids(ids: Mapping[str, str]) -> BodyChange | None:
    """A change that puts the ids that were asked for in place of the stored ones. `ids`: key of a body -> id;
    None where there are none. A key that a body does not have, or that is null, stays as it is."""
    if not ids:
        return None
    return lambda body: {key: ids[key] if key in ids and value else value for key, value in body.items()}


def change_in_order(*changes: BodyChange | None) -> BodyChange | None:
    """Several changes as one; None where there is none."""
    given = [change for change in changes if change is not None]
    if not given:
        return None

    def apply(body: dict[str, JSON]) -> dict[str, JSON]:
        for change in given:
            body = change(body)
        return body

    return apply
