"""Find values in an object, and find or replace the strings at declared paths of it.

A path is a sequence of keys from the outermost to the innermost. `[]` behind a key means every member of its
list, or the object that is there instead of a list (the `output` of a call is either).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import is_
from typing import NamedTuple

from migrate.model.entity import JSON

# Keys from the outermost to the innermost. Members of lists have no key of their own.
TextPath = tuple[str, ...]


def value_at(value: JSON, *keys: str) -> JSON:
    """The value below these keys, from the outermost to the innermost; None where a key is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def iter_texts(value: JSON, path: TextPath = ()) -> Iterator[tuple[TextPath, str]]:
    """Every text in a value with its path, in order."""
    pending: list[tuple[TextPath, JSON]] = [(path, value)]
    while pending:
        node_path, node = pending.pop()
        if isinstance(node, str):
            yield node_path, node
        elif isinstance(node, Mapping):
            pending += [((*node_path, str(key)), node[key]) for key in reversed(node)]
        elif isinstance(node, list):
            pending += [(node_path, member) for member in reversed(node)]


def replace_texts(value: JSON, replace: Callable[[TextPath, str], str], path: TextPath = ()) -> JSON:
    """The value with each text replaced; the same object where no text changes."""
    if isinstance(value, str):
        new = replace(path, value)
        return value if new == value else new
    if isinstance(value, Mapping):
        changed = {k: replace_texts(v, replace, (*path, str(k))) for k, v in value.items()}
        return value if all(changed[k] is v for k, v in value.items()) else changed
    if isinstance(value, list):
        members = [replace_texts(member, replace, path) for member in value]
        return value if all(a is b for a, b in zip(members, value, strict=True)) else members
    return value


# The label of a path and the old string -> the new string.
ReplaceString = Callable[[str, str], str]


class PathNode(NamedTuple):
    """One key in a tree of paths. `is_list`: each member of a list is meant. `label`: that of the path which
    ends here, or ''. `children`: the keys below it."""

    is_list: bool
    label: str
    children: PathTree


# Several paths as one tree, so that an object is walked once, and only along the paths.
PathTree = Mapping[str, PathNode]


def path_tree(paths: Iterable[tuple[str, str]]) -> PathTree:
    """(path, label) rows as a tree. Raises `ValueError` where a key is a list in one path and not in
    another."""
    return _build_path_tree([(_steps(path), label) for path, label in paths])


def _build_path_tree(paths: Sequence[tuple[PathSteps, str]]) -> PathTree:
    tree: dict[str, PathNode] = {}
    for name in dict.fromkeys(steps[0][0] for steps, _ in paths):
        rows = [(steps, label) for steps, label in paths if steps[0][0] == name]
        (is_list,) = {steps[0][1] for steps, _ in rows}
        label = "".join(label for steps, label in rows if len(steps) == 1)
        children = _build_path_tree([(steps[1:], label) for steps, label in rows if len(steps) > 1])
        tree[name] = PathNode(is_list, label, children)
    return tree


def replace_strings_at(
    fields: Mapping[str, JSON], paths: PathTree, replace: ReplaceString
) -> Mapping[str, JSON]:
    """The fields with the strings at the paths replaced; the same object where no string changes."""
    changed = {}
    for name in paths.keys() & fields.keys():
        new = _replace_at_node(fields[name], paths[name], replace)
        if new is not fields[name]:
            changed[name] = new
    return {**fields, **changed} if changed else fields


def _replace_at_node(value: JSON, node: PathNode, replace: ReplaceString) -> JSON:
    if not node.is_list or isinstance(value, dict):
        return _replace_value(value, node, replace)
    if not isinstance(value, list):
        return value
    members = [_replace_value(member, node, replace) for member in value]
    return value if all(map(is_, members, value)) else members


def _replace_value(value: JSON, node: PathNode, replace: ReplaceString) -> JSON:
    if isinstance(value, dict):
        return replace_strings_at(value, node.children, replace)
    if isinstance(value, str) and node.label:
        new = replace(node.label, value)
        return value if new == value else new
    return value


def strings_at(fields: Mapping[str, JSON], path: str) -> Iterator[str]:
    """The strings at a declared path."""
    return iter(_strings_at(dict(fields), _steps(path)))


# Keys from the outermost to the innermost, and whether every member of a list is meant.
PathSteps = tuple[tuple[str, bool], ...]


@cache
def _steps(path: str) -> PathSteps:
    return tuple((name.removesuffix("[]"), name.endswith("[]")) for name in path.split("."))


def _strings_at(node: JSON, steps: PathSteps, depth: int = 0) -> Sequence[str]:
    if depth == len(steps):
        return (node,) if isinstance(node, str) else ()
    name, is_list = steps[depth]
    child = node.get(name) if isinstance(node, dict) else None
    if child is None:
        return ()
    if not is_list or isinstance(child, dict):
        return _strings_at(child, steps, depth + 1)
    members = child if isinstance(child, list) else ()
    return [text for member in members for text in _strings_at(member, steps, depth + 1)]
