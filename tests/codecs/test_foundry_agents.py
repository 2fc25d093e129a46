"""An assistant as a prompt agent: its exact definition, its name, and the metadata keys of the portal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from migrate.codecs import CODECS, Target
from migrate.model import STAMP, Entity
from migrate.model.normalize import normalize_entity, normalize_written_fields
from migrate.model.stamp import DEFAULT_STAMP_KEYS
from tests.codecs import project_answers
from tests.codecs.adaptation import (
    AZURE,
    CLASSIC,
    FOUNDRY,
    NATIVE,
    adapted,
    assistant,
    fit,
    reasons,
    reported,
)

CODEC = CODECS["foundry"]
STAMPED = "foundry-classic:asst_1"
PORTAL = {"logo": "a.svg", "description": "", "modified_at": "1", "voiceLiveConfig": "{}"}
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}}

REST: dict[str, Any] = {
    "tool_choice": {"type": "function", "name": "f"},
    "structured_inputs": {"house": {"description": "d", "required": True}},
    "rai_config": {"rai_policy_name": "strict"},
    "reasoning": {"effort": "high", "summary": "auto"},
    "text": {"format": {"type": "text"}, "verbosity": "low"},
    "temperature": 0,
    "tomorrow": {"deep": [1]},
}


def written(entity: Entity, target: Target = FOUNDRY) -> dict[str, Any]:
    """The body of the request."""
    found: dict[str, Any] = json.loads(json.dumps(CODEC.create_request(adapted(entity, target)[0])))
    return found


def definition(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = written(assistant(**fields))["definition"]
    return found


def decoded(body: dict[str, Any]) -> Entity:
    return CODEC.decode("assistant", body, "", None)[0]


def agent(metadata: dict[str, str] | None = None, name: str = "made-agent", **more: Any) -> Entity:
    """An agent of the service, as it is read."""
    wire = {"definition": {"kind": "prompt", "model": "gpt-4o", **more}, "metadata": metadata or {}}
    return decoded(project_answers.agent(wire, name))


def addressed(address: str, target: Target = FOUNDRY, id_: str = "asst_1") -> Target:
    return replace(target, names={id_: address})


class TestDefinition:
    def test_the_least_agent(self) -> None:
        bare = assistant(name="made-agent", tools=[], instructions=None)
        assert written(bare) == {
            "definition": {"kind": "prompt", "model": "gpt-4o"},
            "metadata": {STAMP: STAMPED},
        }

    def test_texts_arrive_as_they_are(self) -> None:
        wire = written(assistant(description="d", instructions=" Be brief.\n"))
        assert wire["description"] == "d"
        assert wire["definition"]["instructions"] == " Be brief.\n"

    @pytest.mark.parametrize(
        ("name", "value", "sent"),
        [
            *((name, value, value) for name in ("temperature", "top_p") for value in (0, 0.0, 0.5)),
            ("temperature", 2, 2),
        ],
    )
    def test_a_sampling_number_is_sent(self, name: str, value: float, sent: float) -> None:
        assert definition(**{name: value})[name] == sent

    @pytest.mark.parametrize("name", ["temperature", "top_p"])
    @pytest.mark.parametrize("value", [1, 1.0, None])
    def test_one_that_only_restates_the_default_is_left_out(self, name: str, value: float | None) -> None:
        assert name not in definition(**{name: value})

    @pytest.mark.parametrize("name", ["temperature", "top_p"])
    def test_reasoning_models_lose_it_with_a_loss(self, name: str) -> None:
        target = replace(FOUNDRY, models={"gpt-4o": "o4-mini"}, reasoning=frozenset({"o4-mini"}))
        given = assistant(**{name: 0.0})
        assert name not in written(given, target)["definition"]
        assert (name, "lost") in fit(given, target)[1]
        assert fit(assistant(**{name: 1.0}), target)[1] == [("model", "adapted")]
        assert fit(given, replace(FOUNDRY, reasoning=frozenset({"o4-mini"})))[1] == []

    @pytest.mark.parametrize(
        ("format_", "text"),
        [
            (None, None),
            ("auto", None),
            ({"type": "text"}, {"type": "text"}),
            ({"type": "json_object"}, {"type": "json_object"}),
            (
                {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
                {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": False},
            ),
            (
                {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "description": "d", "schema": SCHEMA, "strict": True},
                },
                {"type": "json_schema", "name": "n", "description": "d", "schema": SCHEMA, "strict": True},
            ),
            (
                {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "description": None, "schema": SCHEMA, "strict": None},
                },
                {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": False},
            ),
        ],
    )
    def test_the_form_of_an_answer_is_flattened_and_back(self, format_: Any, text: Any) -> None:
        given = assistant(response_format=format_)
        assert written(given)["definition"].get("text") == (None if text is None else {"format": text})
        assert fit(given, FOUNDRY)[1] == []
        back = agent(**({"text": {"format": text}} if text else {}))
        assert normalize_entity(back).get("response_format") == normalize_entity(given).get("response_format")

    def test_a_schema_without_strict_is_strict_here_and_stays_so(self) -> None:
        silent = {"type": "json_schema", "name": "n", "schema": SCHEMA}
        found = written(agent(text={"format": silent}), NATIVE)["definition"]["text"]
        assert found == {"format": {**silent, "strict": True}}

    def test_a_form_that_is_none_is_reported(self) -> None:
        assert fit(assistant(response_format="yaml"), FOUNDRY)[1] == [("response_format", "lost")]

    def test_effort_becomes_reasoning_beside_what_else_it_holds(self) -> None:
        assert definition(reasoning_effort="low")["reasoning"] == {"effort": "low"}
        both = assistant(reasoning_effort="low", definition={"reasoning": {"summary": "auto"}})
        assert written(both, NATIVE)["definition"]["reasoning"] == {"effort": "low", "summary": "auto"}

    def test_fields_of_only_this_generation_are_moved_between_projects(self) -> None:
        given = agent(**REST)
        assert written(given, addressed("made-agent", NATIVE, "made-agent"))["definition"] == {
            "kind": "prompt",
            "model": "gpt-4o",
            **REST,
        }
        reported = dict(fit(given, NATIVE)[1])
        assert set(reported.values()) == {"adapted"}
        assert reported.keys() >= {"definition.rai_config", "definition.tomorrow"}

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ({"reasoning": {"summary": "auto", "mode": None}}, {"reasoning": {"summary": "auto"}}),
            ({"reasoning": {"summary": None}}, {}),
            ({"rai_config": {"rai_policy_name": "p", "x": None}}, {"rai_config": {"rai_policy_name": "p"}}),
            ({"skills": [{"name": "s", "version": None}]}, {"skills": [{"name": "s"}]}),
            (
                {"structured_inputs": {"a": {"required": True, "schema": None, "default_value": {"": None}}}},
                {"structured_inputs": {"a": {"required": True, "default_value": {"": None}}}},
            ),
            ({"structured_inputs": {"a": {"schema": {"default": None}}}},) * 2,
        ],
    )  # fmt: skip
    def test_a_null_beside_other_values_changes_nothing(self, given: Any, kept: Any) -> None:
        wire = written(agent(**given), addressed("made-agent", NATIVE, "made-agent"))
        assert wire["definition"] == {"kind": "prompt", "model": "gpt-4o", **kept}
        assert not [row for row in fit(agent(**given), NATIVE)[1] if row[1] == "lost"]
        assert normalize_entity(agent(**given)) == normalize_entity(agent(**kept))

    @pytest.mark.parametrize("target", [AZURE, CLASSIC], ids=["azure", "classic"])
    def test_it_is_lost_by_name_on_a_service_of_the_older_generation(self, target: Target) -> None:
        losses = fit(agent(**REST), target)[1]
        for name in ("tool_choice", "structured_inputs", "rai_config", "reasoning", "text", "tomorrow"):
            assert (f"definition.{name}", "lost") in losses
        assert ("reasoning_effort", "lost") in losses

    def test_a_template_is_warned_of_where_it_was_text_before(self) -> None:
        given = assistant(instructions="Greet {{ customer }}.")
        assert fit(given, FOUNDRY)[1] == [("instructions", "adapted")]
        assert written(given)["definition"]["instructions"] == "Greet {{ customer }}."
        assert fit(given, NATIVE)[1] == []
        for text in ("{{}}", "a { b } {", "{{ }}"):
            assert fit(assistant(instructions=text), FOUNDRY)[1] == []

    @pytest.mark.parametrize("kind", ["workflow", "hosted", "external"])
    @pytest.mark.parametrize("target", [AZURE, NATIVE], ids=["azure", "foundry"])
    def test_another_kind_of_agent_is_blocked(self, kind: str, target: Target) -> None:
        given = decoded(project_answers.agent({"definition": {"kind": kind, "workflow": "steps"}}))
        assert given.fields["definition"] == {"kind": kind, "workflow": "steps"}
        fitted, losses = adapted(given, target)
        assert reported(losses) == [("definition", "blocked")]
        assert kind in losses[0].reason
        assert fitted.fields == given.fields


class TestModel:
    def test_a_deployment_that_is_there_is_no_loss(self) -> None:
        assert fit(assistant(), replace(FOUNDRY, deployments=frozenset({"gpt-4o"})))[1] == []

    def test_one_that_is_missing_blocks_and_shows_the_line_to_write(self) -> None:
        _, losses = adapted(assistant(), replace(FOUNDRY, deployments=frozenset({"b", "a"})))
        (loss,) = losses
        assert (loss.field, loss.grade) == ("model", "blocked")
        assert "'gpt-4o' (it has: a, b)" in loss.reason
        assert loss.way_out == 'in [models] of the config file: "gpt-4o" = "DEPLOYMENT"'

    def test_the_one_it_is_mapped_to_must_be_there(self) -> None:
        target = replace(FOUNDRY, models={"gpt-4o": "next"}, deployments=frozenset({"gpt-4o"}))
        _, losses = adapted(assistant(), target)
        assert reported(losses) == [("model", "adapted"), ("model", "blocked")]
        assert '"gpt-4o" =' in losses[1].way_out

    def test_where_they_cannot_be_listed_nothing_is_reported(self) -> None:
        assert fit(assistant(), FOUNDRY)[1] == []


class TestName:
    def test_a_name_that_is_a_valid_address_needs_no_keeping(self) -> None:
        fitted, losses = fit(assistant(name="Desk-1"), addressed("Desk-1"))
        assert (fitted.fields["name"], losses) == ("Desk-1", [])
        assert DEFAULT_STAMP_KEYS.name not in fitted.fields["metadata"]

    def test_another_name_is_kept_in_metadata_and_reads_back(self) -> None:
        given = assistant(name="Plant Desk №1")
        target = addressed("Plant-Desk-No1")
        assert fit(given, target)[1] == [("name", "adapted")]
        wire = written(given, target)
        assert wire["metadata"] == {STAMP: STAMPED, DEFAULT_STAMP_KEYS.name: "Plant Desk №1"}
        back = decoded(project_answers.agent(wire, "Plant-Desk-No1"))
        assert (back.id, back.fields["name"]) == ("Plant-Desk-No1", "Plant Desk №1")
        assert normalize_entity(back) == normalize_entity(given)

    def test_without_room_the_name_is_lost_and_the_address_is_the_name(self) -> None:
        own = {f"k{n}": "v" for n in range(15)}
        fitted, losses = fit(assistant(name="Plant Desk", metadata=own), addressed("Plant-Desk"))
        assert fitted.fields["metadata"] == {**own, STAMP: STAMPED}
        assert (fitted.fields["name"], losses) == ("Plant-Desk", [("name", "lost")])

    @pytest.mark.parametrize("name", [None, ""])
    def test_one_without_a_name_reads_back_without_a_name(self, name: str | None) -> None:
        given = replace(assistant(name=name), id="asst_EplyPR8dVtVp")
        target = addressed("agent-PR8dVtVp", id_=given.id)
        assert fit(given, target)[1] == [("name", "adapted")]
        back = decoded(project_answers.agent(written(given, target), "agent-PR8dVtVp"))
        assert back.fields["name"] is None
        assert normalize_entity(back) == normalize_entity(given)

    @pytest.mark.parametrize(("pairs", "address"), [(16, "agent-PR8dVtVp"), (0, "agent-PR8dVtVp-0a1b2c3d")])
    def test_one_without_a_name_settles_where_that_cannot_be_seen(self, pairs: int, address: str) -> None:
        own = {f"k{n}": "v" for n in range(pairs)}
        given = replace(assistant(name=None, metadata=own), id="asst_EplyPR8dVtVp")
        target = addressed(address, id_=given.id)
        fitted, losses = fit(given, target)
        back = decoded(project_answers.agent(written(given, target), address))
        assert normalize_entity(back) == normalize_entity(fitted)
        assert ("name", "adapted") in losses

    def test_an_agent_of_somebody_else_is_called_as_it_is(self) -> None:
        assert agent(name="Documentation Assistant - test").fields["name"] == "Documentation Assistant - test"
        assert agent({STAMP: "openai:asst_2"}, name="agent-other").fields["name"] == "agent-other"


class TestMetadata:
    def test_sixteen_pairs_leave_no_room_for_the_stamp(self) -> None:
        own = {f"k{n}": "v" for n in range(16)}
        fitted, losses = fit(assistant(metadata=own), FOUNDRY)
        assert (fitted.fields["metadata"], losses) == (own, [("metadata", "adapted")])

    def test_seventeen_lose_one(self) -> None:
        wire = written(
            assistant(name="Two Words", metadata={f"k{n}": "v" for n in range(17)}), addressed("Two")
        )
        assert len(wire["metadata"]) == 16

    def test_an_older_stamp_and_name_are_not_taken_along(self) -> None:
        given = assistant(
            name="Desk", metadata={STAMP: "openai:asst_0", DEFAULT_STAMP_KEYS.name: "Old Desk", "k": "v"}
        )
        assert written(given, addressed("Desk"))["metadata"] == {"k": "v", STAMP: STAMPED}
        assert fit(given, addressed("Desk"))[1] == []

    @pytest.mark.parametrize("key", ["migrated_name_by", "migrated_files_note", "migrated"])
    def test_a_key_that_only_begins_like_ours_is_its_owners(self, key: str) -> None:
        assert written(assistant(metadata={key: "v"}))["metadata"] == {key: "v", STAMP: STAMPED}

    @pytest.mark.parametrize("key", PORTAL)
    def test_a_key_of_the_portal_cannot_be_the_owners_and_is_reported(self, key: str) -> None:
        given = assistant(metadata={key: "mine", "k": "v"})
        assert written(given)["metadata"] == {"k": "v", STAMP: STAMPED}
        assert fit(given, FOUNDRY)[1] == [("metadata", "lost")]
        assert repr(key) in reasons(given, FOUNDRY)


class TestPortal:
    def test_its_keys_are_a_fact_and_not_compared(self) -> None:
        there = agent({**PORTAL, "owner": "desk 3"})
        assert there.fields["metadata"] == {"owner": "desk 3"}
        assert there.facts["portal"] == PORTAL
        assert normalize_entity(there) == normalize_entity(agent({"owner": "desk 3"}))

    def test_a_new_version_keeps_them(self) -> None:
        fitted, _ = adapted(assistant(metadata={"k": "v"}), FOUNDRY)
        wire = CODEC.update_request(fitted, frozenset({"instructions"}), agent({**PORTAL, "k": "old"}))
        assert wire["metadata"] == {**PORTAL, "k": "v", STAMP: STAMPED}
        assert wire["definition"]["kind"] == "prompt"

    def test_a_new_version_never_has_more_pairs_than_are_taken(self) -> None:
        own = {f"k{n}": "v" for n in range(14)}
        fitted, _ = adapted(assistant(metadata=own), FOUNDRY)
        wire = CODEC.update_request(fitted, frozenset(), agent(PORTAL))
        assert len(wire["metadata"]) == 16
        assert wire["metadata"].items() >= {**own, STAMP: STAMPED}.items()

    def test_what_was_chosen_there_goes_along_to_another_project(self) -> None:
        fitted, losses = adapted(agent({**PORTAL, "k": "v"}), NATIVE)
        metadata = CODEC.create_request(fitted)["metadata"]
        assert metadata["k"] == "v"
        assert {key: metadata.get(key) for key in PORTAL} == {
            "logo": "a.svg", "voiceLiveConfig": "{}", "description": None, "modified_at": None
        }  # fmt: skip
        assert reported(losses) == []

    @pytest.mark.parametrize("owners", [14, 15, 16])
    def test_what_has_no_room_there_is_reported(self, owners: int) -> None:
        fitted, losses = adapted(agent({**PORTAL, **{f"k{n}": "v" for n in range(owners)}}), NATIVE)
        assert len(CODEC.create_request(fitted)["metadata"]) == 16
        assert ("metadata", "lost") in reported(losses)
        assert any("voiceLiveConfig" in loss.reason for loss in losses)

    @pytest.mark.parametrize("target", [AZURE, CLASSIC], ids=["azure", "classic"])
    def test_a_service_without_a_portal_loses_it_by_name(self, target: Target) -> None:
        fitted, losses = adapted(agent(PORTAL), target)
        assert "logo" not in CODECS["azure-openai"].create_request(fitted)["metadata"]
        (loss,) = (loss for loss in losses if loss.grade == "lost")
        assert (loss.field, "logo, voiceLiveConfig" in loss.reason) == ("metadata", True)

    def test_an_update_is_the_whole_agent(self) -> None:
        fitted, _ = adapted(assistant(instructions="new", description="d"), FOUNDRY)
        assert CODEC.update_request(fitted, frozenset({"instructions"}), None) == CODEC.create_request(fitted)


def test_what_the_service_makes_of_an_agent_is_a_fact() -> None:
    there = agent(instructions="x")
    assert normalize_written_fields(there) == {"name": "made-agent", "model": "gpt-4o", "instructions": "x"}
    assert there.facts["version"] == "1"
    assert set(there.facts["service"]) == {"status", "agent_guid"}
    assert not there.extras


@pytest.mark.parametrize(
    ("given", "unknown"),
    [
        ({"draft": False}, {}),
        ({"draft": True}, {"draft": True}),
        ({"digital_worker_type": "m365"}, {"digital_worker_type": "m365"}),
        ({"tools": [1]}, {"assistant.tools": [1]}),
    ],
)
def test_a_key_that_no_service_is_known_to_set_may_be_the_owners(given: Any, unknown: Any) -> None:
    body = project_answers.agent({"definition": {"kind": "prompt", "model": "m"}}, "desk")
    for there in (
        {**body, **given},
        {**body, "versions": {"latest": {**body["versions"]["latest"], **given}}},
    ):
        assert CODECS["foundry"].decode("assistant", there, "", None)[0].extras == unknown
