"""Small forms, and forms made of them. A form is given a value and its path, and yields what does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from migrate.model import JSON


@dataclass(frozen=True)
class Misfit:
    """A place in a body that a service refuses. `unknown`: a key or a word that no description has, so that
    only the service can say."""

    path: str
    reason: str
    unknown: bool = False

    def __str__(self) -> str:
        return f"{self.path or 'it'} {self.reason}"


ValueForm = Callable[[JSON, str], Iterator[Misfit]]


def not_null(value: JSON, at: str) -> Iterator[Misfit]:
    """Whatever is not null."""
    if value is None:
        yield Misfit(at, "is null")


def free_object(value: JSON, at: str) -> Iterator[Misfit]:
    """An object that its owner fills."""
    if not isinstance(value, Mapping):
        yield Misfit(at, "is no object")


def boolean(value: JSON, at: str) -> Iterator[Misfit]:
    if not isinstance(value, bool):
        yield Misfit(at, "is neither true nor false")


def string(most: int | None = None, least: int = 0, pattern: str = "") -> ValueForm:
    """A string of `least` to `most` characters. Patterns stand in documents, and services were seen to take
    more than those say: a text of another pattern is unknown, not wrong."""
    shape = re.compile(pattern) if pattern else None

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if not isinstance(value, str):
            yield Misfit(at, "is no text")
        elif len(value) < least:
            yield Misfit(at, "is empty")
        elif most is not None and len(value) > most:
            yield Misfit(at, f"has {len(value):,} characters, the limit is {most:,}")
        elif shape and not shape.fullmatch(value):
            yield Misfit(at, f"is {value!r}, which does not match {pattern}", unknown=True)

    return form


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
    """One of these words. Lists of words grow, so that another word is unknown, not wrong."""

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
        for place, one in enumerate(value):
            yield from member(one, f"{at}[{place}]")

    return form


def object_with(required: str = "", /, **fields: ValueForm) -> ValueForm:
    """An object with these keys; `required` names some of them. Any other key is unknown."""
    needed = required.split()

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if not isinstance(value, Mapping):
            yield Misfit(at, "is no object")
            return
        inside = f"{at}." if at else ""
        for name in needed:
            if name not in value:
                yield Misfit(f"{inside}{name}", "is missing")
        for name, one in value.items():
            if name in fields:
                yield from fields[name](one, f"{inside}{name}")
            else:
                yield Misfit(f"{inside}{name}", "is a key that no description has", unknown=True)

    return form


def one_of_types(variants: Mapping[str, ValueForm]) -> ValueForm:
    """An object whose `type` says which form the rest of it has."""

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        type_ = value.get("type") if isinstance(value, Mapping) else None
        if not isinstance(type_, str):
            yield Misfit(f"{at}.type".lstrip("."), "is missing")
        elif type_ not in variants:
            yield Misfit(f"{at}.type".lstrip("."), f"is {type_!r}, which no description has", unknown=True)
        else:
            yield from variants[type_]({k: v for k, v in value.items() if k != "type"}, at)

    return form


def any_of(*forms: ValueForm) -> ValueForm:
    """A value of one of several forms; else what is wrong is told of the one that it fits best."""

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        best: list[Misfit] | None = None
        for one in forms:
            found = list(one(value, at))
            if best is None or _wrong(found) <= _wrong(best):
                best = found
            if not found:
                break
        yield from best or ()

    return form


def _wrong(misfits: list[Misfit]) -> tuple[int, int]:
    """How far from a form a value is: certain misfits count before unknown ones."""
    return sum(not one.unknown for one in misfits), len(misfits)


def string_map(value_form: ValueForm, most: int = 16, key_max: int = 64) -> ValueForm:
    """An object used as a table with short keys."""

    def form(value: JSON, at: str) -> Iterator[Misfit]:
        if not isinstance(value, Mapping):
            yield Misfit(at, "is no object")
            return
        if len(value) > most:
            yield Misfit(at, f"has {len(value):,} pairs, the limit is {most}")
        for key, one in value.items():
            if len(key) > key_max:
                yield Misfit(f"{at}.{key}", f"has a key of more than {key_max} characters")
            yield from value_form(one, f"{at}.{key}")

    return form
