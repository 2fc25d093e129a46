"""Bodies and values for people: without the credentials that their tools and texts may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from migrate.model.entity import JSON
from migrate.model.secrets import SECRET_KEY_NAMES, is_secret_key, mask_all_texts, mask_text

MASK = "(masked)"
# Fields of a body that may carry credentials: a tool's headers and authorization, and calls of tools.
SECRET_FIELDS = ("tools", "tool_resources", "definition", "versions", "step_details", "required_action")


def mask_body(body: Mapping[str, JSON], keep_shape: bool = False) -> dict[str, JSON]:
    """A body without credentials. Keys are checked at its top, and in the fields where a service keeps
    credentials: elsewhere `token` may be the name of a piece of text, as in `logprobs`.
    `keep_shape`: an object that is masked keeps its keys and a list its length, so that a program that knows
    the type of a field can still read it."""
    mask = _mask_members if keep_shape else _mask_whole
    return {
        mask_text(k): mask(v)
        if is_secret_key(k) and v
        else _mask_value(v, mask)
        if k in SECRET_FIELDS
        else mask_all_texts(v)
        for k, v in body.items()
    }


def _mask_whole(_value: JSON) -> JSON:
    return MASK


def _mask_members(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {mask_text(k): _mask_members(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_mask_members(item) for item in value]
    return value if value is None else MASK


def mask_value_at(path: str, value: JSON) -> JSON:
    """A value at a dotted path of a body, without credentials."""
    top, *steps = re.split(r"[.\[\]]+", path.lower())
    owned = steps[: steps.index("parameters")] if "parameters" in steps else steps
    if value and (top in SECRET_KEY_NAMES or (top in _DEEP_FIELDS and SECRET_KEY_NAMES & set(owned))):
        return MASK
    return _mask_value(value) if top in _DEEP_FIELDS else mask_all_texts(value)


# Fields of a decoded object in which keys are checked at any depth. `content` may be an item.
_DEEP_FIELDS = (*SECRET_FIELDS, "service", "content")


def _mask_value(value: JSON, mask: Callable[[JSON], JSON] = _mask_whole) -> JSON:
    if isinstance(value, dict):
        return {
            mask_text(k): mask_all_texts(v)
            if k == "parameters"
            else mask(v)
            if is_secret_key(k) and v
            else _mask_value(v, mask)
            for k, v in value.items()
        }
    return [_mask_value(item, mask) for item in value] if isinstance(value, list) else mask_all_texts(value)
