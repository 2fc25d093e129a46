"""Strings at declared paths are replaced there and nowhere else; the rest stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.model import KINDS
from migrate.model.json_paths import path_tree, replace_strings_at, strings_at

PATHS = (("a.ids[]", "file"), ("a.id", "store"), ("rows[].deep.id", "file"), ("id", "thread"))
FIELDS: dict[str, Any] = {
    "id": "1",
    "a": {"ids": ["1", "2"], "id": "1", "other": {"id": "1"}},
    "rows": [{"deep": {"id": "1"}, "id": "1"}, {"deep": "1"}, "1", {"deep": {"id": ["1"]}}],
}


def test_each_path_is_swapped_for_what_it_means() -> None:
    assert replace_strings_at(FIELDS, path_tree(PATHS), lambda meaning, old: f"{meaning} {old}") == {
        "id": "thread 1",
        "a": {"ids": ["file 1", "file 2"], "id": "store 1", "other": {"id": "1"}},
        "rows": [{"deep": {"id": "file 1"}, "id": "1"}, {"deep": "1"}, "1", {"deep": {"id": ["1"]}}],
    }


def test_what_does_not_change_is_the_same_object() -> None:
    assert replace_strings_at(FIELDS, path_tree(PATHS), lambda _, old: old) is FIELDS
    changed = replace_strings_at(
        FIELDS, path_tree(PATHS), lambda meaning, old: "new" if meaning == "thread" else old
    )
    assert changed["id"] == "new"
    assert changed["a"] is FIELDS["a"]
    assert changed["rows"] is FIELDS["rows"]


@pytest.mark.parametrize(
    "odd", [None, "1", 1, [], ["1"], {"ids": "1"}, {"ids": {"id": "1"}}, {"ids": [["1"]]}]
)
def test_another_shape_than_declared_is_not_changed(odd: Any) -> None:
    fields = {"a": odd}
    assert replace_strings_at(fields, path_tree(PATHS), lambda meaning, old: "new") is fields


def test_a_key_is_a_list_in_every_path_or_in_none() -> None:
    with pytest.raises(ValueError, match="too many values"):
        path_tree([("a[].id", "file"), ("a.id", "file")])


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_declared_reference_is_found_and_swapped(kind: Any) -> None:
    for ref in kind.refs:
        fields: Any = "old"
        for step in reversed(ref.path.split(".")):
            fields = {step.removesuffix("[]"): [fields] if step.endswith("[]") else fields}
        assert list(strings_at(fields, ref.path)) == ["old"]
        new = replace_strings_at(fields, kind.references, lambda meaning, old: f"{meaning} {old}")
        assert list(strings_at(new, ref.path)) == [f"{ref.kind} old"]
