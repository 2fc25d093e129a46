"""Rules from which schemas are built: each accepts a JSON value, or says what is wrong and where."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from migrate.emulator.errors import ApiError, UnknownKey, refuse

Rule = Callable[[Any, str], None]  # the value, and the path to it: `messages[0].content`

METADATA_PAIRS, METADATA_KEY, METADATA_VALUE = 16, 64, 512

_NAMES: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
}


def named(value: Any) -> str:
    return _NAMES.get(type(value), "null")


def wrong_type(at: str, expected: str, value: Any) -> ApiError:
    return refuse(
        f"Invalid type for '{at}': expected {expected}, but got {named(value)} instead.",
        param=at,
        code="invalid_type",
    )


def out_of_bounds(at: str, what: str, side: str, bound: int, size: int) -> ApiError:
    """`what` is string, array or object; `side` is long/short (or few/many properties)."""
    end = "maximum" if side in ("long", "many") else "minimum"
    return refuse(
        f"Invalid '{at}': {what} too {side}. Expected {end} length {bound}, but got length {size} instead.",
        param=at,
        code=f"{what}_{'above_max' if end == 'maximum' else 'below_min'}_length",
    )


def unsupported(at: str, value: Any, supported: tuple[str, ...]) -> ApiError:
    """(reported 2024-05, for a tool of another API version)"""
    values = ",".join(f"'{each}'" for each in supported)
    return refuse(f"Invalid value: '{value}'. Supported values are: {values}", param=at, code="invalid_value")


# ------------------------------------------------------------------------------------------ plain values


def anything(_value: Any, _at: str) -> None:
    """Whatever JSON can say."""


def boolean(value: Any, at: str) -> None:
    if not isinstance(value, bool):
        raise wrong_type(at, "a boolean", value)


def free_object(value: Any, at: str) -> None:
    if not isinstance(value, dict):
        raise wrong_type(at, "an object", value)


def string(maximum: int | None = None, minimum: int = 0, pattern: str | None = None) -> Rule:
    shape = re.compile(pattern) if pattern else None

    def rule(value: Any, at: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(at, "a string", value)
        if maximum is not None and len(value) > maximum:
            raise out_of_bounds(at, "string", "long", maximum, len(value))
        if len(value) < minimum:
            raise out_of_bounds(at, "string", "short", minimum, len(value))
        if shape and not shape.fullmatch(value):
            raise refuse(
                f"Invalid '{at}': string does not match pattern. Expected '{pattern}'.",
                param=at,
                code="invalid_value",
            )

    return rule


def number(low: float, high: float, *, whole: bool = False) -> Rule:
    kinds, expected = ((int,), "an integer") if whole else ((int, float), "a decimal")

    def rule(value: Any, at: str) -> None:
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise wrong_type(at, expected, value)
        if not low <= value <= high:
            raise refuse(
                f"Invalid '{at}': expected a value from {low} to {high}, but got {value} instead.",
                param=at,
                code="out_of_range",
            )

    return rule


def choice(*values: str) -> Rule:
    def rule(value: Any, at: str) -> None:
        if value not in values:
            raise unsupported(at, value, values)

    return rule


# --------------------------------------------------------------------------------------------- composed


def nullable(inner: Rule) -> Rule:
    return lambda value, at: None if value is None else inner(value, at)


def by_type(**rules: Rule) -> Rule:
    """One rule per JSON type: `text=`, `array=`, `object=`."""
    types: dict[str, type] = {"text": str, "array": list, "object": dict}
    chosen = {types[name]: rule for name, rule in rules.items()}
    expected = " or ".join(_NAMES[each] for each in chosen)

    def rule(value: Any, at: str) -> None:
        if type(value) not in chosen:
            raise wrong_type(at, expected, value)
        chosen[type(value)](value, at)

    return rule


def array(item: Rule, maximum: int | None = None, minimum: int = 0) -> Rule:
    def rule(value: Any, at: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(at, "an array", value)
        if maximum is not None and len(value) > maximum:
            raise out_of_bounds(at, "array", "long", maximum, len(value))
        if len(value) < minimum:
            raise out_of_bounds(at, "array", "short", minimum, len(value))
        for place, each in enumerate(value):
            item(each, f"{at}[{place}]")

    return rule


def record(required: str = "", /, **fields: Rule) -> Rule:
    """An object with these keys and no others; `required` names some of them, separated by blanks."""
    needed = required.split()

    def rule(value: Any, at: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(at or "body", "an object", value)
        inside = f"{at}." if at else ""
        for key in value:
            if key not in fields:
                raise UnknownKey(at, key)
        for key in needed:
            if key not in value:
                raise refuse(
                    f"Missing required parameter: '{inside}{key}'.",
                    param=f"{inside}{key}",
                    code="missing_required_parameter",
                )
        for key, each in value.items():
            fields[key](each, inside + key)

    return rule


def tagged(**variants: Rule) -> Rule:
    """An object whose `type` picks its rule."""

    def rule(value: Any, at: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(at, "an object", value)
        if "type" not in value:
            name = f"{at}.type"
            raise refuse(
                f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
            )
        if not isinstance(value["type"], str) or value["type"] not in variants:
            raise unsupported(f"{at}.type", value["type"], tuple(variants))
        variants[value["type"]]({key: each for key, each in value.items() if key != "type"}, at)

    return rule


def pairs(value_rule: Rule) -> Rule:
    """Metadata and attributes: few pairs, short keys."""

    def rule(value: Any, at: str) -> None:
        free_object(value, at)
        if len(value) > METADATA_PAIRS:
            raise out_of_bounds(at, "object", "many", METADATA_PAIRS, len(value))
        for key, each in value.items():
            if len(key) > METADATA_KEY:
                raise out_of_bounds(at, "string", "long", METADATA_KEY, len(key))
            value_rule(each, f"{at}.{key}")

    return rule


def _attribute(value: Any, at: str) -> None:
    if not isinstance(value, (bool, int, float)):
        string(METADATA_VALUE)(value, at)


metadata = nullable(pairs(string(METADATA_VALUE)))
attributes = nullable(pairs(_attribute))
