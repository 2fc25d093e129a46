"""Limits on everything that is read from outside: answers of services, files, archives.

A limit that is exceeded is always reported. The numbers are generous: nothing in the documentation of a
service comes near them. The depth of JSON is limited to one number, because the limit of the interpreter
differs from version to version of Python, and counts the callers too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True)
class InputLimit:
    """One limit: the largest accepted amount, its unit, and where it applies."""

    maximum: int
    unit: str
    scope: str

    def describe(self) -> str:
        """The limit in words for a message: "more than 128 MiB in one answer"."""
        in_mib = self.unit == "bytes" and self.maximum >= MIB
        amount = f"{self.maximum // MIB:,} MiB" if in_mib else f"{self.maximum:,} {self.unit}"
        return f"more than {amount} {self.scope}"


# A page of 100 messages of 256,000 characters each has at most 100 MB. According to their documentation,
# messages of projects may have 1,500,000 characters: a page above this limit is requested again with fewer
# rows.
MAX_RESPONSE = InputLimit(128 * MIB, "bytes", "in one answer")

# Larger answers are read by one thread after the other, so that memory is bounded by the size of one.
MAX_RESPONSE_READ_CONCURRENTLY = InputLimit(8 * MIB, "bytes", "in one answer")

# Of an error some hundred characters are shown; a gateway may wrap them in a page of HTML.
MAX_ERROR_RESPONSE = InputLimit(1 * MIB, "bytes", "in one answer that reports an error")

# Assistants accept files of up to 512 MB, OpenAI's multipart uploads 8 GB. Where a listing has the size of a
# file, that is the limit.
MAX_FILE = InputLimit(8192 * MIB, "bytes", "in one file")

# Many servers and gateways reject addresses of more than 2,000 characters.
MAX_ID = InputLimit(2048, "characters", "in one id")

# Each value takes memory in addition to its text: 128 MiB of brackets would become gigabytes. A page of 100
# messages has some thousand values. Commas inside texts are counted too.
MAX_RESPONSE_VALUES = InputLimit(10_000_000, "values", "in one answer")

# Tools and schemas have some ten levels. `pydantic_core.from_json`, which is tried first, stops at 201. With
# a higher limit an object could be read and then not be compared.
MAX_JSON_DEPTH = InputLimit(200, "levels", "in one document")

# Bodies are stored in packs of 32 KiB, or alone. A stored text can be three times as long as in the answer,
# because characters are escaped (`\u0436` for two bytes).
MAX_UNPACKED = InputLimit(3 * MAX_RESPONSE.maximum, "bytes", "unpacked from one place of an archive")


# Nested calls that the interpreter must allow. Comparing two values needs some twenty for each level.
MIN_RECURSION_LIMIT = 4_000
# A JSON string, which may contain brackets, or a bracket.
_TEXT_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


class JSONTooDeep(ValueError):
    """A document has more levels than are accepted."""


def loads(text: str, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """`json.loads` with a limit. Raises `JSONTooDeep`, and `ValueError` for text that is not JSON."""
    check_json_depth(text)
    return json.loads(text, parse_constant=parse_constant)


def check_json_depth(text: str) -> None:
    """Raises `JSONTooDeep`. Fast where the text has fewer brackets than there may be levels."""
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH.maximum:
        return
    depth = 0
    for match in _TEXT_OR_BRACKET.finditer(text):
        token = match[0]
        if token in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH.maximum:
                raise JSONTooDeep(f"it is nested too deeply: {MAX_JSON_DEPTH.describe()}")
        elif token in "]}":
            depth -= 1
