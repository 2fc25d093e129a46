"""Limits on what is read from outside, one row each. A limit that is reached is always reported, by its name.

Whoever reads something that others made (a service, a file, an archive) bounds it by a row of this table.
The numbers are generous: nothing that a service is described to give comes near them.
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
    """One limit: the most that is taken, in a unit, and of what."""

    maximum: int
    unit: str
    scope: str

    def describe(self) -> str:
        """In words, for a message: "more than 128 MiB in one answer"."""
        in_mib = self.unit == "bytes" and self.maximum >= MIB
        amount = f"{self.maximum // MIB:,} MiB" if in_mib else f"{self.maximum:,} {self.unit}"
        return f"more than {amount} {self.scope}"


# A page of 100 messages of 256,000 characters each is 100 MB at the most. Projects describe messages of up to
# 1,500,000 characters: a page that is larger than this is asked for again with fewer rows.
MAX_RESPONSE = InputLimit(128 * MIB, "bytes", "in one answer")

# Larger answers are read by one thread after the other, so that memory is bounded by the size of one.
MAX_RESPONSE_READ_CONCURRENTLY = InputLimit(8 * MIB, "bytes", "in one answer")

# An error is read for its words, of which some hundred are shown; a page of a gateway may stand around them.
MAX_ERROR_RESPONSE = InputLimit(1 * MIB, "bytes", "in one answer that tells an error")

# Assistants take files of up to 512 MB, OpenAI's uploads in parts 8 GB. Where a listing tells a file's size,
# that is the bound.
MAX_FILE = InputLimit(8192 * MIB, "bytes", "in one file")

# Addresses of more than 2,000 signs are refused by many servers and gateways before anybody reads them.
MAX_ID = InputLimit(2048, "characters", "in one id")

# Each value of an answer takes memory beside its text: 128 MiB of brackets would become gigabytes.
# A page of 100 messages has some thousand values; texts in it that are full of commas count as well.
MAX_RESPONSE_VALUES = InputLimit(10_000_000, "values", "in one answer")

# Tools and schemas that services take have some ten levels; `pydantic_core.from_json`, which reads what it
# can first, stops at 201. Higher than any Python could go, an object could be read and not be compared.
MAX_JSON_DEPTH = InputLimit(200, "levels", "in one document")

# Bodies lie together in packs of 32 KiB, or alone. One whose text has signs that are spelled out when it is
# stored (`\u0436` for two bytes) can be three times as long as in the answer that it came in.
MAX_UNPACKED = InputLimit(3 * MAX_RESPONSE.maximum, "bytes", "unpacked from one place of an archive")


# Calls inside each other that the interpreter must allow: some twenty for each level of a document, as the
# comparison of two values needs.
MIN_RECURSION_LIMIT = 4_000
# A text, which may hold any sign, or a bracket.
_TEXT_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


class JSONTooDeep(ValueError):
    """A document has more levels than are taken."""


def loads(text: str, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """As `json.loads`. Raises `JSONTooDeep`, and `ValueError` for what is no JSON."""
    check_json_depth(text)
    return json.loads(text, parse_constant=parse_constant)


def check_json_depth(text: str) -> None:
    """Raises `JSONTooDeep`. Costs next to nothing where there are fewer brackets than levels allowed."""
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH.maximum:
        return
    depth = 0
    for found in _TEXT_OR_BRACKET.finditer(text):
        sign = found[0]
        if sign in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH.maximum:
                raise JSONTooDeep(f"it is nested too deeply: {MAX_JSON_DEPTH.describe()}")
        elif sign in "]}":
            depth -= 1
