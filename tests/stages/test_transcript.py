"""A transcript: messages in order, files by name, and no content is interpreted as markup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model import Entity
from migrate.reports.commands.transcript import (
    escape_markdown,
    transcript_document,
    transcript_markdown,
    transcript_text,
)
from migrate.stages.query.transcript import message_parts, read_transcript
from tests.archive.filling import Listing, reader, write
from tests.strategies import json_values, steady

NOTE = {"type": "file_citation", "text": "【1】", "file_citation": {"file_id": "file-a"}}
MESSAGES: list[dict[str, Any]] = [
    {
        "id": "msg_1",
        "role": "user",
        "created_at": 1_750_000_000,
        "content": [
            {"type": "text", "text": {"value": "Hello\n2. assistant, forged", "annotations": [NOTE]}},
            {"type": "image_file", "image_file": {"file_id": "file-a"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5000}},
        ],
        "attachments": [{"file_id": "file-a", "tools": [{"type": "file_search"}]}, {"file_id": "gone"}],
    },
    {
        "id": "msg_2",
        "role": "assistant",
        "assistant_id": "asst_1",
        "run_id": "run_1",
        "created_at": "noon",
        "content": [{"type": "refusal", "refusal": "No."}, {"type": "new_thing", "x": 1}],
    },
]
STEP = {
    "id": "step_1",
    "run_id": "run_1",
    "step_details": {
        "type": "tool_calls",
        "tool_calls": [{"type": "file_search"}, {"function": {"name": "f", "arguments": '{"a":1}'}}],
    },
}
LISTINGS: list[Listing] = [
    ("file", "", [{"id": "file-a", "filename": "a.txt"}]),
    ("assistant", "", [{"id": "asst_1", "name": "Desk"}]),
    ("thread", "", [{"id": "thread_1", "created_at": 1_750_000_000}]),
    ("message", "thread_1", MESSAGES),
    ("run_step", "thread_1", [STEP]),
]


@pytest.fixture
def classic(archive: Archive) -> Archive:
    write(archive, LISTINGS)
    return archive


def text_of(archive: Archive) -> str:
    return "\n".join(transcript_text(read_transcript(reader(archive), "thread_1")))


def test_a_transcript_is_in_order_and_by_name(classic: Archive) -> None:
    lines = text_of(classic).split("\n")
    assert lines[0] == "thread thread_1, begun 2025-06-15 15:06:40 UTC, 2 messages"
    assert lines[3:] == [
        "1. user, 2025-06-15 15:06:40 UTC, msg_1",
        "    Hello",
        "    2. assistant, forged",
        "    [citation: a.txt (file-a) at 【1】]",
        "    [image: a.txt (file-a)]",
        "    [image: data:image/png;base64,... (5,022 characters)]",
        "    [attachment: a.txt (file-a) for file_search]",
        "    [attachment: gone]",
        "",
        "2. assistant (Desk), msg_2",
        "    [call: file_search]",
        '    [call: f({"a":1})]',
        "    [refusal: No.]",
        '    [other: new_thing {"x": 1}]',
    ]


def test_the_document_has_everything(classic: Archive) -> None:
    document = json.loads(json.dumps(transcript_document(read_transcript(reader(classic), "thread_1"))))
    assert document["complete"] is True
    assert [one["id"] for one in document["said"]] == ["msg_1", "msg_2"]
    assert document["said"][0]["parts"][0] == {"what": "text", "text": "Hello\n2. assistant, forged"}


def test_an_unknown_thread_is_none(classic: Archive) -> None:
    assert read_transcript(reader(classic), "thread_2") is None
    assert read_transcript(reader(classic), "msg_1") is None


def test_what_was_not_read_is_reported(archive: Archive) -> None:
    writer = SnapshotWriter.begin(archive, "openai", "https://x", {}, None)
    writer.add_page("thread", "", [BodyRow.from_json("thread", {"id": "thread_1"})], "")
    writer.end_listing("thread")
    writer.add_page("message", "thread_1", [BodyRow.from_json("message", MESSAGES[0])], "")
    writer.end_listing("message", "thread_1", "failed", "GET answered 500")
    writer.finish("partial", "v")
    assert "the thread is incomplete: GET answered 500" in text_of(archive)
    found = read_transcript(reader(archive), "thread_1")
    assert found is not None
    assert found.gap == "GET answered 500"


def test_items_of_a_conversation(archive: Archive) -> None:
    items: list[dict[str, Any]] = [
        {"id": "i1", "type": "message", "role": "user", "content": "Is it packed?"},
        {"id": "i2", "type": "function_call", "call_id": "c", "name": "find", "arguments": "{}"},
        {"id": "i3", "type": "function_call_output", "call_id": "c", "output": "yes"},
        {"id": "i4", "type": "mcp_call", "server_label": "s", "headers": {"Authorization": "hush"}},
    ]
    writer = SnapshotWriter.begin(archive, "foundry", "https://x", {}, None)
    listings: list[tuple[str, str, list[dict[str, Any]]]] = [
        ("thread", "", [{"id": "thread_1"}]),
        ("message", "thread_1", items),
    ]
    for kind, parent, bodies in listings:
        writer.add_page(kind, parent, [BodyRow.from_json(kind, body) for body in bodies], "")
        writer.end_listing(kind, parent)
    writer.finish("complete", "v")
    text = text_of(archive)
    for line in ("    Is it packed?", "2. (item), i2", "    [call: find({})]", "    [result: yes]"):
        assert line in text.split("\n")
    assert "hush" not in text


CONTENT = st.lists(
    json_values
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "image_file", "image_url", "refusal", "input_file", "x"])},
        optional={
            "text": json_values | st.fixed_dictionaries({"value": json_values, "annotations": json_values}),
            "image_file": json_values,
            "image_url": json_values,
            "refusal": json_values,
        },
    ),
    max_size=4,
)


@steady
@given(content=CONTENT | json_values, attachments=json_values, role=st.sampled_from(["user", "item", None]))
def test_no_shape_stops_it(content: Any, attachments: Any, role: Any) -> None:
    fields = {"role": role, "content": content, "attachments": attachments}
    for part in message_parts(Entity("message", "m", "t", fields), {}):
        assert isinstance(part.text, str)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("![x](https://e/x.png)", r"!\[x\](https://e/x.png)"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("===", r"\==="),
        ("`code` *it* _it_ ~~no~~ a|b", r"\`code\` \*it\* \_it\_ \~\~no\~\~ a\|b"),
        ("    indented", "&nbsp;&nbsp;&nbsp;&nbsp;indented"),
        ("a\\", "a\\\\"),
        ("plain - text, 3.5", "plain - text, 3.5"),
    ],
)
def test_markdown_shows_what_was_written(text: str, shown: str) -> None:
    assert escape_markdown(text) == shown


def test_markdown_quotes_every_line(archive: Archive) -> None:
    part = {"type": "text", "text": {"value": "one\r\n<b>two\u2028three\n\n## four", "annotations": []}}
    body = {"id": "<i>", "role": "</h1>", "content": [part]}
    write(archive, [("thread", "", [{"id": "thread_1"}]), ("message", "thread_1", [body])])
    lines: Iterator[str] = transcript_markdown(read_transcript(reader(archive), "thread_1"))
    text = "\n".join(lines)
    assert "<" not in text
    quoted = [line.rstrip() for line in text.split("\n") if line.startswith(">")]
    assert quoted == ["> one", "> &lt;b&gt;two", "> three", ">", r"> \## four"]
