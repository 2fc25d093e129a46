"""Declared paths into an object: the strings that stand there, found or swapped.

A path is keys from the outside in; `[]` behind one means every member of its list, or the one object that
stands in the place of a list (the `output` of a call is either).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import is_
from typing import NamedTuple

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


Swap = Callable[[str, str], str]
"""What a path is for, and the old string -> the new one."""


class Branch(NamedTuple):
    """What declared paths want of one key: whether of each member of a list, what the string there is for
    ('' where it is no end of a path), and what lies below."""

    many: bool
    meaning: str
    below: Tree


Tree = Mapping[str, Branch]
"""Several paths as one, so that an object is walked once, and only where one of them goes."""


def tree(paths: Iterable[tuple[str, str]]) -> Tree:
    """Paths, each with what it is for, as a tree. Raises `ValueError` where one takes for a list what
    another does not."""
    steps = [(_steps(path), meaning) for path, meaning in paths]
    return _tree(steps)


def _tree(paths: Sequence[tuple[Steps, str]]) -> Tree:
    grown: dict[str, Branch] = {}
    for name in dict.fromkeys(steps[0][0] for steps, _ in paths):
        mine = [(steps, meaning) for steps, meaning in paths if steps[0][0] == name]
        (many,) = {steps[0][1] for steps, _ in mine}
        meaning = "".join(meaning for steps, meaning in mine if len(steps) == 1)
        grown[name] = Branch(many, meaning, _tree([(steps[1:], m) for steps, m in mine if len(steps) > 1]))
    return grown


def swapped(fields: Mapping[str, JSON], paths: Tree, swap: Swap) -> Mapping[str, JSON]:
    """The same fields with the strings at the paths swapped; the very same ones where none changes."""
    changed = {}
    for name in paths.keys() & fields.keys():
        new = _below(fields[name], paths[name], swap)
        if new is not fields[name]:
            changed[name] = new
    return {**fields, **changed} if changed else fields


def _below(value: JSON, branch: Branch, swap: Swap) -> JSON:
    if not branch.many:
        return _one(value, branch, swap)
    if not isinstance(value, list):
        return _one(value, branch, swap) if isinstance(value, dict) else value
    members = [_one(member, branch, swap) for member in value]
    return value if all(map(is_, members, value)) else members


def _one(value: JSON, branch: Branch, swap: Swap) -> JSON:
    if isinstance(value, dict):
        return swapped(value, branch.below, swap)
    if isinstance(value, str) and branch.meaning:
        new = swap(branch.meaning, value)
        return value if new == value else new
    return value


def values_at(fields: Mapping[str, JSON], path: str) -> Iterator[str]:
    """The strings at a declared path."""
    return iter(_values(dict(fields), _steps(path)))


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
        return _values(child, steps, at + 1) if isinstance(child, dict) else ()
    return [found for item in child for found in _values(item, steps, at + 1)]
