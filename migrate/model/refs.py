"""References: find and replace the ids an object names, by declared path only.

A property of a function's schema may be called `file_id` and text may quote one; neither is a
reference, so nothing here ever looks at a key's name or at a value's shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from migrate.model.entity import JSON, Entity
from migrate.model.kinds import Kind

Lookup = Callable[[str, str], str | None]
"""Kind and old id -> new id, or None where there is none."""


def refs_of(kind: Kind, entity: Entity) -> Iterator[tuple[str, str, str]]:
    """Every reference of an object: declared path, kind meant, id."""
    for ref in kind.refs:
        for found in _values(dict(entity.fields), ref.path.split(".")):
            if not is_template(found):
                yield ref.path, ref.kind, found


def remap(kind: Kind, entity: Entity, lookup: Lookup) -> Entity:
    """The object with every reference replaced; an id without a counterpart stays as it is."""
    start: JSON = dict(entity.fields)
    fields = start
    for ref in kind.refs:
        fields = _replaced(fields, ref.path.split("."), partial(_new_or_old, lookup, ref.kind))
    return entity if fields is start else entity.with_fields(**fields)


def is_template(id_: str) -> bool:
    """Whether the new generation puts something in this place at run time (`{{name}}`, recorded)."""
    return id_.startswith("{{") and id_.endswith("}}")


def values_at(fields: JSON, path: str) -> Iterator[str]:
    """The strings at a declared path."""
    return _values(dict(fields), path.split("."))


def replaced_at(fields: JSON, path: str, swap: Callable[[str], str]) -> JSON:
    """The same fields with the strings at a declared path replaced."""
    return _replaced(dict(fields), path.split("."), swap)


def _new_or_old(lookup: Lookup, kind: str, old: str) -> str:
    return old if is_template(old) else lookup(kind, old) or old


def _values(node: JSON, path: list[str]) -> Iterator[str]:
    if not path:
        if isinstance(node, str):
            yield node
        return
    name, rest = path[0], path[1:]
    child = node.get(name.removesuffix("[]")) if isinstance(node, dict) else None
    if name.endswith("[]"):
        for item in child if isinstance(child, list) else []:
            yield from _values(item, rest)
    elif child is not None:
        yield from _values(child, rest)


def _replaced(node: JSON, path: list[str], swap: Callable[[str], str]) -> JSON:
    """The node with the strings at a path swapped; the very same one where nothing changes."""
    if not path:
        new = swap(node) if isinstance(node, str) else node
        return node if new == node else new
    name, rest = path[0].removesuffix("[]"), path[1:]
    if not isinstance(node, dict) or node.get(name) is None:
        return node
    child = node[name]
    if path[0].endswith("[]"):
        if not isinstance(child, list):
            return node
        items = [_replaced(item, rest, swap) for item in child]
        same = all(new is old for new, old in zip(items, child, strict=True))
        return node if same else {**node, name: items}
    new = _replaced(child, rest, swap)
    return node if new is child else {**node, name: new}
