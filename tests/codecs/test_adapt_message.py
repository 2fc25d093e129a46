"""Threads and messages adapted to a target: every part arrives in some form or is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrate.codecs import Target
from migrate.codecs.adapt.message import EMPTY_MESSAGE_TEXT
from migrate.model import Entity
from migrate.model.normalize import normalize_entity
from tests.codecs.adaptation import (
    AZURE,
    CLASSIC,
    OLD_AZURE,
    OPENAI,
    fit,
    message,
    reasons,
    text,
    without,
    words,
)

IMAGE = {"type": "image_file", "image_file": {"file_id": "file-i", "detail": "low"}}
BOTH = [{"type": "file_search"}, {"type": "code_interpreter"}]


def attached(*tools: str, file_id: str = "file-a") -> dict[str, Any]:
    return {"file_id": file_id, "tools": [{"type": tool} for tool in tools]}


@pytest.mark.parametrize("value", ["Hi", " \n\t", "​", "a\r\nb", "\x00", "𝄞" * 3])
def test_text_arrives_to_the_character(value: str) -> None:
    fitted, reported = fit(message(text(value)))
    assert (words(fitted), reported) == ([value], [])


def test_a_refusal_arrives_as_text_word_for_word() -> None:
    fitted, reported = fit(message({"type": "refusal", "refusal": "No, sorry."}))
    assert (words(fitted), reported) == (["No, sorry."], [("content.refusal", "adapted")])


def test_empty_text_beside_other_parts_is_left_out() -> None:
    fitted, reported = fit(message(text(""), text("x")))
    assert (words(fitted), reported) == (["x"], [("content", "adapted")])


@pytest.mark.parametrize("content", [[], [text("")], [text(""), text("")]])
def test_a_message_without_text_gets_a_placeholder(content: list[Any]) -> None:
    fitted, reported = fit(message(*content))
    assert words(fitted) == [EMPTY_MESSAGE_TEXT]
    assert set(reported) == {("content", "adapted")}


def test_citations_are_lost_and_their_markers_stay() -> None:
    cited = text("Cake【4:0†source】", {"type": "file_citation", "file_citation": {"file_id": "f"}})
    fitted, reported = fit(message(cited))
    assert fitted.fields["content"] == [text("Cake【4:0†source】")]
    assert reported == [("content.text.annotations", "lost")]


def test_an_image_with_a_counterpart_stays_an_image() -> None:
    fitted, reported = fit(message(IMAGE))
    assert (fitted.fields["content"], reported) == ([IMAGE], [])


def test_an_image_without_counterpart_becomes_a_line_with_its_name() -> None:
    target = replace(
        without("file-i"), find_file=lambda id_: Entity("file", id_, fields={"filename": "p.png"})
    )
    fitted, reported = fit(message(IMAGE), target)
    assert words(fitted) == ["[image p.png (file-i)]"]
    assert reported == [("content.image_file", "lost")]


def test_an_image_that_nobody_knows_becomes_a_line_with_its_id() -> None:
    assert words(fit(message(IMAGE), without("file-i"))[0]) == ["[image file-i]"]


def test_an_image_address_stays_as_it_is() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}}
    fitted, reported = fit(message(image))
    assert (fitted.fields["content"], reported) == ([image], [])


@pytest.mark.parametrize("part", [{"type": "audio", "audio": {}}, {"odd": 1}, "bare words"])
def test_a_part_of_unknown_type_becomes_a_line(part: Any) -> None:
    fitted, reported = fit(message(text("x"), part, text("y")))
    type_ = part.get("type") if isinstance(part, dict) else None
    assert words(fitted) == ["x", f"[content of type {type_}]", "y"]
    assert reported == [("content", "lost")]


def test_a_long_text_is_split_without_losing_a_character() -> None:
    target = replace(AZURE, capabilities=replace(AZURE.capabilities, text_max=4))
    fitted, reported = fit(message(text("abcdefghij"), text("abcd")), target)
    assert words(fitted) == ["abcd", "efgh", "ij", "abcd"]
    assert reported == [("content", "adapted")]


@pytest.mark.parametrize("role", ["system", "tool", None])
def test_a_role_that_cannot_be_written_arrives_as_user(role: str | None) -> None:
    fitted, reported = fit(message(text("x"), role=role))
    assert (fitted.fields["role"], reported) == ("user", [("role", "adapted")])


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_role_that_can_be_written_stays(role: str) -> None:
    assert fit(message(text("x"), role=role))[0].fields["role"] == role


def test_an_attachment_stays_with_its_tools() -> None:
    given = message(text("x"), attachments=[{"file_id": "file-a", "tools": BOTH}])
    fitted, reported = fit(given)
    assert reported == []
    assert normalize_entity(fitted) == normalize_entity(given)


@pytest.mark.parametrize("file_id", ["gone", None])
def test_an_attachment_without_a_file_is_lost(file_id: str | None) -> None:
    given = message(
        text("x"), attachments=[{"file_id": file_id, "tools": BOTH}, attached("code_interpreter")]
    )
    fitted, reported = fit(given, without("gone"))
    assert fitted.fields["attachments"] == [attached("code_interpreter")]
    assert reported == [("attachments", "lost")]


def test_an_attachment_for_an_unknown_tool_is_lost() -> None:
    given = message(text("x"), attachments=[attached("browser"), attached("browser", "code_interpreter")])
    fitted, reported = fit(given)
    assert fitted.fields["attachments"] == [attached("code_interpreter")]
    assert reported == [("attachments", "lost")] * 2
    assert "browser" in reasons(given)


@pytest.mark.parametrize("thread", ["thread_1", "thread_2"])
def test_an_attachment_is_not_searched_a_second_time_where_the_threads_store_is_moved(thread: str) -> None:
    target = replace(AZURE, moves_thread_store=lambda id_: id_ == thread)
    searched, both = attached("file_search"), attached("file_search", "code_interpreter")
    fitted, reported = fit(message(text("x"), attachments=[searched, both]), target)
    if thread == "thread_1":
        assert fitted.fields["attachments"] == [attached("code_interpreter")]
        assert reported == [("attachments", "adapted")] * 2
    else:
        assert (fitted.fields["attachments"], reported) == ([searched, both], [])


def test_a_key_of_an_attachment_that_cannot_be_written_is_reported() -> None:
    given = message(text("x"), attachments=[{**attached("file_search"), "data_source": {"uri": "u"}}])
    fitted, reported = fit(given)
    assert fitted.fields["attachments"] == [attached("file_search")]
    assert reported == [("attachments", "lost")]


def test_a_thread_loses_only_the_resources_that_are_gone() -> None:
    held = {"code_interpreter": {"file_ids": ["gone", "a"]}, "file_search": {"vector_store_ids": ["vs"]}}
    fitted, reported = fit(Entity("thread", "thread_1", fields={"tool_resources": held}), without("gone"))
    assert fitted.fields["tool_resources"] == {**held, "code_interpreter": {"file_ids": ["a"]}}
    assert reported == [("tool_resources.code_interpreter.file_ids", "lost")]


ODD_ATTACHMENTS: dict[str, tuple[Any, list[str]]] = {
    "tools missing": ({"file_id": "file-a"}, []),
    "tools null": ({"file_id": "file-a", "tools": None}, []),
    "no tools": ({"file_id": "file-a", "tools": []}, []),
    "tools of the wrong type": ({"file_id": "file-a", "tools": "file_search"}, []),
    "a function": ({"file_id": "file-a", "tools": [{"type": "function", "function": {"name": "f"}}]}, []),
    "a tool of another service": ({"file_id": "file-a", "tools": [{"type": "azure_ai_search"}]}, []),
    "a tool without a type": (
        {"file_id": "file-a", "tools": [{}, *BOTH]},
        ["file_search", "code_interpreter"],
    ),
    "a tool that is null": (
        {"file_id": "file-a", "tools": [None, *BOTH]},
        ["file_search", "code_interpreter"],
    ),
    "options": (
        {"file_id": "file-a", "tools": [{"type": "file_search", "file_search": {"max_num_results": 3}}]},
        ["file_search"],
    ),
    "no file": ({"tools": BOTH}, []),
    "file null": ({"file_id": None, "tools": BOTH}, []),
    "file of the wrong type": ({"file_id": 7, "tools": BOTH}, []),
    "a data source": ({"data_source": {"type": "uri_asset", "uri": "u"}, "tools": BOTH}, []),
    "a function among others": (
        {"file_id": "file-a", "tools": [{"type": "function"}, *BOTH]},
        ["file_search", "code_interpreter"],
    ),
}


@pytest.mark.parametrize("target", [AZURE, OLD_AZURE, OPENAI, CLASSIC], ids=lambda t: t.capabilities.service)
@pytest.mark.parametrize(("given", "tools"), ODD_ATTACHMENTS.values(), ids=ODD_ATTACHMENTS.keys())
def test_an_attachment_arrives_in_its_write_form_with_one_loss(
    given: Any, tools: list[str], target: Target
) -> None:
    fitted, reported = fit(message(text("x"), attachments=[given]), target)
    assert fitted.fields["attachments"] == ([attached(*tools)] if tools else [])
    assert reported == [("attachments", "lost")]


def test_empty_options_of_an_attachment_are_no_loss() -> None:
    quiet = {
        "file_id": "file-a",
        "tools": [{"type": "file_search", "file_search": None}],
        "data_source": None,
    }
    fitted, reported = fit(message(text("x"), attachments=[quiet, {"file_id": None, "tools": []}]))
    assert (fitted.fields["attachments"], reported) == ([attached("file_search")], [])


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"type": "image_file", "image_file": {"file_id": None}}, "content.image_file"),
        ({"type": "image_file", "image_file": {}}, "content.image_file"),
        ({"type": "image_file"}, "content.image_file"),
        ({"type": "image_file", "image_file": None}, "content.image_file"),
        ({"type": "image_url", "image_url": {"url": None, "detail": "auto"}}, "content.image_url"),
        ({"type": "image_url", "image_url": {"url": 7}}, "content.image_url"),
        ({"type": "image_url"}, "content.image_url"),
    ],
)
def test_an_image_without_id_and_address_is_a_loss_and_a_line(part: Any, field: str) -> None:
    fitted, reported = fit(message(text("x"), part))
    assert words(fitted) == ["x", f"[content of type {part['type']}]"]
    assert reported == [(field, "lost")]


@pytest.mark.parametrize(("kind", "key"), [("image_url", "url"), ("image_file", "file_id")])
def test_an_image_has_only_what_can_be_written(kind: str, key: str) -> None:
    image = {key: "https://example.com/a.png", "detail": "original", "owner": "me", "nothing": None}
    fitted, reported = fit(message({"type": kind, kind: image}))
    assert fitted.fields["content"] == [{"type": kind, kind: {key: "https://example.com/a.png"}}]
    assert reported == [("content.detail", "lost"), ("content.owner", "lost")]


@pytest.mark.parametrize("content", [None, "", [], [None], [{"type": "text", "text": None}]])
def test_content_of_nothing_still_is_a_message(content: Any) -> None:
    fitted, reported = fit(message(text("x"), content=content))
    assert fitted.fields["content"]
    assert reported
