"""Connections of a project: mapped by the config file, matched by short name, or blocked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.codecs import CODECS
from migrate.model import Entity
from migrate.model.normalize import normalize_entity
from migrate.model.project_resources import connections_in, replace_connections, short_connection_name
from tests.codecs.adaptation import CLASSIC, FOUNDRY, NATIVE, OPENAI, adapted, assistant, fit
from tests.codecs.adaptation import reported as fields_and_grades
from tests.codecs.foundry_tool_table import TABLE

OLD = "/subscriptions/s/resourceGroups/r/providers/x/accounts/a/projects/old/connections/search"
NEW = "/subscriptions/s/resourceGroups/r/providers/x/accounts/b/projects/new/connections/search"
OTHER = "/subscriptions/s/resourceGroups/r/providers/x/accounts/b/projects/new/connections/papers"
LINKED = [
    "bing_grounding",
    "bing_custom_search",
    "azure_ai_search",
    "openapi with a connection",
    "fabric_dataagent",
    "sharepoint_grounding",
    "browser_automation",
]
WAYS_OUT = 'in [connections] of the config file: "search" = "CONNECTION"'
each_tool = pytest.mark.parametrize("tool", LINKED)


def linked(tool: str, connection: str = OLD) -> Entity:
    """An assistant with one tool that uses a connection."""
    pair = TABLE[tool]
    fields = {"tools": [pair.old], "tool_resources": pair.resources}
    return assistant(**replace_connections(fields, lambda _: connection))


def named(entity: Entity) -> list[str]:
    return list(connections_in(entity.fields))


@each_tool
def test_each_tool_names_its_connection_at_a_declared_place(tool: str) -> None:
    assert named(linked(tool)) == [OLD]
    assert NEW in str(CODECS["foundry"].create_request(linked(tool, NEW)))


@each_tool
def test_a_connection_is_mapped_by_its_full_id(tool: str) -> None:
    fitted, losses = adapted(linked(tool), replace(FOUNDRY, connections={OLD: OTHER, "search": NEW}))
    assert named(fitted) == [OTHER]
    assert fields_and_grades(losses) == [("connections", "adapted")]
    assert "the connection search is replaced by /subscriptions/" in losses[0].reason
    assert OTHER in losses[0].reason


def test_a_connection_is_mapped_by_its_short_name() -> None:
    target = replace(FOUNDRY, connections={"search": OTHER}, target_connections=frozenset({OTHER}))
    fitted, losses = fit(linked("bing_grounding"), target)
    assert (named(fitted), losses) == ([OTHER], [("connections", "adapted")])


@each_tool
def test_one_that_the_target_lacks_blocks_it_and_shows_the_line_to_write(tool: str) -> None:
    target = replace(FOUNDRY, target_connections=frozenset({OTHER}))
    _, losses = adapted(linked(tool), target)
    (loss,) = losses
    assert (loss.field, loss.grade, loss.way_out) == ("connections", "blocked", WAYS_OUT)
    assert "'search' (it has: papers)" in loss.reason


def test_one_that_the_target_lacks_blocks_within_the_service_too() -> None:
    target = replace(NATIVE, target_connections=frozenset())
    assert fit(linked("bing_grounding"), target)[1] == [("connections", "blocked")]
    assert "it has: none" in adapted(linked("bing_grounding"), target)[1][0].reason


def test_a_mapping_to_one_that_is_not_there_blocks_too() -> None:
    target = replace(FOUNDRY, connections={"search": NEW}, target_connections=frozenset({OTHER}))
    assert ("connections", "blocked") in fit(linked("bing_grounding"), target)[1]


@pytest.mark.parametrize("connection", [NEW, "search"])
def test_one_that_is_there_is_no_loss(connection: str) -> None:
    target = replace(FOUNDRY, target_connections=frozenset({NEW, "search"}))
    given = linked("bing_grounding", connection)
    fitted, losses = fit(given, target)
    assert (named(fitted), losses) == ([connection], [])
    assert normalize_entity(fitted) == normalize_entity(given)


def test_where_nobody_can_list_them_it_is_reported_and_goes_on() -> None:
    fitted, losses = adapted(linked("bing_grounding"), FOUNDRY)
    assert (named(fitted), fields_and_grades(losses)) == ([OLD], [("connections", "adapted")])
    assert losses[0].way_out == WAYS_OUT


@pytest.mark.parametrize(("connection", "losses"), [("search", []), (OLD, [("connections", "adapted")])])
def test_within_the_service_an_unseen_one_is_reported_where_it_names_another_project(
    connection: str, losses: list[tuple[str, str]]
) -> None:
    fitted, reported = fit(linked("bing_grounding", connection), NATIVE)
    assert (named(fitted), reported) == ([connection], losses)


def test_a_connection_used_twice_is_reported_once() -> None:
    tools = [TABLE["bing_grounding"].old, TABLE["fabric_dataagent"].old]
    given = assistant(**replace_connections({"tools": tools}, lambda _: OLD))
    fitted, losses = fit(given, replace(FOUNDRY, connections={"search": NEW}))
    assert (named(fitted), losses) == ([NEW, NEW], [("connections", "adapted")])


def test_a_tool_without_a_connection_blocks() -> None:
    assert ("connections", "blocked") in fit(linked("bing_grounding", ""), FOUNDRY)[1]


DROPPED: list[dict[str, Any]] = [
    {"type": "deep_research", "deep_research": {"bing_grounding_connections": [{"connection_id": OLD}]}},
    {"type": "mcp", "server_label": "{{l}}", "server_url": "https://x", "project_connection_id": OLD},
]


@pytest.mark.parametrize("tool", DROPPED)
def test_the_connection_of_a_tool_that_is_lost_blocks_nothing(tool: dict[str, Any]) -> None:
    target = replace(FOUNDRY, target_connections=frozenset({OTHER}))
    assert {grade for _, grade in fit(assistant(tools=[tool]), target)[1]} == {"lost"}


@pytest.mark.parametrize("target", [OPENAI], ids=["openai"])
def test_a_service_without_such_tools_reports_no_connections(target: Any) -> None:
    assert fit(linked("bing_grounding"), target)[1] == [("tools", "lost")]


@each_tool
def test_a_classic_target_asks_the_same(tool: str) -> None:
    target = replace(CLASSIC, target_connections=frozenset({NEW}), connections={"search": NEW})
    fitted, losses = fit(linked(tool), target)
    assert (named(fitted), losses) == ([NEW], [("connections", "adapted")])
    assert fit(linked(tool), replace(target, connections={}))[1] == [("connections", "blocked")]


GA = {"type": "browser_automation", "browser_automation": {"connection": {"project_connection_id": OLD}}}
NEWER: list[dict[str, Any]] = [
    GA,
    {"type": "a2a_preview", "project_connection_id": OLD},
    {"type": "mcp", "server_label": "l", "server_url": "https://x", "project_connection_id": OLD},
    {
        "type": "web_search",
        "custom_search_configuration": {"project_connection_id": OLD, "instance_name": "i"},
    },
]


@pytest.mark.parametrize("tool", NEWER, ids=lambda tool: tool["type"])
def test_tools_of_the_newer_generation_name_theirs_too(tool: dict[str, Any]) -> None:
    fitted, losses = fit(assistant(tools=[tool]), replace(NATIVE, connections={"search": NEW}))
    assert losses == [("connections", "adapted")]
    written = str(CODECS["foundry"].create_request(fitted))
    assert NEW in written
    assert OLD not in written


@pytest.mark.parametrize(
    ("connection", "name"), [(OLD, "search"), ("search", "search"), (f"{OLD}/", "search"), ("", "")]
)
def test_a_short_name_is_the_end_of_an_id(connection: str, name: str) -> None:
    assert short_connection_name(connection) == name


def test_both_spellings_of_one_connection_compare_equal() -> None:
    one, other = linked("bing_grounding", OLD), linked("bing_grounding", "search")
    assert (
        normalize_entity(one) == normalize_entity(other) != normalize_entity(linked("bing_grounding", OTHER))
    )
