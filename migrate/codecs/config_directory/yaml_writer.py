"""A value in, YAML text out: the same for equal values, and read back exactly.

Block style throughout, no line is folded. A text of several lines is a literal block where that is exact;
whatever could be taken for something else is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from migrate.model import JSON

YAML_RESERVED_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that YAML 1.2, or an older reader, takes for something else than a text."""
NOT_PLAIN_SCALAR = re.compile(r":(?=\s|$)|\s#|\s$")
DIGIT_WORD = re.compile(r"(?!0[xob])[0-9](?=[0-9a-z]*[acdfghijklmnqrsuvwy])[0-9a-z]*")
"""What begins with a digit and is a number or a time to no reader: hashes."""
MAX_SIMPLE_KEY_CHARS = 900
"""Readers look no further for the end of a key that is written the short way."""
YAML_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def format_yaml(value: Mapping[str, JSON], comments: Mapping[str, str] | None = None) -> str:
    """A mapping as a document, with a comment above some of its keys."""
    text = ""
    for key, inner in value.items():
        said = (comments or {}).get(key)
        text += f"# {quote_yaml(said)[1:-1]}\n" if said else ""
        text += "".join(f"{line}\n" for line in _mapping({key: inner}, ""))
    return text


def _mapping(value: Mapping[str, JSON], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        name = format_scalar(key)
        if len(name) > MAX_SIMPLE_KEY_CHARS:
            yield f"{indent}? {name}"
            name = ""
        yield from _entry(f"{indent}{name}:", inner, indent + "  ")


def _list(value: list[JSON], indent: str) -> Iterator[str]:
    for inner in value:
        if isinstance(inner, Mapping) and inner:
            lines = _mapping(inner, indent + "  ")
            yield f"{indent}- {next(lines)[len(indent) + 2 :]}"
            yield from lines
        else:
            yield from _entry(f"{indent}-", inner, indent + "  ")


def _entry(head: str, value: JSON, indent: str) -> Iterator[str]:
    """What follows a key or a dash."""
    if isinstance(value, Mapping) and value:
        yield head
        yield from _mapping(value, indent)
    elif isinstance(value, list) and value:
        yield head
        yield from _list(value, indent)
    elif isinstance(value, str) and _is_literal(value):
        lines = value.removesuffix("\n").split("\n")
        yield f"{head} {'|' if value.endswith(chr(10)) else '|-'}"
        yield from (f"{indent}{line}" if line else "" for line in lines)
    else:
        yield f"{head} {format_scalar(value)}"


def format_scalar(value: JSON) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return value if _is_plain(value) else quote_yaml(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
    if isinstance(value, Mapping):
        return "{}"
    return "[]" if isinstance(value, list) else repr(value)


def quote_yaml(text: str) -> str:
    """In double quotes, everything that does not show written as an escape."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in YAML_ESCAPES:
        return YAML_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_plain(text: str) -> bool:
    return (
        (text[:1].isalpha() or DIGIT_WORD.fullmatch(text) is not None)
        and text.isprintable()
        and text.lower() not in YAML_RESERVED_WORDS
        and not NOT_PLAIN_SCALAR.search(text)
    )


def _is_literal(text: str) -> bool:
    """Whether a literal block gives exactly this text back."""
    body = text.removesuffix("\n")
    return (
        "\n" in body
        and not body.endswith("\n")
        and not body[0].isspace()
        and all(line.isprintable() for line in body.replace("\t", "").split("\n"))
    )
