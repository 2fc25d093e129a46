"""Rules from which the schemas of bodies are built: each accepts a JSON value or raises an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from migrate.emulator.errors import ApiError, UnknownKey, refuse, unsupported_value

# Called with a value and the path to it, such as `messages[0].content`. Raises ApiError or UnknownKey.
Rule = Callable[[Any, str], None]

MAX_METADATA_PAIRS, MAX_METADATA_KEY, MAX_METADATA_VALUE = 16, 64, 512

_TYPE_NAMES: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
}


def _wrong_type(at: str, expected: str, value: Any) -> ApiError:
    actual = _TYPE_NAMES.get(type(value), "null")
    return refuse(
        f"Invalid type for '{at}': expected {expected}, but got {actual} instead.",
        param=at,
        code="invalid_type",
    )


def _missing(path: str) -> ApiError:
    return refuse(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")


def _check_length(at: str, noun: str, size: int, minimum: int, maximum: int | None) -> None:
    """`noun` is string, array or object: the services say that an object has too many properties."""
    if maximum is not None and size > maximum:
        too, bound, side, code = "many" if noun == "object" else "long", maximum, "maximum", "above_max"
    elif size < minimum:
        too, bound, side, code = "short", minimum, "minimum", "below_min"
    else:
        return
    raise refuse(
        f"Invalid '{at}': {noun} too {too}. Expected {side} length {bound}, but got length {size} instead.",
        param=at,
        code=f"{noun}_{code}_length",
    )


# -------------------------------------------------------------------------------------------- one value


def anything(_value: Any, _at: str) -> None:
    """Any JSON value."""


def _of_type(type_: type) -> Rule:
    def rule(value: Any, at: str) -> None:
        if not isinstance(value, type_):
            raise _wrong_type(at, _TYPE_NAMES[type_], value)

    return rule


boolean = _of_type(bool)
any_object = _of_type(dict)


def string(maximum: int | None = None, minimum: int = 0, pattern: str | None = None) -> Rule:
    """Text of a length in characters; `pattern` must match all of it."""
    regex = re.compile(pattern) if pattern else None

    def rule(value: Any, at: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type(at, "a string", value)
        _check_length(at, "string", len(value), minimum, maximum)
        if regex and not regex.fullmatch(value):
            raise refuse(
                f"Invalid '{at}': string does not match pattern. Expected '{pattern}'.",
                param=at,
                code="invalid_value",
            )

    return rule


def number(low: float, high: float, *, whole: bool = False) -> Rule:
    """A number from `low` to `high`, both included."""
    types, expected = ((int,), "an integer") if whole else ((int, float), "a decimal")

    def rule(value: Any, at: str) -> None:
        if isinstance(value, bool) or not isinstance(value, types):
            raise _wrong_type(at, expected, value)
        if not low <= value <= high:
            raise refuse(
                f"Invalid '{at}': expected a value from {low} to {high}, but got {value} instead.",
                param=at,
                code="out_of_range",
            )

    return rule


def choice(*values: str) -> Rule:
    """One of these texts."""

    def rule(value: Any, at: str) -> None:
        if value not in values:
            raise unsupported_value(at, value, values, "invalid_value")

    return rule


# --------------------------------------------------------------------------------------------- composed


def nullable(inner: Rule) -> Rule:
    """null, or what another rule accepts."""
    return lambda value, at: None if value is None else inner(value, at)


def by_type(**rules: Rule) -> Rule:
    """One rule for each JSON type: `text=`, `array=`, `object=`."""
    types: dict[str, type] = {"text": str, "array": list, "object": dict}
    rule_of = {types[name]: rule for name, rule in rules.items()}
    expected = " or ".join(_TYPE_NAMES[each] for each in rule_of)

    def rule(value: Any, at: str) -> None:
        if type(value) not in rule_of:
            raise _wrong_type(at, expected, value)
        rule_of[type(value)](value, at)

    return rule


def array(item: Rule, maximum: int | None = None, minimum: int = 0) -> Rule:
    """A list of items that one rule accepts."""

    def rule(value: Any, at: str) -> None:
        if not isinstance(value, list):
            raise _wrong_type(at, "an array", value)
        _check_length(at, "array", len(value), minimum, maximum)
        for index, each in enumerate(value):
            item(each, f"{at}[{index}]")

    return rule


def record(required: str = "", /, **fields: Rule) -> Rule:
    """An object with these keys and no others. `required` names some of them, separated by spaces."""

    def rule(value: Any, at: str) -> None:
        any_object(value, at or "body")
        prefix = f"{at}." if at else ""
        for key in value:
            if key not in fields:
                raise UnknownKey(at, key)
        for key in required.split():
            if key not in value:
                raise _missing(prefix + key)
        for key, each in value.items():
            fields[key](each, prefix + key)

    return rule


def complete(**fields: Rule) -> Rule:
    """An object with exactly these keys."""
    return record(" ".join(fields), **fields)


def each(names: str, rule: Rule) -> dict[str, Rule]:
    """The same rule for several keys, whose names are separated by spaces."""
    return dict.fromkeys(names.split(), rule)


def tagged(**variants: Rule) -> Rule:
    """An object whose `type` selects the rule for its other keys."""

    def rule(value: Any, at: str) -> None:
        any_object(value, at)
        if "type" not in value:
            raise _missing(f"{at}.type")
        if not isinstance(value["type"], str) or value["type"] not in variants:
            raise unsupported_value(f"{at}.type", value["type"], tuple(variants), "invalid_value")
        variants[value["type"]]({key: each for key, each in value.items() if key != "type"}, at)

    return rule


def mapping(value_rule: Rule, max_pairs: int | None = None, max_key: int | None = None) -> Rule:
    """An object with any keys, whose values one rule accepts."""

    def rule(value: Any, at: str) -> None:
        any_object(value, at)
        _check_length(at, "object", len(value), 0, max_pairs)
        for key, each in value.items():
            _check_length(at, "string", len(key), 0, max_key)
            value_rule(each, f"{at}.{key}")

    return rule


def _attribute(value: Any, at: str) -> None:
    if not isinstance(value, (bool, int, float)):
        string(MAX_METADATA_VALUE)(value, at)


metadata = nullable(mapping(string(MAX_METADATA_VALUE), MAX_METADATA_PAIRS, MAX_METADATA_KEY))
attributes = nullable(mapping(_attribute, MAX_METADATA_PAIRS, MAX_METADATA_KEY))
