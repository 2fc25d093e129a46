"""Tools and formats in the spelling of either generation, or of both: nothing is replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.codecs import CODECS
from migrate.model import Entity
from migrate.model.normalize import normalize_entity
from migrate.model.references import references_of
from tests.codecs import project_answers
from tests.codecs.adaptation import NATIVE, adapted, fit, without
from tests.codecs.foundry_tool_table import NEW_ONLY, TABLE
from tests.codecs.test_foundry_tools import agent, written
from tests.strategies import steady

Json = dict[str, Any]
FUNCTION = {"name": "weigh", "description": "d", "parameters": {"type": "object"}, "strict": True}
SCREEN = {"environment": "browser", "display_width": 1, "display_height": 1}
CONNECTED = {"project_connection_id": "search"}

# The form found in projects, and the form that is written.
RESPELLED: dict[str, tuple[Json, Json]] = {
    "function": ({"type": "function", "function": FUNCTION}, {"type": "function", **FUNCTION}),
    "function with a null beside it": (
        {"type": "function", "function": None, **FUNCTION},
        {"type": "function", **FUNCTION},
    ),
    "file_search": (
        {"type": "file_search", "file_search": {"max_num_results": 3}, "vector_store_ids": ["vs"]},
        {"type": "file_search", "max_num_results": 3, "vector_store_ids": ["vs"]},
    ),
    "file_search with its stores": (
        {"type": "file_search", "file_search": {"vector_store_ids": ["vs"]}},
        {"type": "file_search", "vector_store_ids": ["vs"]},
    ),
    "code_interpreter": (
        {"type": "code_interpreter", "code_interpreter": {"container": {"type": "auto", "file_ids": ["a"]}}},
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["a"]}},
    ),
    "code_interpreter with its files": (
        {"type": "code_interpreter", "code_interpreter": {"file_ids": ["a"]}},
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["a"]}},
    ),
    "mcp": (
        {"type": "mcp", "mcp": {"server_label": "l", "server_url": "https://m", "require_approval": "never"}},
        {"type": "mcp", "server_label": "l", "server_url": "https://m", "require_approval": "never"},
    ),
    "computer_use_preview": (
        {"type": "computer_use_preview", "computer_use_preview": SCREEN},
        {"type": "computer_use_preview", **SCREEN},
    ),
    "openapi": (
        {"type": "openapi", "openapi": None, "name": "n", "spec": {"a": 1}, "auth": {"type": "anonymous"}},
        {"type": "openapi", "openapi": {"name": "n", "spec": {"a": 1}, "auth": {"type": "anonymous"}}},
    ),
}


@pytest.mark.parametrize(("found", "sent"), RESPELLED.values(), ids=RESPELLED.keys())
def test_either_spelling_is_read_and_the_services_own_is_written(found: Json, sent: Json) -> None:
    assert normalize_entity(agent(found)) == normalize_entity(agent(sent))
    assert written(agent(found), NATIVE) == [sent]
    assert fit(agent(found), NATIVE)[1] == fit(agent(sent), NATIVE)[1]


@pytest.mark.parametrize("name", ["weigh", "measure"])
def test_two_nested_functions_are_two_functions(name: str) -> None:
    other = agent({"type": "function", "function": {**FUNCTION, "name": "other"}})
    assert normalize_entity(
        agent({"type": "function", "function": {**FUNCTION, "name": name}})
    ) != normalize_entity(other)


# Tools with both spellings at once, or with one that matches neither.
TWICE: tuple[Json, ...] = (
    {"type": "function", "function": {**FUNCTION, "name": "other"}, **FUNCTION},
    {"type": "function", "function": {**FUNCTION, "colour": 1}},
    {"type": "function", "function": "weigh", **FUNCTION},
    {
        "type": "file_search",
        "vector_store_ids": ["vs"],
        "max_num_results": 1,
        "file_search": {"max_num_results": 2},
    },
    {"type": "code_interpreter", "container": {"type": "auto"}, "code_interpreter": {"container": {}}},
    {"type": "code_interpreter", "container": {"type": "auto", "file_ids": "a"}},
    {"type": "mcp", "server_label": "one", "server_url": "u", "mcp": {"server_label": "two"}},
    {"type": "computer_use_preview", "environment": "a", "computer_use_preview": {"environment": "b"}},
    {
        "type": "bing_grounding",
        "bing_grounding": {
            "search_configurations": [{"connection_id": "old", "project_connection_id": "search"}]
        },
    },
    {
        "type": "bing_custom_search_preview",
        "bing_custom_search_preview": {"search_configurations": [{**CONNECTED, "instance_name": "i"}]},
        "bing_custom_search": {"search_configurations": []},
    },
    {
        "type": "fabric_dataagent_preview",
        "fabric_dataagent_preview": {"project_connections": [CONNECTED], "connections": [{"a": 1}]},
    },
    {"type": "fabric_dataagent_preview", "fabric_dataagent_preview": {"instructions": "i"}},
    {
        "type": "browser_automation_preview",
        "browser_automation_preview": {"connection": {**CONNECTED, "id": "old"}},
    },
    {
        "type": "browser_automation_preview",
        "browser_automation_preview": {"connection": CONNECTED},
        "browser_automation": {"connection": {"id": "x"}},
    },
    {"type": "browser_automation_preview", "browser_automation_preview": {"connection": "x"}},
    {"type": "openapi", "openapi": {"name": "n", "spec": {}, "auth": {}}, "spec": {"b": 2}},
    {
        "type": "azure_ai_search",
        "azure_ai_search": {"indexes": [{**CONNECTED, "index_connection_id": "old"}]},
    },
)


@pytest.mark.parametrize("tool", TWICE, ids=lambda tool: str(sorted(tool)))
def test_no_key_of_a_tool_is_replaced_in_reading(tool: Json) -> None:
    """Any change in it is reported as a difference."""
    given = normalize_entity(agent(tool))
    for other in changed(tool):
        assert normalize_entity(agent(other)) != given, other


def changed(node: Any) -> list[Any]:
    """Yield the value with one text or number changed, once for each of them."""
    if isinstance(node, dict):
        return [{**node, k: new} for k, v in node.items() if k != "type" for new in changed(v)]
    if isinstance(node, list):
        return [[*node[:n], new, *node[n + 1 :]] for n, v in enumerate(node) for new in changed(v)]
    if isinstance(node, str):
        return [f"{node}-changed"]
    return [node + 1] if isinstance(node, int) and not isinstance(node, bool) else []


def test_a_function_that_is_spelled_twice_is_written_flat_and_reported() -> None:
    tool = {"type": "function", "function": {**FUNCTION, "name": "other"}, **FUNCTION}
    assert written(agent(tool), NATIVE) == [{"type": "function", **FUNCTION}]
    assert fit(agent(tool), NATIVE)[1] == [("tools", "lost")]


def test_a_second_search_keeps_its_own_indexes() -> None:
    def searching(*indexes: str) -> Json:
        rows = [{"project_connection_id": "search", "index_name": name} for name in indexes]
        return {"type": "azure_ai_search", "azure_ai_search": {"indexes": rows}}

    one, other = agent(searching("a"), searching("b")), agent(searching("a", "b"), searching())
    assert normalize_entity(one) != normalize_entity(other)
    assert written(one, NATIVE) == [searching("a"), searching("b")]


@pytest.mark.parametrize("nested", [True, False])
def test_a_format_is_read_in_both_spellings(nested: bool) -> None:
    schema = {"name": "n", "schema": {"type": "object"}, "strict": True}
    inner = {"json_schema": schema} if nested else schema
    entity = agent(text={"format": {"type": "json_schema", **inner}})
    assert entity.fields["response_format"] == {"type": "json_schema", "json_schema": schema}
    sent = CODECS["foundry"].create_request(adapted(entity, NATIVE)[0])
    assert sent["definition"]["text"]["format"] == {"type": "json_schema", **schema}


def test_files_of_a_shell_and_a_mask_that_cannot_be_moved_are_reported() -> None:
    shell = {"type": "shell", "environment": {"type": "container_auto", "file_ids": ["file-a", "gone"]}}
    image = {"type": "image_generation", "input_image_mask": {"file_id": "gone"}, "size": "auto"}
    target = without("gone", target=NATIVE)
    assert written(agent(shell, image), target) == [
        {"type": "shell", "environment": {"type": "container_auto", "file_ids": ["file-a"]}},
        {"type": "image_generation", "size": "auto"},
    ]
    assert ("tools", "lost") in fit(agent(shell, image), target)[1]


@pytest.mark.parametrize("file_ids", ["file-a", 7, [1], {"a": 1}])
@pytest.mark.parametrize("kind", ["assistant", "message"])
def test_an_older_list_of_files_that_is_none_is_kept_as_unknown(kind: str, file_ids: Any) -> None:
    body = {"id": "x", "role": "user", "tools": [{"type": "code_interpreter"}], "file_ids": file_ids}
    entity = CODECS["openai"].decode(kind, body, "t", None)[0]
    assert entity.extras["file_ids"] == file_ids
    assert list(references_of(entity)) == []


def test_other_keys_of_a_retrieval_tool_are_kept() -> None:
    body = {"id": "x", "tools": [{"type": "retrieval", "owner": "me"}]}
    assert CODECS["openai"].decode("assistant", body, "", None)[0].fields["tools"] == [
        {"type": "file_search", "owner": "me"}
    ]


# -------------------------------------------------------------------------------------- any two bodies

NEW = [pair.new for pair in TABLE.values()] + list(NEW_ONLY) + list(TWICE)
spellings = st.sampled_from([one for found, sent in RESPELLED.values() for one in (found, sent)])
tools = st.lists(st.sampled_from(NEW) | spellings, max_size=3)


def plain(tool: Json) -> Json:
    """A tool in the spelling that is written."""
    return next((sent for found, sent in RESPELLED.values() if tool == found), tool)


@steady
@given(one=tools, other=tools)
def test_two_bodies_read_as_equals_only_where_they_mean_the_same(one: list[Json], other: list[Json]) -> None:
    def definition(entity: Entity) -> Any:
        names = ("tools", "tool_resources", "definition")
        return [entity.fields.get(name) for name in names], entity.extras

    if definition(agent(*one)) == definition(agent(*other)):
        assert json.dumps([plain(tool) for tool in one]) == json.dumps([plain(tool) for tool in other])


@steady
@given(given_tools=tools)
def test_what_is_written_reads_back_the_same(given_tools: list[Json]) -> None:
    fitted = adapted(agent(*given_tools), NATIVE)[0]
    wire = CODECS["foundry"].create_request(fitted)
    back = CODECS["foundry"].decode("assistant", project_answers.agent(wire), "", None)[0]
    assert normalize_entity(back).get("tools") == normalize_entity(fitted).get("tools")
