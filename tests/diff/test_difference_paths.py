"""Paths of differences identify the changed value, whatever the values are."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.model.object_diff import diff_objects, json_equal


def changed_paths(left: Any, right: Any) -> list[tuple[str, Any, Any]]:
    return [(path.path, path.left, path.right) for path in diff_objects(left, right)]


def test_equal_forms_differ_nowhere() -> None:
    assert changed_paths({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]}) == []


def test_true_is_not_one() -> None:
    assert changed_paths({"attributes": {"n": 1}}, {"attributes": {"n": True}}) == [("attributes.n", 1, True)]
    assert not json_equal([0], [False])
    assert json_equal({"a": [1]}, {"a": [1.0]})


def test_entries_of_metadata_are_reported_one_by_one() -> None:
    found = changed_paths({"metadata": {"a": "1", "odd key": "2"}}, {})
    assert found == [("metadata.a", "1", None), ('metadata["odd key"]', "2", None)]


@pytest.mark.parametrize("key", ["a.b", "a[0]", 'quo"te', "", "new\nline", "[x", "\ud800"])
def test_an_odd_key_is_one_step(key: str) -> None:
    (path,) = diff_objects({"metadata": {key: 1}}, {"metadata": {}})
    assert path.steps == ("metadata", key)
    assert path.field == "metadata"


def test_a_tool_is_named_by_what_it_is() -> None:
    def function(name: str, text: str) -> dict[str, Any]:
        return {"type": "function", "function": {"name": name, "description": text}}

    left = {"tools": [function("a", "x"), function("b", "y"), {"type": "code_interpreter"}]}
    right = {"tools": [{"type": "code_interpreter"}, function("b", "z"), function("c", "x")]}
    assert changed_paths(left, right) == [
        ("tools[function:a].function.name", "a", "c"),
        ("tools[function:b].function.description", "y", "z"),
    ]


def test_tools_of_one_name_are_distinguished_by_number() -> None:
    one, two = ({"type": "mcp", "server_label": "s", "n": n} for n in (1, 2))
    assert changed_paths({"tools": []}, {"tools": [one, two]}) == [
        ("tools[mcp:s]", None, one),
        ("tools[mcp:s#2]", None, two),
    ]


def test_what_a_bag_holds_twice_counts_twice() -> None:
    assert changed_paths({"tools": [{"type": "x"}] * 2}, {"tools": [{"type": "x"}]}) == [
        ("tools[x]", {"type": "x"}, None)
    ]


def test_ids_in_resources_come_and_go_one_by_one() -> None:
    left = {"tool_resources": {"code_interpreter": {"file_ids": ["f1", "f2"]}}}
    right = {"tool_resources": {"file_search": {"vector_store_ids": ["v1"]}}}
    assert changed_paths(left, right) == [
        ("tool_resources.code_interpreter.file_ids[f1]", "f1", None),
        ("tool_resources.code_interpreter.file_ids[f2]", "f2", None),
        ("tool_resources.file_search.vector_store_ids[v1]", None, "v1"),
    ]


def test_a_format_of_another_type_is_one_difference() -> None:
    left, right = {"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "n"}}
    assert changed_paths({"response_format": left}, {"response_format": right}) == [
        ("response_format", left, right)
    ]
    other = {"type": "json_schema", "json_schema": {"name": "m"}}
    assert changed_paths({"response_format": right}, {"response_format": other}) == [
        ("response_format.json_schema.name", "n", "m")
    ]


def test_a_part_in_the_middle_of_a_message() -> None:
    def part(value: str) -> dict[str, Any]:
        return {"type": "text", "text": {"value": value}}

    found = changed_paths({"content": [part("a"), part("b")]}, {"content": [part("a"), part("c")]})
    assert found == [("content[1].text.value", "b", "c")]


@pytest.mark.slow
def test_many_members_are_matched_in_no_time_that_grows_with_their_square() -> None:
    ids = [f"file-{n}" for n in range(20_000)]
    left = {"tool_resources": {"code_interpreter": {"file_ids": ids}}}
    right = {"tool_resources": {"code_interpreter": {"file_ids": [f"new-{id_}" for id_ in ids]}}}
    assert len(diff_objects(left, right)) == 2 * len(ids)


def test_a_key_with_underscores_differs_like_any_other() -> None:
    one, other = ({"content": [{"type": "card", "a": n, "__b": n}]} for n in (1, 2))
    assert [path for path, *_ in changed_paths(one, other)] == ["content[0].__b", "content[0].a"]
