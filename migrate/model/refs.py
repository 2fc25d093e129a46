"""References: find and replace the ids an object names, by declared path only.

A property of a function's schema may be called `file_id` and text may quote one; neither is a
reference, so nothing here ever looks at a key's name or at a value's shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial

from migrate.model.entity import JSON, Entity
from migrate.model.kinds import Kind

Lookup = Callable[[str, str], str | None]
"""Kind and old id -> new id, or None where there is none."""


def refs_of(kind: Kind, entity: Entity) -> Iterator[tuple[str, str, str]]:
    """Every reference of an object: declared path, kind meant, id."""
    fields = dict(entity.fields)
    for ref in kind.refs:
        for found in _values(fields, _steps(ref.path)):
            if not is_template(found):
                yield ref.path, ref.kind, found


def remap(kind: Kind, entity: Entity, lookup: Lookup) -> Entity:
    """The object with every reference replaced; an id without a counterpart stays as it is."""
    start: JSON = dict(entity.fields)
    if not _may_name(start, tuple(ref.path for ref in kind.refs)):
        return entity
    fields = start
    for ref in kind.refs:
        fields = _replaced(fields, _steps(ref.path), partial(_new_or_old, lookup, ref.kind))
    return entity if fields is start else entity.with_fields(**fields)


def _may_name(fields: JSON, paths: tuple[str, ...]) -> bool:
    """Whether any key occurs at which a reference could stand: most messages have none, and need no walk."""
    from pydantic_core import to_json

    try:
        text = to_json(fields)
    except ValueError:  # half of a character pair, or too deep
        return True
    return any(key in text for key in _last_keys(paths))


@cache
def _last_keys(paths: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(f'"{_steps(path)[-1][0]}"'.encode() for path in paths)


def is_template(id_: str) -> bool:
    """Whether the new generation puts something in this place at run time (`{{name}}`, recorded)."""
    return id_.startswith("{{") and id_.endswith("}}")


def values_at(fields: Mapping[str, JSON], path: str) -> Iterator[str]:
    """The strings at a declared path."""
    return iter(_values(dict(fields), _steps(path)))


def replaced_at(fields: Mapping[str, JSON], path: str, swap: Callable[[str], str]) -> JSON:
    """The same fields with the strings at a declared path replaced."""
    return _replaced(dict(fields), _steps(path), swap)


def _new_or_old(lookup: Lookup, kind: str, old: str) -> str:
    return old if is_template(old) else lookup(kind, old) or old


Steps = tuple[tuple[str, bool], ...]
"""Keys from the outside in, and whether each holds a list of which every member is meant."""


@cache
def _steps(path: str) -> Steps:
    return tuple((name.removesuffix("[]"), name.endswith("[]")) for name in path.split("."))


def _values(node: JSON, steps: Steps, at: int = 0) -> Sequence[str]:
    if at == len(steps):
        return (node,) if isinstance(node, str) else ()
    name, many = steps[at]
    child = node.get(name) if isinstance(node, dict) else None
    if child is None:
        return ()
    if not many:
        return _values(child, steps, at + 1)
    if not isinstance(child, list):
        return ()
    return [found for item in child for found in _values(item, steps, at + 1)]


def _replaced(node: JSON, steps: Steps, swap: Callable[[str], str], at: int = 0) -> JSON:
    """The node with the strings at a path swapped; the very same one where nothing changes."""
    if at == len(steps):
        new = swap(node) if isinstance(node, str) else node
        return node if new == node else new
    name, many = steps[at]
    child = node.get(name) if isinstance(node, dict) else None
    if child is None:
        return node
    if not many:
        new = _replaced(child, steps, swap, at + 1)
        return node if new is child else {**node, name: new}
    if not isinstance(child, list):
        return node
    items = [_replaced(item, steps, swap, at + 1) for item in child]
    same = all(new is old for new, old in zip(items, child, strict=True))
    return node if same else {**node, name: items}
