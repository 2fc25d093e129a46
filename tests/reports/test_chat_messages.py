"""Conversations as chat messages: the form that tools for evaluation read, with nothing lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.model.results.conversation import (
    Attachment,
    Citation,
    ConversationMessage,
    ConversationPart,
    FileReference,
    NewId,
    RunRecord,
    RunStep,
    TokenUsage,
    ToolCall,
)
from migrate.reports.transcripts.chat_lines import ChatLines, ChatMessages
from migrate.stages.transcripts.run import single_page
from tests.archive.bundled import SERVICES, bundled
from tests.reports.hostile import HOSTILE


def said(*parts: ConversationPart, role: str = "user", number: int = 1, **more: Any) -> ConversationMessage:
    facts = {"id": "m", "at": "", "assistant": "", "assistant_id": "", "status": ""}
    return ConversationMessage(number=number, role=role, parts=parts, **{**facts, **more})


def text(value: str, **more: Any) -> ConversationPart:
    return ConversationPart("text", value, **more)


def chat(*messages: ConversationMessage, runs: tuple[RunRecord, ...] = ()) -> list[dict[str, Any]]:
    """The messages without what the form has no place for."""
    return [
        {name: value for name, value in one.items() if name != "about"}
        for one in ChatMessages().read(messages, runs)
    ]


def about(*messages: ConversationMessage) -> list[dict[str, Any]]:
    return [one["about"] for one in ChatMessages().read(messages, ())]


# -------------------------------------------------------------------------------------------------- content


def test_texts_are_one_text_and_anything_else_is_a_list_of_parts() -> None:
    file = FileReference("f", "a.pdf")
    assert chat(said(text("Use both:"), text("these."))) == [
        {"role": "user", "content": "Use both:\n\nthese."}
    ]
    parts = (
        text("See"),
        ConversationPart("image", file=file),
        ConversationPart("image", url="https://e.example/x.png"),
        ConversationPart("file", "found", file=file),
        ConversationPart("file", name="b.pdf"),
        ConversationPart("refusal", "No."),
        ConversationPart("other", "{}", name="new_thing"),
    )
    assert chat(said(*parts))[0]["content"] == [
        {"type": "text", "text": "See"},
        {"type": "image_file", "image_file": {"file_id": "f", "filename": "a.pdf"}},
        {"type": "image_url", "image_url": {"url": "https://e.example/x.png"}},
        {"type": "file", "file": {"file_id": "f", "filename": "a.pdf"}, "text": "found"},
        {"type": "file", "file": {"file_id": None, "filename": "b.pdf"}},
        {"type": "refusal", "refusal": "No."},
        {"type": "new_thing", "text": "{}"},
    ]
    refusal = said(ConversationPart("refusal", "No."), role="assistant")
    assert chat(refusal) == [{"role": "assistant", "content": None, "refusal": "No."}]


def test_what_the_form_has_no_place_for_is_about_the_message() -> None:
    note = Citation("【1】", 1, 4, FileReference("f", "a.pdf"), quote="q")
    page = Citation("", -1, -1, None, "T", "https://e.example")
    message = said(
        text("ab"),
        text("b【1】", citations=(note, page)),
        role="assistant",
        at="2026-03-01T10:00:00Z",
        assistant="Desk",
        assistant_id="asst_1",
        assistant_version="2",
        status="incomplete: max_tokens",
        attachments=(
            Attachment(FileReference("g", "b.csv"), ("code_interpreter",)),
            Attachment(None, (), "x"),
        ),
        metadata={"k": "v"},
        new_ids=(NewId("foundry https://n", "i"),),
        gaps=("hidden",),
    )
    assert about(message) == [
        {
            "id": "m",
            "created_at": "2026-03-01T10:00:00Z",
            "assistant_id": "asst_1",
            "assistant": "Desk",
            "assistant_version": "2",
            "status": "incomplete: max_tokens",
            "attachments": [
                {"file_id": "g", "filename": "b.csv", "tools": ["code_interpreter"]},
                {"file_id": None, "filename": "x", "tools": []},
            ],
            "citations": [
                {"marker": "【1】", "start": 5, "end": 8, "file_id": "f", "filename": "a.pdf", "quote": "q"},
                {"title": "T", "url": "https://e.example"},
            ],
            "metadata": {"k": "v"},
            "became": [{"target": "foundry https://n", "id": "i"}],
            "not_shown": ["hidden"],
        }
    ]
    (message_,) = ChatMessages().read([message], ())
    assert message_["content"][5:8] == "【1】"
    assert (
        about(said(text("b【1】", citations=(note,)), ConversationPart("image")))[0]["citations"][0]["part"]
        == 0
    )


# --------------------------------------------------------------------------------------------------- calls


def item(*parts: ConversationPart, **more: Any) -> ConversationMessage:
    return said(*parts, role="", **more)


def call(id_: str, name: str = "find", arguments: str = "{}") -> ConversationMessage:
    return item(ConversationPart("call", arguments, name=name, call_id=id_))


def result(id_: str, output: str) -> ConversationMessage:
    return item(ConversationPart("result", output, call_id=id_))


def called(*ids: str) -> dict[str, Any]:
    calls = [{"id": id_, "type": "function", "function": {"name": "find", "arguments": "{}"}} for id_ in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def answered(id_: str, content: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def test_calls_that_follow_each_other_are_one_message() -> None:
    assert chat(call("a"), call("b"), result("a", "1"), result("b", "2"), call("c"), result("c", "3")) == [
        called("a", "b"), answered("a", "1"), answered("b", "2"), called("c"), answered("c", "3"),
    ]  # fmt: skip


def test_every_call_has_an_answer_before_anything_else_is_said() -> None:
    assert chat(call("a"), call("b"), result("b", "2"), said(text("Hello"))) == [
        called("a", "b"), answered("b", "2"), answered("a", ""), {"role": "user", "content": "Hello"},
    ]  # fmt: skip
    assert chat(call("a")) == [called("a"), answered("a", "")]
    assert [one["about"] for one in ChatMessages().read([call("a")], ())] == [
        {"items": ["m"]},
        {"not_in_archive": True},
    ]


def test_an_item_with_its_own_result_is_a_call_and_an_answer() -> None:
    code = item(
        ConversationPart("code", "1 + 1", name="code_interpreter", call_id="ci"),
        ConversationPart("result", "2", call_id="ci"),
        ConversationPart("image", url="https://e.example/p.png"),
    )
    asked, told = chat(code)
    assert asked["tool_calls"][0]["function"] == {
        "name": "code_interpreter", "arguments": '{"code": "1 + 1"}',
    }  # fmt: skip
    assert told == answered(
        "ci",
        [
            {"type": "text", "text": "2"},
            {"type": "image_url", "image_url": {"url": "https://e.example/p.png"}},
        ],
    )


@pytest.mark.parametrize(
    ("given", "arguments"),
    [('{"a": 1}', '{"a": 1}'), ("[1]", '{"input": "[1]"}'), ("mint", '{"input": "mint"}'), ("", "{}")],
)
def test_arguments_are_the_text_of_an_object(given: str, arguments: str) -> None:
    (asked, _) = chat(call("a", arguments=given))
    assert asked["tool_calls"][0]["function"]["arguments"] == arguments


def test_reasoning_comes_with_the_next_words_of_the_assistant() -> None:
    thought = item(ConversationPart("reasoning", "Dry."))
    asked, _, told = chat(thought, call("a"), result("a", "1"), thought, said(text("Yes"), role="assistant"))[
        :3
    ]
    assert asked["reasoning"] == "Dry."
    assert told == {"role": "assistant", "content": "Yes", "reasoning": "Dry."}
    assert chat(thought) == [{"role": "assistant", "content": "", "reasoning": "Dry."}]


def test_runs_stand_where_they_happened() -> None:
    calls = (
        ToolCall("function", "find", "{}", (ConversationPart("result", "1"),), "c1"),
        ToolCall("code_interpreter", "", "1 + 1"),
    )
    step = RunStep("s", "tool_calls", "completed", "2026-03-01T10:00:00Z", calls)
    run = RunRecord(
        "r", "failed", "gpt-4o", "Desk", "asst_1", usage=TokenUsage(1, 2, 3), error="e", steps=(step,)
    )
    made = ChatMessages()
    messages = list(made.read([said(text("Hi")), said(text("Yes"), role="assistant", runs=(run,))], ()))
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool", "assistant"]
    assert messages[1]["about"] == {"run_id": "r", "step_id": "s", "created_at": "2026-03-01T10:00:00Z"}
    assert [one["id"] for one in messages[1]["tool_calls"]] == ["c1", "s-1"]
    assert (messages[2]["content"], messages[3]["content"]) == ("1", "")
    assert made.runs == [
        {
            "after": 1, "id": "r", "status": "failed", "model": "gpt-4o", "assistant_id": "asst_1",
            "error": "e",
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        }
    ]  # fmt: skip
    assert [m["role"] for m in chat(said(text("Hi")), runs=(run,))] == ["user", "assistant", "tool", "tool"]


def test_other_items_are_kept_apart() -> None:
    made = ChatMessages()
    listed = item(ConversationPart("other", "{}", name="mcp_list_tools"), id="i")
    secret = item(ConversationPart("reasoning", "", name="encrypted"), id="j")
    assert len(list(made.read([said(text("Hi")), listed, secret], ()))) == 1
    assert made.other == [
        {"after": 1, "id": "i", "type": "mcp_list_tools", "text": "{}"},
        {"after": 1, "id": "j", "type": "encrypted", "text": ""},
    ]


# -------------------------------------------------------------------------------------------------- a line


@pytest.fixture(scope="module", params=SERVICES)
def example(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SnapshotReader]:
    with Archive.open(tmp_path_factory.mktemp("x") / "a.db", write=True, create=True) as archive:
        yield bundled(archive, request.param)


def check_form(messages: list[dict[str, Any]]) -> None:
    """What a service that takes chat messages asks of them."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
            continue
        assert waiting == []
        calls = message.get("tool_calls", [])
        waiting = [one["id"] for one in calls]
        assert calls or message["content"] is not None or message.get("refusal")
        for one in calls:
            assert isinstance(json.loads(one["function"]["arguments"]), dict)
    assert waiting == []


def test_every_bundled_conversation_is_one_valid_line(example: SnapshotReader) -> None:
    for _, body in example.bodies("thread"):
        page = single_page(example, body["id"])
        assert page is not None
        line = "".join(ChatLines().thread(page))
        assert line.endswith("}\n")
        assert len(line.splitlines()) == 1
        found = json.loads(line)
        assert (found["id"], found["complete"], found["gap"]) == (body["id"], True, "")
        assert found["metadata"] == body["metadata"]
        check_form(found["messages"])
        stored = [row["id"] for _, row in example.bodies("message", body["id"])]
        known = [message.get("about", {}) for message in found["messages"]]
        given = {id_ for one in known for id_ in (one.get("id"), *one.get("items", []))}
        assert set(stored) <= {*given, *(row["id"] for row in found["other"])}
        runs = [row["id"] for _, row in example.bodies("run", body["id"])]
        assert [row["id"] for row in found["runs"]] == runs


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_in_its_line(hostile: str) -> None:
    (message,) = ChatMessages().read([said(text(hostile))], ())
    line = json.dumps(message)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["content"] == hostile
