"""Find the mistakes in files of a config directory, each with its place and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError

from migrate.codecs.config_directory.schema import MODEL_BY_KIND, TOOL_TYPES, Tool
from migrate.errors import BadUsage
from migrate.model import JSON

# How many mistakes an error lists.
MAX_PROBLEMS_SHOWN = 20

# The path of a value in a file: keys, and indexes in lists.
FieldPath = tuple["str | int", ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake. `field` is '' for a mistake of the whole file, `line` is 0 where it is unknown."""

    file: str
    line: int
    field: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.field}: {self.text}" if self.field else f"{where}: {self.text}"


def format_field_path(path: FieldPath) -> str:
    """A path as text: `tools[1].type`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where a known word is similar, else ''."""
    matches = get_close_matches(word[:200], list(known), 1)
    return f"; did you mean {matches[0]}?" if matches else ""


def raise_for_problems(problems: Iterable[Problem], folder: str) -> None:
    """Raise `BadUsage` with the mistakes, if there are any."""
    lines = [str(problem) for problem in sorted(set(problems))]
    if not lines:
        return
    if len(lines) == 1:
        raise BadUsage(lines[0], todo=f"fix the file; the keys are in {folder}/schema and the documentation")
    more = [f"and {len(lines) - MAX_PROBLEMS_SHOWN:,} more"] if len(lines) > MAX_PROBLEMS_SHOWN else []
    raise BadUsage(
        f"{len(lines):,} mistakes in {folder}",
        "\n    ".join(["", *lines[:MAX_PROBLEMS_SHOWN], *more]).lstrip(" "),
        "fix the files; the keys are in their schema folder and in the documentation",
    )


# How much of a wrong value a message quotes.
MAX_VALUE_CHARS_SHOWN = 60


def find_mistakes(kind: str, value: Mapping[str, JSON]) -> list[tuple[FieldPath, str]]:
    """The path and the text of each mistake in an object. Fields in its `unchecked` are not checked."""
    form = MODEL_BY_KIND[kind]
    unchecked = texts_in(value.get("unchecked"))
    places, checked = _without_unchecked_tools(value)
    mistakes: list[tuple[FieldPath, str]] = []
    try:
        form.model_validate(checked)
    except ValidationError as errors:
        for error in errors.errors(include_url=False):
            path = _path(error["loc"], checked)
            if path[:1] and path[0] in unchecked and path[0] not in ("unchecked", "id"):
                continue
            if path[:1] == ("tools",) and len(path) > 1:
                path = ("tools", places[int(path[1])], *path[2:])
            mistakes.append((path, _mistake_text(error, form, path)))
    unknown = [name for name in unchecked if name not in form.model_fields]
    mistakes += [(("unchecked",), f"{_quoted(name)} is no field here") for name in unknown]
    return list(dict.fromkeys(mistakes))


def unchecked_fields(kind: str, value: Mapping[str, JSON]) -> tuple[list[str], list[str]]:
    """The fields and the types of tools that an export must mark as unchecked."""
    tools = value.get("tools") if kind == "assistant" else None
    types = {t["type"] for t in tools or [] if isinstance(t, Mapping) and isinstance(t.get("type"), str)}
    unknown = sorted(types - set(TOOL_TYPES))
    marked = {**value, "unchecked_tools": unknown} if unknown else value
    return sorted({str(path[0]) for path, _ in find_mistakes(kind, marked) if path}), unknown


def _without_unchecked_tools(value: Mapping[str, JSON]) -> tuple[list[int], dict[str, JSON]]:
    """The indexes of the tools that are checked, and the object with only these tools."""
    tools, types = value.get("tools"), texts_in(value.get("unchecked_tools"))
    if not isinstance(tools, list):
        return [], dict(value)
    kept = [
        (place, tool)
        for place, tool in enumerate(tools)
        if not (isinstance(tool, Mapping) and isinstance(tool.get("type"), str) and tool["type"] in types)
    ]
    return [place for place, _ in kept], {**value, "tools": [tool for _, tool in kept]}


def texts_in(value: JSON) -> list[str]:
    """The strings in a list; none where the value is no list."""
    return [member for member in value if isinstance(member, str)] if isinstance(value, list) else []


def _path(loc: tuple[int | str, ...], value: JSON) -> FieldPath:
    """The path in the file. Pydantic's own path also has the names of the models that it tried."""
    steps: list[str | int] = []
    for step in loc:
        last = step == loc[-1]
        inside = isinstance(value, Mapping) and step in value
        place = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if inside or place:
            value = value[step]
        elif not (last and isinstance(value, Mapping) and isinstance(step, str)) or step == "[key]":
            continue
        steps.append(step)
    return tuple(steps)


def _mistake_text(error: Any, form: Any, path: FieldPath) -> str:
    """The text of the mistake, from pydantic's error."""
    rule = ERROR_TEXTS.get(error["type"])
    return rule(error, _known_keys(form, path)) if rule else str(error["msg"]).lower()


def _known_keys(form: Any, path: FieldPath) -> list[str]:
    """The keys that are allowed at the last step of a path."""
    for step in path[:-1]:
        inner = form.model_fields.get(step) if hasattr(form, "model_fields") else None
        form = next(_models(inner.annotation), form) if inner else form
    return list(getattr(form, "model_fields", {}))


def _models(annotation: Any) -> Iterator[Any]:
    if hasattr(annotation, "model_fields"):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _quoted(value: JSON) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_VALUE_CHARS_SHOWN else f"{text[:MAX_VALUE_CHARS_SHOWN]}..."


def _extra(error: Any, known: Iterable[str]) -> str:
    name = str(error["loc"][-1])
    names = sorted(known)
    return f"is no key here; allowed: {', '.join(names)}{suggestion(name, names)}"


def _literal(error: Any, _: Iterable[str]) -> str:
    given = error["input"]
    tools = get_args(Tool.model_fields["type"].annotation)
    allowed = list(tools) if error["loc"][-1] == "type" and "tools" in error["loc"] else None
    names = ", ".join(allowed) if allowed else str(error["ctx"]["expected"]).replace("'", "")
    close = suggestion(
        str(given), allowed or [word.strip() for word in names.replace(" or ", ",").split(",")]
    )
    return f"{_quoted(given)} is not known; allowed: {names}{close}"


def _type_label(value: JSON) -> str:
    labels = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return labels.get(type(value), "a number")


def _type(required: str) -> Callable[[Any, Iterable[str]], str]:
    def rule(error: Any, _: Iterable[str]) -> str:
        given = error["input"]
        quotes = (
            "; write it in quotes" if required == "a text" and not isinstance(given, (dict, list)) else ""
        )
        return f"must be {required}, and is {_type_label(given)}{quotes if given is not None else ''}"

    return rule


def _limit(words: str) -> Callable[[Any, Iterable[str]], str]:
    def rule(error: Any, _: Iterable[str]) -> str:
        given, ctx = error["input"], error.get("ctx", {})
        size = f"{len(given):,}" if hasattr(given, "__len__") else _quoted(given)
        return words.format(size=size, **ctx)

    return rule


# Type of pydantic's error -> the text of the mistake.
ERROR_TEXTS: Mapping[str, Callable[[Any, Iterable[str]], str]] = {
    "missing": lambda error, _: "is missing",
    "extra_forbidden": _extra,
    "literal_error": _literal,
    "string_type": _type("a text"),
    "dict_type": _type("a mapping"),
    "model_type": _type("a mapping"),
    "list_type": _type("a list"),
    "bool_type": _type("true or false"),
    "int_type": _type("a whole number"),
    "float_type": _type("a number"),
    "string_too_long": _limit("{size} characters, allowed are {max_length}"),
    "string_too_short": _limit("must not be empty"),
    "too_long": _limit("{size} entries, allowed are {max_length}"),
    "greater_than_equal": _limit("{size} is too small, the least is {ge}"),
    "less_than_equal": _limit("{size} is too large, the most is {le}"),
    "string_pattern_mismatch": lambda error, _: "must be 64 hex digits in lower case",
}
