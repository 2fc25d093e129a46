"""Every text in an object, however deep, with where it stands; and the same object with texts replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from migrate.model.entity import JSON

Place = tuple[str, ...]
"""Keys from the outside in; members of lists have none of their own."""


def texts_in(value: JSON, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text in a value, in order."""
    waiting: list[tuple[Place, JSON]] = [(place, value)]
    while waiting:
        at, node = waiting.pop()
        if isinstance(node, str):
            yield at, node
        elif isinstance(node, Mapping):
            waiting += [((*at, str(key)), node[key]) for key in reversed(node)]
        elif isinstance(node, list):
            waiting += [(at, member) for member in reversed(node)]


def with_texts(value: JSON, change: Callable[[Place, str], str], place: Place = ()) -> JSON:
    """The same value with each text replaced; the very same one where none changes."""
    if isinstance(value, str):
        new = change(place, value)
        return value if new == value else new
    if isinstance(value, Mapping):
        changed = {k: with_texts(v, change, (*place, str(k))) for k, v in value.items()}
        return value if all(changed[k] is v for k, v in value.items()) else changed
    if isinstance(value, list):
        members = [with_texts(member, change, place) for member in value]
        return value if all(a is b for a, b in zip(members, value, strict=True)) else members
    return value
