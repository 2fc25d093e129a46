"""An assistant adapted to a target: each rule changes only its field, and reports the change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.codecs import Target
from migrate.model import STAMP
from migrate.model.normalize import normalize_entity
from tests.codecs.adaptation import AZURE, OPENAI, assistant, fit, reasons, without

LIMITS = {"name": 256, "description": 512, "instructions": 256_000}


def function(name: str) -> dict[str, Any]:
    nothing = {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "description": "d", "parameters": nothing}}


def test_a_function_is_completed_where_the_target_requires_it() -> None:
    bare = {"type": "function", "function": {"name": "f"}}
    fitted, reported = fit(assistant(tools=[bare]))
    (tool,) = fitted.fields["tools"]
    assert tool["function"] == {
        "name": "f",
        "description": "",
        "parameters": {"type": "object", "properties": {}},
    }
    assert reported == [("tools", "adapted")]
    assert normalize_entity(fitted) == normalize_entity(assistant(tools=[bare]))


def test_json_schema_is_lost_where_the_api_version_has_none() -> None:
    format_ = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
    old = replace(AZURE, capabilities=replace(AZURE.capabilities, json_schema=False))
    fitted, reported = fit(assistant(response_format=format_), old)
    assert (fitted.fields["response_format"], reported) == (None, [("response_format", "lost")])


def test_what_fits_arrives_unchanged_and_nothing_is_reported() -> None:
    given = assistant(instructions="Be brief.", temperature=0.0, tools=[function("f")])
    fitted, reported = fit(given)
    assert reported == []
    assert normalize_entity(fitted) == normalize_entity(given)


@pytest.mark.parametrize(("field", "most"), LIMITS.items())
def test_a_text_is_cut_at_its_limit(field: str, most: int) -> None:
    fitted, reported = fit(assistant(**{field: "é" * (most + 1)}))
    assert fitted.fields[field] == "é" * most
    assert reported == [(field, "lost")]


@pytest.mark.parametrize(("field", "most"), LIMITS.items())
def test_a_text_of_just_the_limit_is_whole(field: str, most: int) -> None:
    fitted, reported = fit(assistant(**{field: "é" * most}))
    assert (fitted.fields[field], reported) == ("é" * most, [])


def test_a_model_is_mapped() -> None:
    fitted, reported = fit(assistant(model="old"), replace(AZURE, models={"old": "new"}))
    assert (fitted.fields["model"], reported) == ("new", [("model", "adapted")])


@pytest.mark.parametrize("model", [None, ""])
def test_without_a_model_it_is_blocked(model: str | None) -> None:
    assert fit(assistant(model=model))[1] == [("model", "blocked")]


@pytest.mark.parametrize("tool", [{"type": "bing_grounding"}, {"no": "type"}, "text", {"type": "function"}])
def test_a_tool_the_target_does_not_know_is_lost(tool: Any) -> None:
    fitted, reported = fit(assistant(tools=[function("f"), tool]))
    assert (fitted.fields["tools"], reported) == ([function("f")], [("tools", "lost")])


def test_tools_beyond_the_limit_are_lost_one_by_one() -> None:
    fitted, reported = fit(assistant(tools=[function(f"f{n}") for n in range(130)]))
    assert len(fitted.fields["tools"]) == 128
    assert reported == [("tools", "lost")] * 2


def test_a_file_without_counterpart_is_taken_out_and_reported() -> None:
    given = assistant(tool_resources={"code_interpreter": {"file_ids": ["a", "gone", "b"]}})
    fitted, reported = fit(given, without("gone"))
    assert fitted.fields["tool_resources"] == {"code_interpreter": {"file_ids": ["a", "b"]}}
    assert reported == [("tool_resources.code_interpreter.file_ids", "lost")]
    assert "gone" in reasons(given, without("gone"))


def test_a_store_without_counterpart_is_taken_out_and_reported() -> None:
    given = assistant(tool_resources={"file_search": {"vector_store_ids": ["gone"]}})
    fitted, reported = fit(given, without("gone"))
    assert fitted.fields["tool_resources"] == {}
    assert reported == [("tool_resources.file_search.vector_store_ids", "lost")]


def test_files_and_stores_beyond_the_limits_are_reported() -> None:
    held = {
        "code_interpreter": {"file_ids": [f"file-{n}" for n in range(21)]},
        "file_search": {"vector_store_ids": ["vs_1", "vs_2"]},
    }
    fitted, reported = fit(assistant(tool_resources=held))
    assert len(fitted.fields["tool_resources"]["code_interpreter"]["file_ids"]) == 20
    assert fitted.fields["tool_resources"]["file_search"] == {"vector_store_ids": ["vs_1"]}
    assert len(reported) == 2
    assert {grade for _, grade in reported} == {"lost"}
    assert "file-20" in reasons(assistant(tool_resources=held))


@pytest.mark.parametrize(
    ("held", "field"),
    [
        ({"azure_ai_search": {"indexes": [1]}}, "tool_resources.azure_ai_search"),
        ({"file_search": {"ranker": "x"}}, "tool_resources.file_search.ranker"),
    ],
)
def test_a_resource_the_target_does_not_know_is_lost(held: Any, field: str) -> None:
    fitted, reported = fit(assistant(tool_resources=held))
    assert (fitted.fields["tool_resources"], reported) == ({}, [(field, "lost")])


def test_reasoning_effort_is_lost_on_azure_and_kept_on_openai() -> None:
    given = assistant(reasoning_effort="low")
    fitted, reported = fit(given)
    assert (fitted.fields["reasoning_effort"], reported) == (None, [("reasoning_effort", "lost")])
    fitted, reported = fit(given, OPENAI)
    assert (fitted.fields["reasoning_effort"], reported) == ("low", [])


@pytest.mark.parametrize("value", ["x", 7, [1], {"a": 1}, True])
def test_an_unknown_key_is_lost(value: Any) -> None:
    given = replace(assistant(), extras={"colour": value})
    fitted, reported = fit(given)
    assert (dict(fitted.extras), reported) == ({}, [("colour", "lost")])


@pytest.mark.parametrize("value", [None, [], {}])
def test_an_empty_unknown_key_is_no_loss(value: Any) -> None:
    assert fit(replace(assistant(), extras={"colour": value}))[1] == []


@pytest.mark.parametrize("value", [0, False, ""])
def test_an_unknown_key_that_is_compared_is_reported(value: Any) -> None:
    given = replace(assistant(), extras={"colour": value})
    fitted, reported = fit(given)
    assert (
        reported == [("colour", "lost")]
        if normalize_entity(given) != normalize_entity(fitted)
        else reported == []
    )


def test_a_change_that_no_rule_names_is_reported_all_the_same() -> None:
    twice = assistant(tool_resources={"code_interpreter": {"file_ids": ["a", "a"]}})
    fitted, reported = fit(twice)
    assert fitted.fields["tool_resources"] == {"code_interpreter": {"file_ids": ["a"]}}
    assert reported == [("tool_resources", "lost")]


class TestMetadata:
    def fitted(self, metadata: Any, target: Target = AZURE) -> tuple[dict[str, str], list[tuple[str, str]]]:
        entity, reported = fit(assistant(metadata=metadata), target)
        return entity.fields["metadata"], reported

    def test_the_stamp_has_the_origin(self) -> None:
        assert self.fitted({"k": "v"}) == ({"k": "v", STAMP: "azure-openai:asst_1"}, [])

    def test_an_older_stamp_is_replaced_in_silence(self) -> None:
        assert self.fitted({STAMP: "openai:asst_0"}) == ({STAMP: "azure-openai:asst_1"}, [])

    def test_an_older_stamp_takes_no_room_from_the_new_one(self) -> None:
        own = {f"k{n}": "v" for n in range(15)}
        assert self.fitted({STAMP: "openai:asst_0", **own}) == ({**own, STAMP: "azure-openai:asst_1"}, [])

    def test_fifteen_pairs_leave_room_for_the_stamp(self) -> None:
        kept, reported = self.fitted({f"k{n}": "v" for n in range(15)})
        assert (len(kept), STAMP in kept, reported) == (16, True, [])

    def test_sixteen_pairs_leave_none_and_all_stay(self) -> None:
        full = {f"k{n}": "v" for n in range(16)}
        assert self.fitted(full) == (full, [("metadata", "adapted")])

    def test_a_seventeenth_pair_is_lost(self) -> None:
        kept, reported = self.fitted({f"k{n}": "v" for n in range(17)})
        assert "k16" not in kept
        assert ("metadata", "lost") in reported

    @pytest.mark.parametrize(("key", "value"), [("k" * 65, "v"), ("k", "v" * 513)])
    def test_a_pair_that_is_too_long_is_lost_whole(self, key: str, value: str) -> None:
        kept, reported = self.fitted({key: value, "other": "v"})
        assert (set(kept), reported) == ({"other", STAMP}, [("metadata", "lost")])

    def test_a_pair_of_just_the_limits_stays(self) -> None:
        kept, reported = self.fitted({"k" * 64: "v" * 512})
        assert (kept["k" * 64], reported) == ("v" * 512, [])

    @pytest.mark.parametrize(
        ("value", "spelled"), [(1, "1"), (True, "true"), (None, "null"), (["é"], '["é"]')]
    )
    def test_a_value_that_is_no_string_is_written_as_one(self, value: Any, spelled: str) -> None:
        kept, reported = self.fitted({"k": value})
        assert (kept["k"], reported) == (spelled, [("metadata", "adapted")])
