"""What a tool is: a name, a description, parameters, and the function that answers a call.

The JSON schema of the parameters is made from their declaration, and each call is checked against the same
declaration: a client need not check anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar

from migrate.archive.database import Archive
from migrate.archive.snapshots.named import find_snapshot_named
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.errors import BadUsage
from migrate.mcp.answers import MAX_ANSWER_CHARS, QUOTED_NOTE, fill_rows, json_size, shorten_text
from migrate.model import JSON
from migrate.model.input_limits import MAX_ID

_T = TypeVar("_T")

ParameterType = Literal["text", "number", "yes or no", "texts by name"]

# Type of a parameter -> its JSON schema.
SCHEMAS: Mapping[ParameterType, Mapping[str, JSON]] = {
    "text": {"type": "string"},
    "number": {"type": "integer"},
    "yes or no": {"type": "boolean"},
    "texts by name": {"type": "object", "additionalProperties": {"type": "string"}},
}
# A number in an argument has at most so many digits.
MAX_NUMBER_DIGITS = 12
# Pairs of metadata in an argument, and characters of each text. An object has at most 16 pairs.
MAX_PAIRS, MAX_PAIR_CHARS = 16, 512
# Room that is left beside the rows of an answer: for its head and for what comes next.
HEAD_CHARS = 2_000


class WrongToolCall(BadUsage):
    """A tool or an argument that does not exist. The message has nothing from the archive."""


@dataclass(frozen=True)
class ToolParameter:
    """One argument of a tool. `minimum`, `maximum`: of a number. `choices`: the only texts that it may be."""

    name: str
    type: ParameterType
    description: str
    required: bool = False
    default: JSON = None
    minimum: int = 0
    maximum: int | None = None
    choices: tuple[str, ...] = ()

    def schema(self) -> dict[str, JSON]:
        """Its JSON schema."""
        schema = {**SCHEMAS[self.type], "description": self.description}
        if self.type == "number":
            schema["minimum"] = self.minimum
        if self.maximum is not None:
            schema["maximum"] = self.maximum
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.default is not None:
            schema["default"] = self.default
        return schema

    def check(self, value: JSON) -> JSON:
        """The argument, as the tool gets it. Raises `WrongToolCall`. A number may come as text: models write
        it so."""
        if self.type == "number":
            return self._check_number(value)
        if self.type == "text" and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # the number of a snapshot
        if self.type == "texts by name":
            is_right = isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values())
        else:
            is_right = isinstance(value, str if self.type == "text" else bool)
        if not is_right:
            raise self._wrong(value, f"it must be {SCHEMAS[self.type]['type']}")
        if isinstance(value, Mapping):
            self._check_pairs(value)
        if self.choices and value not in self.choices:
            raise self._wrong(value, f"it may be {', '.join(self.choices)}")
        if isinstance(value, str) and len(value) > MAX_ID.maximum:
            raise self._wrong(value, f"it has more than {MAX_ID.maximum:,} characters")
        return value

    def _check_pairs(self, value: Mapping[str, str]) -> None:
        longest = max((len(text) for pair in value.items() for text in pair), default=0)
        if len(value) > MAX_PAIRS or longest > MAX_PAIR_CHARS:
            raise self._wrong(value, f"at most {MAX_PAIRS} pairs of at most {MAX_PAIR_CHARS} characters")

    def _check_number(self, value: JSON) -> int:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if (
            not isinstance(text, str)
            or not text.isascii()
            or not text.isdigit()
            or len(text) > MAX_NUMBER_DIGITS
        ):
            raise self._wrong(value, "it must be an integer that is not negative")
        number = int(text)
        if number < self.minimum or (self.maximum is not None and number > self.maximum):
            bounds = (
                f"at least {self.minimum:,}"
                if self.maximum is None
                else f"{self.minimum} to {self.maximum:,}"
            )
            raise self._wrong(value, f"it must be {bounds}")
        return number

    def _wrong(self, value: JSON, why: str) -> WrongToolCall:
        return WrongToolCall(f"{self.name}: {shorten_text(repr(value), 80)} cannot be used", why)


SNAPSHOT_PARAMETER = ToolParameter(
    "snapshot",
    "text",
    "Number or tag of the snapshot, as list_snapshots shows it. Without it, the default one.",
)


@dataclass
class ToolRequest:
    """One call of a tool. `archive`: open for this call. `which`: the snapshot that is read where the call
    names none. `arguments`: checked, with defaults; None where a parameter has neither."""

    archive: Archive
    path: Path
    which: str
    arguments: Mapping[str, JSON] = field(default_factory=dict)

    @cached_property
    def snapshot(self) -> SnapshotReader:
        """The snapshot that the call is about. Raises `BadUsage`."""
        return self.snapshot_named(self.arguments.get("snapshot") or self.which)

    def snapshot_named(self, which: str) -> SnapshotReader:
        """A snapshot by number, tag or `latest`. Raises `BadUsage`."""
        return SnapshotReader(self.archive.conn, find_snapshot_named(self.archive.conn, self.path, which))

    def text(self, name: str) -> str:
        """An argument that is a text; '' where it was not given."""
        return str(self.arguments.get(name) or "")

    def number(self, name: str) -> int:
        """An argument that is a number; 0 where it was not given."""
        return int(self.arguments.get(name) or 0)

    def head(self) -> dict[str, JSON]:
        """How an answer from one snapshot begins."""
        info = self.snapshot.info
        return {
            "snapshot": {
                "number": info.id, "estate": f"{info.type} {info.url}", "read_at": info.started_at,
                "state": info.state,
            },
            "note": QUOTED_NOTE,
        }  # fmt: skip

    def room(self, head: Mapping[str, JSON]) -> int:
        """Characters that the rows of an answer may take."""
        return MAX_ANSWER_CHARS - HEAD_CHARS - json_size(head)

    def next_call(self, **changes: JSON) -> dict[str, JSON]:
        """The arguments of the call that continues where this one stopped."""
        given = {name: value for name, value in self.arguments.items() if value is not None}
        return {**given, **changes}

    def rows(
        self, items: Iterable[_T], row_of: Callable[[_T], JSON], head: Mapping[str, JSON]
    ) -> tuple[list[JSON], dict[str, JSON] | None]:
        """The rows of a list behind those that `offset` skips, as many as `limit` allows and as have room
        beside `head`; and the arguments of the call that continues, None at the end."""
        offset = self.number("offset")
        some = islice(items, offset, None)
        filled, more = fill_rows(some, row_of, self.number("limit"), self.room(head))
        return filled, self.next_call(offset=offset + len(filled)) if more else None


@dataclass(frozen=True)
class ArchiveTool:
    """A tool that only reads an archive."""

    name: str
    title: str
    description: str
    parameters: tuple[ToolParameter, ...]
    answer: Callable[[ToolRequest], dict[str, JSON]]

    @property
    def whole_description(self) -> str:
        """What it does, its bounds, and what its answers are not."""
        return f"{self.description} {QUOTED_NOTE}"

    def schema(self) -> dict[str, JSON]:
        """The JSON schema of its arguments."""
        return {
            "type": "object",
            "properties": {parameter.name: parameter.schema() for parameter in self.parameters},
            "required": [parameter.name for parameter in self.parameters if parameter.required],
            "additionalProperties": False,
        }

    def check_arguments(self, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """The arguments of a call, with defaults. Raises `WrongToolCall`."""
        names = ", ".join(parameter.name for parameter in self.parameters) or "none"
        if unknown := [name for name in given if all(name != p.name for p in self.parameters)]:
            what = f"{self.name} has no parameter {shorten_text(repr(unknown[0]), 80)}"
            raise WrongToolCall(what, f"its parameters are: {names}")
        checked: dict[str, JSON] = {}
        for parameter in self.parameters:
            value = given.get(parameter.name)
            if value is None and parameter.required:
                raise WrongToolCall(f"{self.name} needs {parameter.name}", parameter.description)
            checked[parameter.name] = parameter.default if value is None else parameter.check(value)
        return checked


def offset_parameter(what: str) -> ToolParameter:
    """The parameter of a list that is read in pages."""
    return ToolParameter(
        "offset", "number", f"How many {what} to skip. `next` of an answer has it.", default=0
    )


def limit_parameter(what: str, default: int, maximum: int) -> ToolParameter:
    """The parameter with the most rows of an answer."""
    description = (
        f"Maximum number of {what}, up to {maximum}. An answer may have fewer and continues with `next`."
    )
    return ToolParameter("limit", "number", description, default=default, minimum=1, maximum=maximum)
