"""Find or replace the strings at declared paths of an object.

A path is keys from the outside in; `[]` behind one means every member of its list, or the one object that
stands in the place of a list (the `output` of a call is either).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import is_
from typing import NamedTuple

from migrate.model.entity import JSON

# Keys from the outside in; members of lists have none of their own.
TextPath = tuple[str, ...]


def iter_texts(value: JSON, place: TextPath = ()) -> Iterator[tuple[TextPath, str]]:
    """Every text in a value, in order."""
    waiting: list[tuple[TextPath, JSON]] = [(place, value)]
    while waiting:
        at, node = waiting.pop()
        if isinstance(node, str):
            yield at, node
        elif isinstance(node, Mapping):
            waiting += [((*at, str(key)), node[key]) for key in reversed(node)]
        elif isinstance(node, list):
            waiting += [(at, member) for member in reversed(node)]


def replace_texts(value: JSON, change: Callable[[TextPath, str], str], place: TextPath = ()) -> JSON:
    """The same value with each text replaced; the very same one where none changes."""
    if isinstance(value, str):
        new = change(place, value)
        return value if new == value else new
    if isinstance(value, Mapping):
        changed = {k: replace_texts(v, change, (*place, str(k))) for k, v in value.items()}
        return value if all(changed[k] is v for k, v in value.items()) else changed
    if isinstance(value, list):
        members = [replace_texts(member, change, place) for member in value]
        return value if all(a is b for a, b in zip(members, value, strict=True)) else members
    return value


# What a path is for, and the old string -> the new one.
ReplaceString = Callable[[str, str], str]


class PathNode(NamedTuple):
    """What declared paths want of one key: whether of each member of a list, what the string there is for
    ('' where it is no end of a path), and what lies below."""

    many: bool
    meaning: str
    below: PathTree


# Several paths as one, so that an object is walked once, and only where one of them goes.
PathTree = Mapping[str, PathNode]


def path_tree(paths: Iterable[tuple[str, str]]) -> PathTree:
    """Paths, each with what it is for, as a tree. Raises `ValueError` where one takes for a list what
    another does not."""
    steps = [(_steps(path), meaning) for path, meaning in paths]
    return _build_path_tree(steps)


def _build_path_tree(paths: Sequence[tuple[PathSteps, str]]) -> PathTree:
    grown: dict[str, PathNode] = {}
    for name in dict.fromkeys(steps[0][0] for steps, _ in paths):
        mine = [(steps, meaning) for steps, meaning in paths if steps[0][0] == name]
        (many,) = {steps[0][1] for steps, _ in mine}
        meaning = "".join(meaning for steps, meaning in mine if len(steps) == 1)
        grown[name] = PathNode(
            many, meaning, _build_path_tree([(steps[1:], m) for steps, m in mine if len(steps) > 1])
        )
    return grown


def replace_strings_at(
    fields: Mapping[str, JSON], paths: PathTree, swap: ReplaceString
) -> Mapping[str, JSON]:
    """The same fields with the strings at the paths swapped; the very same ones where none changes."""
    changed = {}
    for name in paths.keys() & fields.keys():
        new = _replace_at_node(fields[name], paths[name], swap)
        if new is not fields[name]:
            changed[name] = new
    return {**fields, **changed} if changed else fields


def _replace_at_node(value: JSON, branch: PathNode, swap: ReplaceString) -> JSON:
    if not branch.many:
        return _replace_value(value, branch, swap)
    if not isinstance(value, list):
        return _replace_value(value, branch, swap) if isinstance(value, dict) else value
    members = [_replace_value(member, branch, swap) for member in value]
    return value if all(map(is_, members, value)) else members


def _replace_value(value: JSON, branch: PathNode, swap: ReplaceString) -> JSON:
    if isinstance(value, dict):
        return replace_strings_at(value, branch.below, swap)
    if isinstance(value, str) and branch.meaning:
        new = swap(branch.meaning, value)
        return value if new == value else new
    return value


def strings_at(fields: Mapping[str, JSON], path: str) -> Iterator[str]:
    """The strings at a declared path."""
    return iter(_strings_at(dict(fields), _steps(path)))


# Keys from the outside in, and whether each holds a list of which every member is meant.
PathSteps = tuple[tuple[str, bool], ...]


@cache
def _steps(path: str) -> PathSteps:
    return tuple((name.removesuffix("[]"), name.endswith("[]")) for name in path.split("."))


def _strings_at(node: JSON, steps: PathSteps, at: int = 0) -> Sequence[str]:
    if at == len(steps):
        return (node,) if isinstance(node, str) else ()
    name, many = steps[at]
    child = node.get(name) if isinstance(node, dict) else None
    if child is None:
        return ()
    if not many:
        return _strings_at(child, steps, at + 1)
    if not isinstance(child, list):
        return _strings_at(child, steps, at + 1) if isinstance(child, dict) else ()
    return [found for item in child for found in _strings_at(item, steps, at + 1)]
