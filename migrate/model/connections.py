"""Connections of a project: an assistant names one by its short name or by its full resource id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from migrate.model.assistant import CONNECTION_PATHS
from migrate.model.entity import JSON
from migrate.model.json_paths import path_tree, replace_strings_at, strings_at

CONNECTION_PATH_TREE = path_tree((path, "connection") for path in CONNECTION_PATHS)


def short_connection_name(connection: str) -> str:
    """The short name: services take both spellings for the same thing (recorded)."""
    return connection.rstrip("/").rpartition("/connections/")[2] or connection


def connections_in(fields: Mapping[str, JSON]) -> Iterator[str]:
    """Every connection that an assistant's fields name."""
    for path in CONNECTION_PATHS:
        yield from strings_at(fields, path)


def connections_in_other_project(
    wanted: Mapping[str, JSON], found: Mapping[str, JSON]
) -> list[tuple[str, str]]:
    """Connections that are spelled in full on both sides and lie in different projects: (wanted, found)."""
    full = {
        short_connection_name(id_): id_ for id_ in connections_in(wanted) if id_ != short_connection_name(id_)
    }
    there = {
        short_connection_name(id_): id_ for id_ in connections_in(found) if id_ != short_connection_name(id_)
    }
    return [(full[n], there[n]) for n in sorted(full.keys() & there.keys()) if full[n] != there[n]]


def replace_connections(fields: Mapping[str, JSON], swap: Callable[[str], str]) -> Mapping[str, JSON]:
    """The same fields with every connection replaced."""
    return replace_strings_at(fields, CONNECTION_PATH_TREE, lambda _, old: swap(old))
