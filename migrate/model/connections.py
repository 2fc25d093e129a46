"""Connections of a project: an assistant names one by its short name or by its full resource id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from migrate.model.assistant import CONNECTIONS
from migrate.model.entity import JSON
from migrate.model.refs import replaced_at, values_at


def short(connection: str) -> str:
    """The short name: services take both spellings for the same thing (recorded)."""
    return connection.rstrip("/").rpartition("/connections/")[2] or connection


def named_in(fields: Mapping[str, JSON]) -> Iterator[str]:
    """Every connection that an assistant's fields name."""
    for path in CONNECTIONS:
        yield from values_at(fields, path)


def renamed(fields: Mapping[str, JSON], swap: Callable[[str], str]) -> Mapping[str, JSON]:
    """The same fields with every connection replaced."""
    for path in CONNECTIONS:
        fields = replaced_at(fields, path, swap)
    return fields
