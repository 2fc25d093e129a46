"""Connections of a project: an assistant names one by its short name or by its full resource id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from migrate.model.assistant import CONNECTIONS
from migrate.model.entity import JSON
from migrate.model.json_paths import swapped, tree, values_at

TREE = tree((path, "connection") for path in CONNECTIONS)


def short(connection: str) -> str:
    """The short name: services take both spellings for the same thing (recorded)."""
    return connection.rstrip("/").rpartition("/connections/")[2] or connection


def named_in(fields: Mapping[str, JSON]) -> Iterator[str]:
    """Every connection that an assistant's fields name."""
    for path in CONNECTIONS:
        yield from values_at(fields, path)


def moved_apart(wanted: Mapping[str, JSON], found: Mapping[str, JSON]) -> list[tuple[str, str]]:
    """Connections that are spelled in full on both sides and lie in different projects: (wanted, found)."""
    full = {short(id_): id_ for id_ in named_in(wanted) if id_ != short(id_)}
    there = {short(id_): id_ for id_ in named_in(found) if id_ != short(id_)}
    return [(full[n], there[n]) for n in sorted(full.keys() & there.keys()) if full[n] != there[n]]


def renamed(fields: Mapping[str, JSON], swap: Callable[[str], str]) -> Mapping[str, JSON]:
    """The same fields with every connection replaced."""
    return swapped(fields, TREE, lambda _, old: swap(old))
