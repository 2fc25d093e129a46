"""Values in, Terraform's language out: any text reads back as the same text, whatever it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from migrate.model import JSON

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
KEYWORDS = frozenset({"for", "if", "in", "null", "true", "false", "endfor", "else", "endif"})
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
TEMPLATE = re.compile(r"([$%]+)\{")
"""What begins a template; doubled, it is a text."""
UNCLEAR = re.compile(r"[$%]{2}\{")
"""More such signs before it: which of them is doubled would not be clear, so they are escaped."""


class Expression(str):
    """Stands in the text as it is: `var.name`."""


def quoted(text: str) -> str:
    """A text on one line. Half of a character pair has no form here and becomes U+FFFD."""
    return f'"{TEMPLATE.sub(_doubled, "".join(map(_escaped, text)))}"'


def _doubled(found: re.Match[str]) -> str:
    before, last = found[1][:-1], found[1][-1]
    return "".join(f"\\u{ord(sign):04x}" for sign in before) + last * 2 + "{"


def _escaped(char: str) -> str:
    if char in ESCAPES:
        return ESCAPES[char]
    if char.isprintable():
        return char
    code = 0xFFFD if 0xD800 <= ord(char) < 0xE000 else ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def written(value: JSON, indent: str = "") -> str:
    """A value as an expression; `indent` is that of the line it begins on."""
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, str):
        return _heredoc(value) if _is_long(value) else quoted(value)
    if isinstance(value, Mapping):
        lines = (f"{indent}  {key} = {written(v, indent + '  ')}\n" for key, v in _entries(value))
        return f"{{\n{''.join(lines)}{indent}}}" if value else "{}"
    if isinstance(value, list):
        items = "".join(f"{indent}  {written(one, indent + '  ')},\n" for one in value)
        return f"[\n{items}{indent}]" if value else "[]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value) if value == value and value not in (float("inf"), float("-inf")) else "null"


def _entries(value: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    for key, inner in value.items():
        plain = IDENTIFIER.fullmatch(key) and key not in KEYWORDS
        yield (key if plain else quoted(key)), inner


def _is_long(text: str) -> bool:
    """Whether a text reads better over several lines and can stand so exactly."""
    lines = text.replace("\t", "").split("\n")
    return len(lines) > 1 and not UNCLEAR.search(text) and all(line.isprintable() for line in lines)


def _heredoc(text: str) -> str:
    """Lines as they are; the last line end, which the form adds, is taken off again."""
    lines, mark, number = text.split("\n"), "EOT", 2
    while any(line.strip() == mark for line in lines):
        mark, number = f"EOT{number}", number + 1
    body = TEMPLATE.sub(_doubled, text)
    return f'trimsuffix(<<{mark}\n{body}\n{mark}\n, "\\n")'
