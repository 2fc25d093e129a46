"""Bodies and values for people: without the credentials that their tools and texts may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migrate.model.entity import JSON
from migrate.model.secrets import (
    SECRET_KEY_NAMES,
    VERBATIM_KEYS,
    is_secret_key,
    is_secret_parameter,
    mask_all_texts,
    mask_text,
)

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
        else _Masking(mask).value(v)
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
    if top not in _DEEP_FIELDS:
        return MASK if value and top in SECRET_KEY_NAMES else mask_all_texts(value)
    begin = next((place for place, step in enumerate(steps) if step in SCHEMA_KEYS), len(steps))
    owned = steps[: steps.index("parameters")] if "parameters" in steps else steps
    # The name of a parameter is not in its path, so any value of one may be a credential.
    is_value = any(_holds_values(step) for step in steps[begin + 1 :])
    if value and (top in SECRET_KEY_NAMES or SECRET_KEY_NAMES & set(owned) or is_value):
        return MASK
    inside, about = begin < len(steps), any(map(names_credential, steps[begin + 1 :]))
    return _Masking(_mask_whole).value(value, inside, about, "parameters" in steps)


# Fields of a decoded object in which keys are checked at any depth. `content` may be an item.
_DEEP_FIELDS = (*SECRET_FIELDS, "service", "content")
# Keys whose value describes parameters: a schema, or a specification of an API.
SCHEMA_KEYS = VERBATIM_KEYS | {"input_schema"}
# Keys of a described parameter under which values of it stand, as in OpenAPI and JSON Schema.
VALUE_KEYS = frozenset({"default", "example", "examples", "enum", "const", "value"})
# Names that carry a credential in an address, but are ordinary words beside other values.
ORDINARY_NAMES = frozenset({"code", "key", "pass"})


def names_credential(name: JSON) -> bool:
    """Whether a parameter, header or property of this name carries a credential."""
    return isinstance(name, str) and (is_secret_parameter(name) or name.lower() in ("cookie", "set-cookie"))


def _holds_values(key: str) -> bool:
    return key in VALUE_KEYS or key.startswith("x-")


@dataclass(frozen=True)
class _Masking:
    """Masks nested values. `mask`: what replaces a credential."""

    mask: Callable[[JSON], JSON]

    def value(self, value: JSON, inside: bool = False, about: bool = False, owned: bool = False) -> JSON:
        """A value. `inside`: it is part of a schema or a specification; `about`: of what describes a
        credential; `owned`: its keys are names of parameters."""
        if isinstance(value, list):
            return [self.value(item, inside, about, owned) for item in value]
        if not isinstance(value, dict):
            return mask_all_texts(value)
        about = about or (inside and "in" in value and names_credential(value.get("name")))
        return {mask_text(k): self._member(k, v, inside, about, owned) for k, v in value.items()}

    def _member(self, key: str, value: JSON, inside: bool, about: bool, owned: bool) -> JSON:
        owned = owned or key == "parameters"
        if value and not owned and is_secret_key(key):
            return self.mask(value)
        if inside and value and self._is_credential(key, value, about):
            return self.mask(value)
        about = inside and (about or names_credential(key))
        return self.value(value, inside or key in SCHEMA_KEYS, about, owned)

    @staticmethod
    def _is_credential(key: str, value: JSON, about: bool) -> bool:
        if about and _holds_values(key):
            return True
        is_plain = isinstance(value, str) and not value.startswith("#/")
        return is_plain and names_credential(key) and key.lower() not in ORDINARY_NAMES
