"""A message as an item of a conversation: exactly one item, in a form that projects accept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from migrate.codecs import CODECS, Target
from migrate.codecs.adapt.message import EMPTY_MESSAGE_TEXT
from migrate.codecs.foundry.adapt_message import why_call_not_replayed
from migrate.model import Entity
from migrate.model.message import ITEM_ROLE
from migrate.model.normalize import normalize_entity
from tests.codecs import project_answers
from tests.codecs.adaptation import FOUNDRY, NATIVE, adapted, fit, message, reasons, text, without
from tests.strategies import messages, steady

CODEC = CODECS["foundry"]
ROLES = ("user", "assistant", "system", "developer")
WEB = "https://example.com/a.png"
DATA = "data:image/png;base64,AAAA"
CITED = {"type": "file_citation", "text": "【4:0†a.txt】", "file_citation": {"file_id": "file-a"}}
CALL = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "found"}


def image(file_id: str = "file-i", **more: Any) -> dict[str, Any]:
    return {"type": "image_file", "image_file": {"file_id": file_id, **more}}


def address(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def written(entity: Entity, target: Target = FOUNDRY) -> dict[str, Any]:
    """The item of the request."""
    found: dict[str, Any] = json.loads(json.dumps(CODEC.create_request(adapted(entity, target)[0])))
    return found


def read(body: dict[str, Any]) -> Entity:
    return CODEC.decode("message", body, "conv_1", None)[0]


def said(*texts: str, role: str = "user") -> list[dict[str, Any]]:
    """The content of an item with just these texts."""
    if role == "assistant":
        return [{"type": "output_text", "text": one, "annotations": []} for one in texts]
    return [{"type": "input_text", "text": one} for one in texts]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("value", ["Hi", " \n\t", "a\r\nb", "𝄞{{x}}"])
def test_text_arrives_to_the_character_in_the_form_of_its_role(role: str, value: str) -> None:
    given = message(text(value), text("two"), role=role)
    assert written(given) == {"type": "message", "role": role, "content": said(value, "two", role=role)}
    assert fit(given, FOUNDRY)[1] == []


@pytest.mark.parametrize("role", ["tool", None])
def test_another_role_arrives_as_user_and_is_reported(role: str | None) -> None:
    given = message(text("x"), role=role)
    assert written(given) == {"type": "message", "role": "user", "content": said("x")}
    assert fit(given, FOUNDRY)[1] == [("role", "adapted")]


@pytest.mark.parametrize("role", ["user", "assistant"])
class TestText:
    def test_empty_text_is_left_out_beside_other_parts(self, role: str) -> None:
        given = message(text(""), text("x"), role=role)
        assert written(given)["content"] == said("x", role=role)
        assert fit(given, FOUNDRY)[1] == [("content", "adapted")]

    @pytest.mark.parametrize("parts", [[], [text("")]])
    def test_an_empty_message_has_a_placeholder(self, role: str, parts: list[Any]) -> None:
        assert written(message(*parts, role=role))["content"] == said(EMPTY_MESSAGE_TEXT, role=role)
        assert set(fit(message(*parts, role=role), FOUNDRY)[1]) == {("content", "adapted")}

    def test_a_refusal_arrives_word_for_word(self, role: str) -> None:
        given = message({"type": "refusal", "refusal": "No, sorry."}, role=role)
        assert written(given)["content"] == said("No, sorry.", role=role)
        assert fit(given, FOUNDRY)[1] == [("content.refusal", "adapted")]

    def test_citations_without_a_position_are_lost_and_their_markers_stay(self, role: str) -> None:
        given = message(text("Cake【4:0†a.txt】", CITED, CITED), role=role)
        assert written(given)["content"] == said("Cake【4:0†a.txt】", role=role)
        assert fit(given, FOUNDRY)[1] == [("content.text.annotations", "lost")]
        assert "2 citation" in reasons(given, FOUNDRY)

    @pytest.mark.parametrize("part", [{"type": "audio", "audio": {}}, {"odd": 1}, "bare", None])
    def test_an_unknown_part_becomes_a_line(self, role: str, part: Any) -> None:
        given = message(text("x"), part, role=role)
        type_ = part.get("type") if isinstance(part, dict) else None
        assert written(given)["content"] == said("x", f"[content of type {type_}]", role=role)
        assert fit(given, FOUNDRY)[1] == [("content", "lost")]

    def test_a_long_text_is_split_without_losing_a_character(self, role: str) -> None:
        target = replace(FOUNDRY, capabilities=replace(FOUNDRY.capabilities, text_max=4))
        assert written(message(text("abcdefghij"), role=role), target)["content"] == said(
            "abcd", "efgh", "ij", role=role
        )


class TestImages:
    @pytest.mark.parametrize(
        ("given", "sent"), [({}, "auto"), ({"detail": None}, "auto"), ({"detail": "low"}, "low")]
    )
    def test_those_of_a_user_stay_images(self, given: dict[str, Any], sent: str) -> None:
        both = message(image(**given), address(WEB, **given))
        assert written(both)["content"] == [
            {"type": "input_image", "file_id": "file-i", "detail": sent},
            {"type": "input_image", "image_url": WEB, "detail": sent},
        ]
        assert fit(both, FOUNDRY)[1] == []

    def test_one_without_a_counterpart_becomes_a_line_with_its_name(self) -> None:
        named = replace(
            without("file-i", target=FOUNDRY),
            find_file=lambda id_: Entity("file", id_, fields={"filename": "p.png"}),
        )
        for role in ("user", "assistant"):
            given = message(image(), role=role)
            assert written(given, named)["content"] == said("[image p.png (file-i)]", role=role)
            assert fit(given, named)[1] == [("content.image_file", "lost")]

    def test_one_inside_its_address_becomes_a_line_with_its_type(self) -> None:
        given = message(address(DATA))
        assert written(given)["content"] == said("[image of type image/png]")
        assert fit(given, FOUNDRY)[1] == [("content.image_url", "lost")]

    def test_one_inside_its_address_stays_where_the_service_stored_it(self) -> None:
        assert written(message(address(DATA)), NATIVE)["content"][0]["image_url"] == DATA

    def test_those_of_the_assistant_become_lines_and_are_reported(self) -> None:
        given = message(image(), address(WEB), address(DATA), role="assistant")
        assert written(given)["content"] == said(
            "[image file-i]", f"[image {WEB}]", "[image of type image/png]", role="assistant"
        )
        assert fit(given, FOUNDRY)[1] == [
            ("content.image_file", "adapted"),
            ("content.image_url", "adapted"),
            ("content.image_url", "lost"),
        ]

    @pytest.mark.parametrize("role", ["user", "assistant"])
    def test_an_address_of_nothing_becomes_a_line(self, role: str) -> None:
        assert written(message(address(""), role=role))["content"] == said(
            "[content of type image_url]", role=role
        )


def paper(**keys: Any) -> dict[str, Any]:
    return {"type": "input_file", **keys}


class TestFiles:
    """A file inside a conversation that is moved from one project to another."""

    @pytest.mark.parametrize(
        ("given", "sent", "lost"),
        [
            (paper(file_id="file-a", filename=None), paper(file_id="file-a"), []),
            (paper(file_id="file-a", filename="a.pdf", file_url=None), paper(file_id="file-a"), []),
            (
                paper(file_id=None, file_url="https://example.com/a.pdf", filename="a.pdf"),
                paper(file_url="https://example.com/a.pdf", filename="a.pdf"),
                [],
            ),
            (
                paper(file_id=None, filename="a.pdf"),
                {"type": "input_text", "text": "[file a.pdf]"},
                [("content.input_file", "lost")],
            ),
            (
                paper(file_id=None, filename=None),
                {"type": "input_text", "text": "[content of type input_file]"},
                [("content.input_file", "lost")],
            ),
            (
                paper(),
                {"type": "input_text", "text": "[content of type input_file]"},
                [("content.input_file", "lost")],
            ),
            (
                paper(file_id="gone"),
                {"type": "input_text", "text": "[file gone]"},
                [("content.input_file", "lost")],
            ),
            (
                paper(file_id=None, file_data="data:text/plain;base64,eA==", filename="x.txt"),
                paper(file_data="data:text/plain;base64,eA==", filename="x.txt"),
                [("content.input_file", "adapted")],
            ),
        ],
    )
    def test_one_is_written_without_what_is_null_or_named_in_a_line(
        self, given: Any, sent: Any, lost: Any
    ) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}, given]}
        target = without("gone", target=NATIVE)
        assert written(read(item), target)["content"] == [{"type": "input_text", "text": "x"}, sent]
        assert fit(read(item), target)[1] == lost

    @pytest.mark.parametrize("role", ["user", "assistant"])
    def test_an_image_that_the_service_hides_is_a_loss_and_a_line(self, role: str) -> None:
        """Recorded: without `include[]` neither the URL nor the file of an image is returned."""
        hidden = {"type": "input_image", "detail": "auto", "file_id": None, "image_url": None}
        item = {"type": "message", "role": role, "content": [{"type": "input_text", "text": "x"}, hidden]}
        assert written(read(item), NATIVE)["content"] == said("x", "[content of type image_url]", role=role)
        assert fit(read(item), NATIVE)[1] == [("content.image_url", "lost")]


class TestWithoutPlace:
    def test_attachments_are_reported_and_not_written(self) -> None:
        attachments = [
            {"file_id": "file-a", "tools": [{"type": "file_search"}, {"type": "code_interpreter"}]},
            {"file_id": "gone", "tools": [{"type": "file_search"}]},
        ]
        given = message(text("x"), attachments=attachments)
        target = without("gone", target=FOUNDRY)
        assert written(given, target) == {"type": "message", "role": "user", "content": said("x")}
        assert fit(given, target)[1] == [("attachments", "adapted"), ("attachments", "lost")]
        reported = reasons(given, target)
        assert "file-a (file_search, code_interpreter)" in reported
        assert "gone" in reported

    def test_metadata_is_lost_and_our_own_is_no_loss(self) -> None:
        given = message(text("x"), metadata={"ticket": "7", "migrated_from": "openai:msg_0"})
        assert "metadata" not in written(given)
        assert fit(given, FOUNDRY)[1] == [("metadata", "lost")]
        assert "1 pair" in reasons(given, FOUNDRY)
        assert fit(message(text("x"), metadata={"migrated_from": "openai:msg_0"}), FOUNDRY)[1] == []


class TestCalls:
    def read(self, item: dict[str, Any]) -> Entity:
        return read({"id": "fc_1", "status": "completed", "partition_key": "k", **item})

    @pytest.mark.parametrize("item", [CALL, OUTPUT])
    def test_both_halves_of_a_call_are_replayed_as_they_are(self, item: dict[str, Any]) -> None:
        given = self.read(item)
        assert given.fields["role"] == ITEM_ROLE
        assert why_call_not_replayed(given, NATIVE) == ""
        assert written(given, NATIVE) == item
        assert fit(given, NATIVE)[1] == []

    def test_half_a_call_is_not_replayed(self) -> None:
        asked: list[tuple[str, str]] = []

        def paired(thread: str, call: str) -> bool:
            asked.append((thread, call))
            return False

        assert "other half" in why_call_not_replayed(
            self.read(CALL), replace(NATIVE, has_call_and_output=paired)
        )
        assert asked == [("conv_1", "call_1")]

    @pytest.mark.parametrize("type_", ["reasoning", "code_interpreter_call", "mcp_call", "tomorrow"])
    def test_what_a_run_made_is_not_replayed_and_is_reported(self, type_: str) -> None:
        assert type_ in why_call_not_replayed(self.read({"type": type_, "summary": []}), NATIVE)

    def test_a_message_is_always_replayed(self) -> None:
        assert why_call_not_replayed(message(text("x")), NATIVE) == ""

    def test_a_key_that_cannot_be_written_is_reported(self) -> None:
        given = self.read({**CALL, "caller": {"type": "program"}, "tomorrow": None})
        assert written(given, NATIVE) == CALL
        assert fit(given, NATIVE)[1] == [("content.caller", "lost")]


class TestReading:
    def test_content_that_is_a_string_is_text(self) -> None:
        item = {"type": "message", "id": "msg_1", "role": "user", "content": "hello"}
        assert read(item).fields == {"role": "user", "content": [text("hello")]}

    def test_an_item_without_a_type_is_a_message(self) -> None:
        assert read({"id": "msg_1", "role": "user", "content": "hello"}).fields["role"] == "user"

    def test_the_keys_of_the_server_are_facts(self) -> None:
        made = {"created_by": {"response_id": "resp_1"}, "partition_key": "k"}
        item = {"type": "message", "id": "msg_1", "status": "completed", "role": "user", "content": "x"}
        entity = read({**item, **made})
        assert (entity.id, entity.parent, dict(entity.extras)) == ("msg_1", "conv_1", {})
        assert entity.facts["service"] == made
        assert normalize_entity(entity) == normalize_entity(read(item))

    @pytest.mark.parametrize("role", ["user", "assistant"])
    def test_citations_are_kept_in_reading(self, role: str) -> None:
        citation = {"type": "file_citation", "file_id": "f", "index": 3, "filename": "a.txt"}
        part = {"type": "output_text", "text": "x", "annotations": [citation], "logprobs": []}
        assert read({"role": role, "content": [part]}).fields["content"] == [text("x", citation)]


def _takes(part: dict[str, Any], role: str) -> bool:
    """Whether a part has exactly one of the forms that services were seen to accept."""
    keys = set(part)
    if part["type"] == ("output_text" if role == "assistant" else "input_text"):
        form = {"type", "text", "annotations"} if role == "assistant" else {"type", "text"}
        return (
            keys == form
            and isinstance(part["text"], str)
            and part["text"] != ""
            and all(map(_is_citation, part.get("annotations", [])))
        )
    if part["type"] == "input_image" and role != "assistant":
        where = part.get("file_id") or part.get("image_url")
        return len(keys) == 3 and isinstance(where, str) and part["detail"] in ("auto", "low", "high")
    return False


def _is_citation(row: dict[str, Any]) -> bool:
    return (
        list(row) == ["type", "file_id", "index", "filename"]
        and row["type"] == "file_citation"
        and not row["file_id"].startswith("gone")
        and row["filename"] == "a.txt"
        and row["index"] >= 0
    )


@pytest.mark.parametrize("target", [FOUNDRY, NATIVE], ids=["from classic", "within the service"])
@steady
@given(entity=messages)
def test_every_message_becomes_one_item_of_a_safe_form(target: Target, entity: Entity) -> None:
    named = replace(target, find_file=lambda id_: Entity("file", id_, fields={"filename": "a.txt"}))
    item = written(entity, replace(named, has=lambda _kind, id_: not id_.startswith("gone")))
    assert list(item) == ["type", "role", "content"]
    assert item["type"] == "message"
    assert item["role"] in ROLES
    assert item["content"]
    assert all(_takes(part, item["role"]) for part in item["content"]), item
    assert normalize_entity(read(project_answers.answered("message", item)))["role"] == item["role"]
