"""Keys of an item besides its text: metadata, outputs in parts, and the files that they refer to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.codecs import CODECS, Target
from migrate.codecs.foundry.adapt_message import is_unproven, why_call_not_replayed
from migrate.codecs.foundry.items import ITEM_SERVER_KEYS
from migrate.model import Entity
from migrate.model.normalize import normalize_entity
from migrate.model.references import named_keys, references_of, remap_references
from tests.codecs.adaptation import AZURE, NATIVE, adapted, fit, without
from tests.codecs.test_foundry_items import CALL, OUTPUT, read, written

SURE = replace(NATIVE, allow_unproven=False)
ANSWER = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Yes.", "annotations": []}],
}
TEXT = {"type": "input_text", "text": "found"}
IMAGE = {"type": "input_image", "file_id": "file-i", "detail": "auto"}
FILE = {"type": "input_file", "file_id": "file-a"}


class TestPhase:
    @pytest.mark.parametrize("phase", ["commentary", "final_answer"])
    def test_it_is_compared_written_and_reported_as_tried(self, phase: str) -> None:
        given = read({**ANSWER, "phase": phase})
        assert normalize_entity(given) != normalize_entity(read(ANSWER))
        assert written(given, NATIVE) == {**ANSWER, "phase": phase}
        assert fit(given, NATIVE)[1] == [("phase", "adapted")]
        assert is_unproven(adapted(given, NATIVE)[0])

    def test_where_it_was_refused_the_message_arrives_without_it(self) -> None:
        given = read({**ANSWER, "phase": "commentary"})
        assert written(given, SURE) == ANSWER
        assert fit(given, SURE)[1] == [("phase", "lost")]
        assert not is_unproven(adapted(given, SURE)[0])

    @pytest.mark.parametrize(("role", "phase"), [("user", "commentary"), ("assistant", "afterthought")])
    def test_one_that_no_description_knows_is_lost(self, role: str, phase: str) -> None:
        given = read({"type": "message", "role": role, "content": "x", "phase": phase})
        assert "phase" not in written(given, NATIVE)
        assert fit(given, NATIVE)[1] == [("phase", "lost")]

    def test_a_thread_has_no_place_for_it(self) -> None:
        reported = fit(read({"id": "msg_1", **ANSWER, "phase": "commentary"}), AZURE)[1]
        assert reported == [("phase", "lost")]

    def test_one_that_is_null_is_ignored(self) -> None:
        assert normalize_entity(read({**ANSWER, "phase": None})) == normalize_entity(read(ANSWER))
        assert fit(read({**ANSWER, "phase": None}), NATIVE)[1] == []

    @pytest.mark.parametrize("service", ["foundry", "openai"])
    def test_a_message_with_one_is_more_than_its_words(self, service: str) -> None:
        """Messages of only text are recognized without decoding, and then nothing is compared or reported."""
        words = CODECS[service].text_message
        part = {"type": "text", "text": {"value": "x", "annotations": []}}
        plain = {"role": "assistant", "content": ANSWER["content"] if service == "foundry" else [part]}
        assert words(plain)
        assert words({**plain, "phase": "commentary"}) is None


class TestKeysNobodyKnows:
    @pytest.mark.parametrize("given", [ANSWER, CALL, OUTPUT], ids=lambda item: item["type"])
    @pytest.mark.parametrize("key", ["tomorrow", "caller", "agent"])
    def test_one_is_compared_and_reported(self, given: dict[str, Any], key: str) -> None:
        one, other = read({**given, key: {"a": 1}}), read({**given, key: {"a": 2}})
        assert normalize_entity(one) != normalize_entity(other)
        assert written(one, NATIVE) == given
        reported = {field.removeprefix("content.") for field, grade in fit(one, NATIVE)[1] if grade == "lost"}
        assert reported == {key}

    @pytest.mark.parametrize("given", [ANSWER, CALL, OUTPUT], ids=lambda item: item["type"])
    @pytest.mark.parametrize("key", ITEM_SERVER_KEYS)
    def test_one_that_the_service_sets_is_neither(self, given: dict[str, Any], key: str) -> None:
        assert normalize_entity(read({**given, key: "x"})) == normalize_entity(read(given))
        assert fit(read({**given, key: "x"}), NATIVE)[1] == []

    @pytest.mark.parametrize("given", [{**CALL, "namespace": "n"}, {**OUTPUT, "namespace": "n", "name": "f"}])
    def test_a_namespace_is_compared_written_and_reported_as_tried(self, given: dict[str, Any]) -> None:
        entity = read(given)
        assert written(entity, NATIVE) == given
        assert {grade for _, grade in fit(entity, NATIVE)[1]} == {"adapted"}
        assert is_unproven(adapted(entity, NATIVE)[0])
        assert "namespace" not in written(entity, SURE)
        assert normalize_entity(entity) != normalize_entity(read({**given, "namespace": "other"}))

    @pytest.mark.parametrize(
        "broken",
        [
            {k: v for k, v in CALL.items() if k != "arguments"},
            {**CALL, "arguments": {"a": 1}},
            {**CALL, "name": None},
            {**OUTPUT, "output": {"a": 1}},
            {**OUTPUT, "call_id": None},
        ],
    )
    def test_half_a_call_that_cannot_be_written_is_reported(self, broken: dict[str, Any]) -> None:
        assert "lacks" in why_call_not_replayed(read(broken), NATIVE)


def test_how_sure_a_model_was_is_the_services_own() -> None:
    part = {
        "type": "output_text",
        "text": "Yes.",
        "annotations": [],
        "logprobs": [{"token": "Yes", "logprob": -0.1}],
    }
    given = read({**ANSWER, "content": [part]})
    assert normalize_entity(given) == normalize_entity(read(ANSWER))
    assert fit(given, NATIVE)[1] == []


class TestOutputsInParts:
    given = read({**OUTPUT, "output": [TEXT, IMAGE, {**FILE, "filename": None}]})

    def test_they_are_written_with_the_files_of_the_target(self) -> None:
        fitted = remap_references(adapted(self.given, NATIVE)[0], lambda _, old: f"new-{old}")
        assert CODECS["foundry"].create_request(fitted)["output"] == [
            TEXT,
            {**IMAGE, "file_id": "new-file-i"},
            {**FILE, "file_id": "new-file-a"},
        ]
        assert fit(self.given, NATIVE)[1] == [("content.output", "adapted")]

    def test_what_they_name_is_in_use(self) -> None:
        assert named_keys(self.given) == {("file", "file-i"), ("file", "file-a")}

    def test_a_file_that_cannot_be_moved_becomes_a_line(self) -> None:
        target = without("file-i", "file-a", target=NATIVE)
        lines = [{"type": "input_text", "text": f"[{what}]"} for what in ("image file-i", "file file-a")]
        assert written(self.given, target)["output"] == [TEXT, *lines]
        assert [grade for _, grade in fit(self.given, target)[1]] == ["lost", "lost", "adapted"]

    def test_where_they_were_refused_they_arrive_as_one_text(self) -> None:
        assert written(self.given, SURE)["output"] == "found\n[image file-i]\n[file file-a]"
        assert fit(self.given, SURE)[1] == [("content.output", "lost")]

    @pytest.mark.parametrize(
        "part",
        [
            {"type": "input_image", "file_id": None, "image_url": None, "detail": "auto"},
            {"type": "input_file", "file_id": None},
            {"type": "input_audio", "input_audio": {}},
            {"type": "input_text", "text": None},
            None,
            "text",
        ],
    )
    def test_a_part_without_content_is_a_loss_and_a_line(self, part: Any) -> None:
        sent = written(read({**OUTPUT, "output": [TEXT, part]}), NATIVE)["output"]
        assert len(sent) == 2
        assert sent[1]["type"] == "input_text"
        assert ("content.output", "lost") in fit(read({**OUTPUT, "output": [TEXT, part]}), NATIVE)[1] or (
            "content.input_file",
            "lost",
        ) in fit(read({**OUTPUT, "output": [TEXT, part]}), NATIVE)[1]

    @pytest.mark.parametrize("output", [[], [{"type": "input_text", "text": ""}]])
    def test_an_output_of_nothing_is_an_empty_text(self, output: Any) -> None:
        assert written(read({**OUTPUT, "output": output}), NATIVE)["output"] == ""


@pytest.mark.parametrize(
    ("item", "names"),
    [
        ({"type": "custom_tool_call_output", "output": [IMAGE]}, {("file", "file-i")}),
        ({"type": "computer_call_output", "output": {"file_id": "file-i"}}, {("file", "file-i")}),
        ({"type": "file_search_call", "results": [{"file_id": "file-a"}]}, {("file", "file-a")}),
        (
            {"type": "tool_search_output", "tools": [{"type": "file_search", "vector_store_ids": ["vs"]}]},
            {("vector_store", "vs")},
        ),
        (
            {"type": "additional_tools", "tools": [{"container": {"file_ids": ["file-a"]}}]},
            {("file", "file-a")},
        ),
        ({"type": "function_call_output", "output": "file-a"}, set()),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_what_an_item_names_is_found_by_its_path(item: dict[str, Any], names: set[tuple[str, str]]) -> None:
    entity = read({"id": "i", **item})
    assert named_keys(entity) == names
    moved = remap_references(entity, lambda _, old: f"new-{old}")
    assert named_keys(moved) == {(kind, f"new-{id_}") for kind, id_ in names}


def test_a_mask_and_the_files_of_a_shell_are_named_by_an_agent() -> None:
    tools = [
        {"type": "image_generation", "input_image_mask": {"file_id": "file-a"}},
        {"type": "shell", "environment": {"type": "container_auto", "file_ids": ["file-b"]}},
    ]
    entity = Entity("assistant", "a", fields={"tools": tools})
    assert {id_ for _, _, id_ in references_of(entity)} == {"file-a", "file-b"}


def targets() -> list[Target]:
    return [NATIVE, SURE]


@pytest.mark.parametrize("target", targets(), ids=["tried", "sure"])
def test_what_was_written_reads_back_as_promised(target: Target) -> None:
    for given in (
        {**ANSWER, "phase": "commentary"},
        {**CALL, "namespace": "n"},
        {**OUTPUT, "output": [TEXT]},
    ):
        fitted = adapted(read(given), target)[0]
        back = read({"id": "x", "status": "completed", **CODECS["foundry"].create_request(fitted)})
        assert normalize_entity(back) == normalize_entity(fitted)
