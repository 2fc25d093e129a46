"""JSON laid out for reading, with every name and number exactly as it is written."""

from __future__ import annotations

import json
import re

# Longer texts are shown as they are stored.
MAX_PRETTY_CHARS = 50_000
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
INDENT = "  "


def pretty_json(text: str) -> str:
    """An object or a list with one value a line; any other text as it is."""
    if len(text) > MAX_PRETTY_CHARS or not text.lstrip().startswith(("{", "[")):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    tokens = TOKEN.findall(text)
    pieces: list[str] = []
    depth = 0
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        if token in "{[":
            is_empty = after in ("}", "]")
            depth += 1
            pieces.append(token if is_empty else f"{token}\n{INDENT * depth}")
        elif token in "}]":
            depth -= 1
            is_empty = bool(pieces) and pieces[-1] in ("{", "[")
            pieces.append(token if is_empty else f"\n{INDENT * depth}{token}")
        elif token == ",":
            pieces.append(f",\n{INDENT * depth}")
        else:
            pieces.append(": " if token == ":" else _readable(token))
    return "".join(pieces)


def _readable(token: str) -> str:
    """A string without escapes that only ASCII needs; a number as it is."""
    return json.dumps(json.loads(token), ensure_ascii=False) if token.startswith('"') else token
