"""A value and the form it should have in; every mistake out, in words, with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from migrate.codecs.config_directory.schema import MODEL_BY_KIND, TOOL_TYPES, Tool
from migrate.errors import BadUsage
from migrate.model import JSON

# Mistakes that an error names; the others are counted.
MAX_PROBLEMS_SHOWN = 20

# Where something stands in a file: keys and places.
FieldPath = tuple["str | int", ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake. `field` is '' where it is about the whole file."""

    file: str
    line: int
    field: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.field}: {self.text}" if self.field else f"{where}: {self.text}"


def format_field_path(path: FieldPath) -> str:
    """A path as people write it: `tools[1].type`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where something known is close, else ''."""
    found = get_close_matches(word[:200], list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def raise_for_problems(problems: Iterable[Problem], folder: str) -> None:
    """Raises `BadUsage` that names the mistakes."""
    found = sorted(set(problems))
    if not found:
        return
    lines = [str(problem) for problem in found]
    if len(lines) == 1:
        raise BadUsage(lines[0], todo=f"fix the file; the keys are in {folder}/schema and the documentation")
    more = [f"and {len(lines) - MAX_PROBLEMS_SHOWN:,} more"] if len(lines) > MAX_PROBLEMS_SHOWN else []
    raise BadUsage(
        f"{len(lines):,} mistakes in {folder}",
        "\n    ".join(["", *lines[:MAX_PROBLEMS_SHOWN], *more]).lstrip(" "),
        "fix the files; the keys are in their schema folder and in the documentation",
    )


# Characters of a wrong value that are shown.
MAX_VALUE_CHARS_SHOWN = 60


def find_mistakes(kind: str, value: Mapping[str, JSON]) -> list[tuple[FieldPath, str]]:
    """Where an object is not of its form, and why. What it says is unchecked is not looked at."""
    from pydantic import ValidationError

    form = MODEL_BY_KIND[kind]
    loose = _texts(value.get("unchecked"))
    places, checked = _without_unchecked_tools(value)
    found: list[tuple[FieldPath, str]] = []
    try:
        form.model_validate(checked)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            path = _path(one["loc"], checked)
            if path[:1] and path[0] in loose and path[0] not in ("unchecked", "id"):
                continue
            if path[:1] == ("tools",) and len(path) > 1:
                path = ("tools", places[int(path[1])], *path[2:])
            found.append((path, _mistake_text(one, form, path)))
    unknown = [name for name in loose if name not in form.model_fields]
    found += [(("unchecked",), f"{_shown(name)} is no field here") for name in unknown]
    return list(dict.fromkeys(found))


def unchecked_fields(kind: str, value: Mapping[str, JSON]) -> tuple[list[str], list[str]]:
    """What an export must say is unchecked, so that what a service holds can be read back: fields, and
    types of tools."""

    tools = value.get("tools") if kind == "assistant" else None
    types = {t["type"] for t in tools or [] if isinstance(t, Mapping) and isinstance(t.get("type"), str)}
    odd = sorted(types - set(TOOL_TYPES))
    given = {**value, "unchecked_tools": odd} if odd else value
    return sorted({str(path[0]) for path, _ in find_mistakes(kind, given) if path}), odd


def _without_unchecked_tools(value: Mapping[str, JSON]) -> tuple[list[int], dict[str, JSON]]:
    """The object without tools of types that it says are unchecked, and the places of those that stay."""
    tools, types = value.get("tools"), _texts(value.get("unchecked_tools"))
    if not isinstance(tools, list):
        return [], dict(value)
    kept = [
        (place, tool)
        for place, tool in enumerate(tools)
        if not (isinstance(tool, Mapping) and isinstance(tool.get("type"), str) and tool["type"] in types)
    ]
    return [place for place, _ in kept], {**value, "tools": [tool for _, tool in kept]}


def _texts(value: JSON) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _path(loc: tuple[int | str, ...], value: JSON) -> FieldPath:
    """Where it stands in the file: pydantic also names the form it tried."""
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
    """The mistake in words."""
    rule = ERROR_TEXTS.get(error["type"])
    return rule(error, _known_keys(form, path)) if rule else str(error["msg"]).lower()


def _known_keys(form: Any, path: FieldPath) -> list[str]:
    """The keys that are known beside the last step of a path."""
    for step in path[:-1]:
        inner = form.model_fields.get(step) if hasattr(form, "model_fields") else None
        found = list(_models(inner.annotation)) if inner else []
        form = found[0] if found else form
    return list(getattr(form, "model_fields", {}))


def _models(annotation: Any) -> Iterator[Any]:
    if hasattr(annotation, "model_fields"):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _shown(value: JSON) -> str:
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
    return f"{_shown(given)} is not known; allowed: {names}{close}"


def _kind_of(value: JSON) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def _type(wanted: str) -> Callable[[Any, Iterable[str]], str]:
    def rule(error: Any, _: Iterable[str]) -> str:
        given = error["input"]
        quotes = "; write it in quotes" if wanted == "a text" and not isinstance(given, (dict, list)) else ""
        return f"must be {wanted}, and is {_kind_of(given)}{quotes if given is not None else ''}"

    return rule


def _limit(words: str) -> Callable[[Any, Iterable[str]], str]:
    def rule(error: Any, _: Iterable[str]) -> str:
        given, ctx = error["input"], error.get("ctx", {})
        size = f"{len(given):,}" if hasattr(given, "__len__") else _shown(given)
        return words.format(size=size, **ctx)

    return rule


# Pydantic's kind of mistake -> our words.
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
