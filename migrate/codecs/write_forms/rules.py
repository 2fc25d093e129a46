"""Small forms, and forms composed of them. A form takes a value and its path, and yields each misfit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from migrate.model import JSON


@dataclass(frozen=True)
class Misfit:
    """A place in a body that a service refuses.

    `unknown`: no API description has this key or word, so only the service can decide whether it is accepted.
    """

    path: str
    reason: str
    unknown: bool = False

    def __str__(self) -> str:
        return f"{self.path or 'it'} {self.reason}"


ValueForm = Callable[[JSON, str], Iterator[Misfit]]


def not_null(value: JSON, at: str) -> Iterator[Misfit]:
    """Any value except null."""
    if value is None:
        yield Misfit(at, "is null")


def free_object(value: JSON, at: str) -> Iterator[Misfit]:
    """An object with any content."""
    if not isinstance(value, Mapping):
        yield Misfit(at, "is no object")


def boolean(value: JSON, at: str) -> Iterator[Misfit]:
    """True or false."""
    if not isinstance(value, bool):
        yield Misfit(at, "is neither true nor false")


def string(most: int | None = None, least: int = 0, pattern: str = "") -> ValueForm:
    """A string of `least` to `most` characters.

    Services were seen to accept more than the documented patterns, so a text that does not match is unknown,
    not wrong.
    """
    regex = re.compile(pattern) if pattern else None

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if not isinstance(value, str):
            yield Misfit(at, "is no text")
        elif len(value) < least:
            yield Misfit(at, "is empty")
        elif most is not None and len(value) > most:
            yield Misfit(at, f"has {len(value):,} characters, the limit is {most:,}")
        elif regex and not regex.fullmatch(value):
            yield Misfit(at, f"is {value!r}, which does not match {pattern}", unknown=True)

    return form


any_text = string()


def number(low: float, high: float, whole: bool = False) -> ValueForm:
    """A number within bounds, both included."""
    kinds = (int,) if whole else (int, float)

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if isinstance(value, bool) or not isinstance(value, kinds):
            yield Misfit(at, "is no whole number" if whole else "is no number")
        elif not low <= value <= high:
            yield Misfit(at, f"is {value}, allowed are {low} to {high}")

    return form


def choice(*values: str) -> ValueForm:
    """One of these words. Services add words, so another word is unknown, not wrong."""

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if not isinstance(value, str):
            yield Misfit(at, "is no text")
        elif value not in values:
            yield Misfit(at, f"is {value!r}, known are {', '.join(values)}", unknown=True)

    return form


def array_of(member: ValueForm, most: int | None = None, least: int = 0) -> ValueForm:
    """A list of `least` to `most` members of one form."""

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if not isinstance(value, list):
            yield Misfit(at, "is no list")
            return
        if len(value) < least:
            yield Misfit(at, "is empty")
        if most is not None and len(value) > most:
            yield Misfit(at, f"has {len(value):,} members, the limit is {most:,}")
        for index, item in enumerate(value):
            yield from member(item, f"{at}[{index}]")

    return form


def object_with(required: str = "", /, **fields: ValueForm) -> ValueForm:
    """An object with these keys; `required` names some of them. Any other key is unknown."""
    required_names = required.split()

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if not isinstance(value, Mapping):
            yield Misfit(at, "is no object")
            return
        prefix = f"{at}." if at else ""
        for name in required_names:
            if name not in value:
                yield Misfit(f"{prefix}{name}", "is missing")
        for name, member in value.items():
            if name in fields:
                yield from fields[name](member, f"{prefix}{name}")
            else:
                yield Misfit(f"{prefix}{name}", "is a key that no description has", unknown=True)

    return form


def complete(**fields: ValueForm) -> ValueForm:
    """An object with exactly these keys."""
    return object_with(" ".join(fields), **fields)


def each(names: str, form: ValueForm) -> dict[str, ValueForm]:
    """The same form for several keys, whose names are separated by blanks."""
    return dict.fromkeys(names.split(), form)


def one_of_types(variants: Mapping[str, ValueForm]) -> ValueForm:
    """An object whose `type` selects the form of its other keys."""

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        type_ = value.get("type") if isinstance(value, Mapping) else None
        path = f"{at}.type".lstrip(".")
        if not isinstance(type_, str):
            yield Misfit(path, "is missing")
        elif type_ not in variants:
            yield Misfit(path, f"is {type_!r}, which no description has", unknown=True)
        else:
            yield from variants[type_]({k: v for k, v in value.items() if k != "type"}, at)

    return form


def any_of(*forms: ValueForm) -> ValueForm:
    """A value of one of several forms; if none fits, the misfits of the nearest form."""

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        nearest: list[Misfit] | None = None
        for candidate in forms:
            misfits = list(candidate(value, at))
            if nearest is None or _distance(misfits) <= _distance(nearest):
                nearest = misfits
            if not misfits:
                break
        yield from nearest or ()

    return form


def _distance(misfits: list[Misfit]) -> tuple[int, int]:
    """How far a value is from a form: known misfits count before unknown ones."""
    return sum(not misfit.unknown for misfit in misfits), len(misfits)


MAX_MAP_PAIRS = 16
MAX_MAP_KEY_CHARS = 64


def string_map(value_form: ValueForm) -> ValueForm:
    """An object used as a table with short keys."""

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if not isinstance(value, Mapping):
            yield Misfit(at, "is no object")
            return
        if len(value) > MAX_MAP_PAIRS:
            yield Misfit(at, f"has {len(value):,} pairs, the limit is {MAX_MAP_PAIRS}")
        for key, member in value.items():
            if len(key) > MAX_MAP_KEY_CHARS:
                yield Misfit(f"{at}.{key}", f"has a key of more than {MAX_MAP_KEY_CHARS} characters")
            yield from value_form(member, f"{at}.{key}")

    return form
