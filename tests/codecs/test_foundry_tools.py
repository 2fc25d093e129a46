"""Tools of an agent: the exact JSON in both directions, and a loss for everything without a counterpart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.codecs import CODECS
from migrate.codecs.foundry.tools import TOOL_ROWS, TOOLS_WITHOUT_COUNTERPART
from migrate.model import Entity
from migrate.model.normalize import normalize_entity
from tests.codecs import project_answers
from tests.codecs.adaptation import FOUNDRY, NATIVE, adapted, assistant, fit, reasons, reported, without
from tests.codecs.foundry_tool_table import NEW_ONLY, TABLE, ToolPair
from tests.codecs.recordings import FOLDER

CODEC = CODECS["foundry"]
each_pair = pytest.mark.parametrize("pair", TABLE.values(), ids=TABLE.keys())
TEMPLATE = "{{label}}"


def written(entity: Entity, target: Any = FOUNDRY) -> list[dict[str, Any]]:
    """The tools of the request."""
    wire = CODEC.create_request(adapted(entity, target)[0])
    found: list[dict[str, Any]] = json.loads(json.dumps(wire))["definition"].get("tools", [])
    return found


def agent(*tools: Any, **definition: Any) -> Entity:
    """An agent with these tools, as it is decoded."""
    wire = {"definition": {"kind": "prompt", "model": "gpt-4o", "tools": list(tools), **definition}}
    return CODEC.decode("assistant", project_answers.agent(wire), "", None)[0]


def mcp(**more: Any) -> dict[str, Any]:
    return {"type": "mcp", "server_label": "one", "server_url": "https://mcp.example.com", **more}


class TestTable:
    @each_pair
    def test_a_tool_is_written_in_the_recorded_form(self, pair: ToolPair) -> None:
        assert written(assistant(tools=[pair.old], tool_resources=pair.resources)) == [pair.new]

    @each_pair
    def test_a_tool_is_read_in_the_older_form(self, pair: ToolPair) -> None:
        read, meant = agent(pair.new), assistant(tools=[pair.old], tool_resources=pair.resources)
        for name in ("tools", "tool_resources"):
            assert normalize_entity(read).get(name) == normalize_entity(meant).get(name)

    @each_pair
    def test_a_tool_that_fits_loses_nothing(self, pair: ToolPair) -> None:
        given = assistant(tools=[pair.old], tool_resources=pair.resources)
        fitted, losses = adapted(given, FOUNDRY)
        assert {loss.grade for loss in losses if loss.field != "connections"} == set()
        assert normalize_entity(fitted) == normalize_entity(given)

    @each_pair
    def test_a_tool_goes_from_project_to_project_as_it_is(self, pair: ToolPair) -> None:
        assert written(agent(pair.new), NATIVE) == [pair.new]

    def test_every_row_of_the_table_is_looked_at(self) -> None:
        assert {(row.old, row.new) for row in TOOL_ROWS} == {
            (pair.old["type"], pair.new["type"]) for pair in TABLE.values()
        }

    @pytest.mark.skipif(not (FOLDER / "tools_accepted.json").is_file(), reason="no recordings here")
    def test_every_tool_that_was_recorded_is_looked_at(self) -> None:
        rows = json.loads((FOLDER / "tools_accepted.json").read_text(encoding="utf-8"))["rows"]
        forms = [pair.new for pair in TABLE.values()] + list(NEW_ONLY)
        assert len(rows) > 10
        for row in rows:
            assert row["tool_json"] in forms, row["tool"]

    @pytest.mark.parametrize("tool", NEW_ONLY, ids=lambda tool: tool["type"])
    def test_a_form_of_the_newer_generation_stays_as_it_is(self, tool: dict[str, Any]) -> None:
        fitted, losses = adapted(agent(tool), NATIVE)
        assert reported(losses) == []
        assert CODEC.create_request(fitted)["definition"]["tools"] == [tool]


class TestFunction:
    def test_a_missing_value_is_an_empty_one(self) -> None:
        bare = {"type": "function", "function": {"name": "f"}}
        given = assistant(tools=[bare])
        assert written(given) == [
            {
                "type": "function",
                "name": "f",
                "parameters": {"type": "object", "properties": {}},
                "strict": False,
            }
        ]
        assert fit(given, FOUNDRY)[1] == [("tools", "adapted")]
        assert "parameters" in reasons(given, FOUNDRY)
        assert normalize_entity(adapted(given, FOUNDRY)[0]) == normalize_entity(given)

    @pytest.mark.parametrize("strict", [True, False])
    def test_strict_is_sent_unchanged(self, strict: bool) -> None:
        said = {"name": "f", "parameters": {"type": "object", "properties": {}}, "strict": strict}
        given = assistant(tools=[{"type": "function", "function": said}])
        assert written(given) == [{"type": "function", **said}]
        assert fit(given, FOUNDRY)[1] == []

    def test_one_without_a_name_is_lost(self) -> None:
        nameless = assistant(tools=[{"type": "function", "function": {"parameters": {}}}])
        assert written(nameless) == []
        assert fit(nameless, FOUNDRY)[1] == [("tools", "lost")]


class TestWithoutCounterpart:
    @pytest.mark.parametrize("type_", TOOLS_WITHOUT_COUNTERPART)
    def test_it_is_lost_by_its_name_with_a_way_out(self, type_: str) -> None:
        tool = {"type": type_, type_: {"name": "billing", "id": "asst_9"}}
        code = {"type": "code_interpreter"}
        fitted, losses = adapted(assistant(tools=[tool, code]), FOUNDRY)
        assert fitted.fields["tools"] == [code]
        (loss,) = losses
        assert (loss.field, loss.grade) == ("tools", "lost")
        assert type_ in loss.reason
        assert "billing" in loss.reason
        assert loss.way_out == TOOLS_WITHOUT_COUNTERPART[type_] != ""

    def test_the_table_of_those_without_one_is_complete(self) -> None:
        assert set(TOOLS_WITHOUT_COUNTERPART) == {
            "connected_agent",
            "deep_research",
            "event_binding",
            "output_binding",
        }

    @pytest.mark.parametrize("tool", [{"type": "tomorrow", "tomorrow": {}}, {"no": "type"}])
    def test_one_that_nobody_knows_is_lost(self, tool: Any) -> None:
        fitted, losses = fit(assistant(tools=[tool]), FOUNDRY)
        assert (fitted.fields["tools"], losses) == ([], [("tools", "lost")])

    def test_one_that_nobody_knows_stays_within_its_own_service(self) -> None:
        tool = {"type": "tomorrow", "anything": {"deep": [1]}}
        assert written(agent(tool), NATIVE) == [tool]


class TestMustHave:
    def test_file_search_without_a_store_is_lost(self) -> None:
        given = assistant(tools=[{"type": "file_search", "file_search": {"max_num_results": 3}}])
        assert written(given) == []
        assert fit(given, FOUNDRY)[1] == [("tools", "lost")]
        assert "vector store" in reasons(given, FOUNDRY)

    def test_azure_ai_search_without_an_index_is_lost(self) -> None:
        given = assistant(tools=[{"type": "azure_ai_search"}])
        assert written(given) == []
        assert fit(given, FOUNDRY)[1] == [("tools", "lost")]

    @pytest.mark.parametrize("branch", ["code_interpreter", "file_search", "azure_ai_search"])
    def test_resources_without_their_tool_are_lost(self, branch: str) -> None:
        held = {
            "code_interpreter": {"file_ids": ["file-a"]},
            "file_search": {"vector_store_ids": ["vs_1"]},
            "azure_ai_search": {"indexes": [{"index_connection_id": "C", "index_name": "i"}]},
        }
        fitted, losses = fit(assistant(tool_resources={branch: held[branch]}), FOUNDRY)
        assert fitted.fields["tool_resources"] == {}
        assert (f"tool_resources.{branch}", "lost") in losses

    @pytest.mark.parametrize("key", ["server_label", "server_url"])
    @pytest.mark.parametrize("target", [FOUNDRY, NATIVE], ids=["from classic", "within the service"])
    def test_mcp_with_a_template_is_lost(self, key: str, target: Any) -> None:
        given = assistant(tools=[mcp(**{key: TEMPLATE}), {"type": "code_interpreter"}])
        assert [tool["type"] for tool in written(given, target)] == ["code_interpreter"]
        assert fit(given, target)[1] == [("tools", "lost")]
        assert key in reasons(given, target)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("default_2024_08_21", "default-2024-11-15"),
            ("default-2024-11-15", "default-2024-11-15"),
            ("auto", "auto"),
        ],
    )
    def test_a_ranker_goes_by_its_newer_name(self, old: str, new: str) -> None:
        tool = {"type": "file_search", "file_search": {"ranking_options": {"ranker": old}}}
        given = assistant(tools=[tool], tool_resources={"file_search": {"vector_store_ids": ["vs_1"]}})
        assert written(given)[0]["ranking_options"] == {"ranker": new}
        assert fit(given, FOUNDRY)[1] == ([("tools", "adapted")] if old != new else [])


class TestSecrets:
    SECRET = "Bearer 5f2b"

    @pytest.mark.parametrize(
        ("tool", "rows", "field"),
        [
            (
                mcp(),
                [{"server_label": "one", "headers": {"Authorization": SECRET}}],
                "tool_resources.mcp.headers",
            ),
            (mcp(headers={"Authorization": SECRET}), [], "tools.headers"),
            (mcp(authorization=SECRET), [], "tools.authorization"),
        ],
    )
    def test_headers_are_never_written_and_reported(self, tool: Any, rows: Any, field: str) -> None:
        given = assistant(tools=[tool], tool_resources={"mcp": rows})
        for target in (FOUNDRY, NATIVE):
            fitted, losses = adapted(given, target)
            assert [tool["server_label"] for tool in written(given, target)] == ["one"]
            assert field in [loss.field for loss in losses if loss.grade == "lost"]
            assert self.SECRET not in json.dumps([CODEC.create_request(fitted), str(losses)])

    def test_headers_of_an_agent_are_not_taken_along(self) -> None:
        given = agent(mcp(headers={"Authorization": self.SECRET}, require_approval="never"))
        assert written(given, NATIVE) == [mcp(require_approval="never")]
        assert fit(given, NATIVE)[1] == [("tool_resources.mcp.headers", "lost")]

    def test_another_secret_is_another_agent_and_neither_is_shown(self) -> None:
        one, other = (agent(mcp(headers={"Authorization": value})) for value in (self.SECRET, "Bearer 9"))
        assert normalize_entity(one) != normalize_entity(other)
        assert normalize_entity(one) == normalize_entity(agent(mcp(headers={"Authorization": self.SECRET})))
        assert self.SECRET not in json.dumps(normalize_entity(one))

    def test_approval_goes_to_the_server_of_its_label(self) -> None:
        given = assistant(
            tools=[mcp(), mcp(server_label="two"), mcp(server_label="three")],
            tool_resources={
                "mcp": [
                    {"server_label": "two", "require_approval": {"never": {"tool_names": ["look"]}}},
                    {"server_label": "one", "require_approval": "never"},
                ]
            },
        )
        said = [tool.get("require_approval") for tool in written(given)]
        assert said == ["never", {"never": {"tool_names": ["look"]}}, None]


class TestSeveral:
    @pytest.mark.parametrize("type_", ["code_interpreter", "file_search", "azure_ai_search"])
    def test_a_second_tool_that_adds_nothing_is_lost(self, type_: str) -> None:
        pair = TABLE[type_]
        given = assistant(tools=[pair.old, {"type": type_}], tool_resources=pair.resources)
        assert written(given) == [pair.new]
        assert ("tools", "lost") in fit(given, FOUNDRY)[1]
        assert f"second {type_}" in reasons(given, FOUNDRY)

    def test_two_file_searches_keep_their_own_stores(self) -> None:
        tools = [
            {"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 2},
            {"type": "file_search", "vector_store_ids": ["vs_2"]},
        ]
        assert written(agent(*tools), NATIVE) == tools
        assert fit(agent(*tools), NATIVE)[1] == []

    def test_two_code_interpreters_keep_their_own_files(self) -> None:
        tools = [
            {"type": "code_interpreter", "container": {"type": "auto", "file_ids": [file_id]}}
            for file_id in ("file-a", "file-b")
        ]
        assert written(agent(*tools), NATIVE) == tools

    def test_a_second_code_interpreter_does_not_get_the_files_of_the_first(self) -> None:
        first = {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-a"]}}
        second = {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}
        _, other = written(agent(first, second), NATIVE)
        assert other["container"].get("file_ids", []) == []
        assert other["container"]["memory_limit"] == "4g"

    def test_a_second_tool_names_nothing_that_is_gone(self) -> None:
        tools = [
            {"type": "file_search", "vector_store_ids": ["vs_1"]},
            {"type": "file_search", "vector_store_ids": ["gone"]},
            {"type": "file_search", "vector_store_ids": ["vs_2", "gone"]},
            {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-a"]}},
            {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["gone", "file-b"]}},
        ]
        target = without("gone", target=NATIVE)
        found = written(agent(*tools), target)
        assert [tool.get("vector_store_ids") for tool in found] == [["vs_1"], ["vs_2"], None, None]
        assert [tool["container"]["file_ids"] for tool in found[2:]] == [["file-a"], ["file-b"]]
        assert {grade for _, grade in fit(agent(*tools), target)[1]} == {"lost"}
        assert reasons(agent(*tools), target).count("gone cannot be moved") == 3

    def test_two_tools_of_one_server_keep_their_own_approvals(self) -> None:
        tools = [mcp(require_approval="never"), mcp(require_approval="always", allowed_tools=["look"])]
        assert written(agent(*tools), NATIVE) == tools

    @pytest.mark.parametrize("silent", [0, 1])
    def test_a_tool_without_approval_does_not_get_that_of_another(self, silent: int) -> None:
        tools = [mcp(require_approval="never"), mcp(require_approval="never", allowed_tools=["look"])]
        del tools[silent]["require_approval"]
        assert written(agent(*tools), NATIVE) == tools

    def test_tools_of_one_type_with_their_own_settings_all_stay(self) -> None:
        tools = [mcp(server_label="one"), mcp(server_label="two"), TABLE["openapi"].new, TABLE["openapi"].new]
        assert written(agent(*tools), NATIVE) == tools

    def test_tools_beyond_the_limit_are_lost_one_by_one(self) -> None:
        tools = [{"type": "function", "function": {"name": f"f{n}", "parameters": {}}} for n in range(130)]
        given = assistant(tools=tools)
        assert [tool["name"] for tool in written(given)] == [f"f{n}" for n in range(128)]
        assert fit(given, FOUNDRY)[1] == [("tools", "lost")] * 2
