"""Which texts of an object are searched, whatever types its body has, and what is left out."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.model import KINDS
from migrate.model.document_texts import MAX_TEXT_CHARS, iter_metadata, read_document
from migrate.model.file_text import MAX_FILE_CHARS, file_text
from migrate.model.index_words import FILE_MARK, PARTIAL_WORD, file_word, index_columns, kind_word, role_word
from tests.strategies import json_values, steady, words

SECRET = "sk-" + "a1" * 20
TEXT = {"type": "text", "text": {"value": "the kettle", "annotations": []}}

# Kind, body, and the texts by field that must be found.
READ: dict[str, tuple[str, dict[str, Any], list[tuple[str, str]]]] = {
    "a plain message": (
        "message",
        {"id": "m", "role": "user", "content": [TEXT], "metadata": {"k": "v", "n": 3, "b": True}},
        [("content", "the kettle"), ("metadata", "v"), ("metadata", "3")],
    ),
    "a message of version 1": (
        "message",
        {
            "role": "user",
            "content": [TEXT, {"type": "text", "text": "as it was sent"}],
            "file_ids": ["file-a"],
        },
        [("content", "the kettle"), ("content", "as it was sent")],
    ),
    "a message with everything": (
        "message",
        {
            "role": "assistant",
            "content": [
                {
                    "type": "text",
                    "text": {
                        "value": "see 【1】",
                        "annotations": [
                            {
                                "type": "file_citation",
                                "text": "【1】",
                                "file_citation": {"file_id": "file-b", "quote": "said"},
                            },
                            {"type": "url_citation", "url": "https://example.com/a", "title": "A page"},
                        ],
                    },
                },
                {"type": "refusal", "refusal": "not that"},
                {"type": "image_file", "image_file": {"file_id": "file-c", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
            "attachments": [{"file_id": "file-d", "tools": [{"type": "file_search"}]}],
        },
        [
            ("content", "see 【1】"),
            ("citation", "said"),
            ("citation", "https://example.com/a"),
            ("citation", "A page"),
            ("content", "not that"),
        ],
    ),
    "a call of a conversation": (
        "message",
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "find_order",
            "arguments": '{"order":"A-17"}',
            "created_by": {"agent": {"name": "nobody"}},
        },
        [("call", "find_order"), ("call", '{"order":"A-17"}')],
    ),
    "an output of a conversation": (
        "message",
        {
            "type": "function_call_output",
            "call_id": "call_1",
            "output": [{"type": "input_text", "text": "packed"}],
        },
        [("output", "packed")],
    ),
    "tools of a server, with a secret": (
        "message",
        {
            "type": "mcp_list_tools",
            "server_label": "register",
            "headers": {"Authorization": "opensesame"},
            "tools": [{"name": "find_plant", "description": "Finds it.", "headers": {"x": "opensesame"}}],
        },
        [("call", "register"), ("tools", "find_plant"), ("tools", "Finds it.")],
    ),
    "code of a conversation": (
        "message",
        {
            "type": "code_interpreter_call",
            "code": "plot(week)",
            "container_id": "cntr_1",
            "outputs": [
                {"type": "logs", "logs": "12 weeks"},
                {"type": "image", "url": "data:image/png;base64,BBBB"},
            ],
        },
        [("code", "plot(week)"), ("output", "12 weeks")],
    ),
    "reasoning": (
        "message",
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "A pot dries."}],
            "encrypted_content": "zz",
        },
        [("content", "A pot dries.")],
    ),
    "a step": (
        "run_step",
        {
            "type": "tool_calls",
            "run_id": "run_1",
            "step_details": {
                "type": "tool_calls",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "code_interpreter",
                        "code_interpreter": {"input": "sum(x)", "outputs": [{"type": "logs", "logs": "= 4"}]},
                    },
                    {"type": "function", "function": {"name": "f", "arguments": "{}", "output": "done"}},
                    {
                        "type": "file_search",
                        "file_search": {
                            "ranking_options": {"ranker": "auto"},
                            "results": [
                                {
                                    "file_id": "file-a",
                                    "file_name": "a.txt",
                                    "content": [{"type": "text", "text": "Tuesday"}],
                                }
                            ],
                        },
                    },
                ],
            },
            "last_error": {"code": "server_error", "message": "no screen"},
        },
        [
            ("code", "sum(x)"),
            ("output", "= 4"),
            ("call", "f"),
            ("call", "{}"),
            ("output", "done"),
            ("output", "a.txt"),
            ("content", "Tuesday"),
            ("error", "no screen"),
        ],
    ),
    "a run": (
        "run",
        {
            "instructions": "as its assistant",
            "model": "m",
            "last_error": {"message": "too many"},
            "metadata": {"a": "b"},
        },
        [("error", "too many"), ("metadata", "b")],
    ),
    "an assistant": (
        "assistant",
        {
            "name": "Desk",
            "description": "answers",
            "instructions": "Be kind.",
            "model": "gpt",
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "find",
                        "description": "finds",
                        "parameters": {
                            "type": "object",
                            "properties": {"q": {"type": "string", "description": "what"}},
                        },
                    },
                }
            ],
            "metadata": {"team": "north"},
        },
        [
            ("name", "Desk"),
            ("description", "answers"),
            ("instructions", "Be kind."),
            ("metadata", "north"),
            ("tools", "finds"),
            ("tools", "what"),
        ],
    ),
    "an agent with versions": (
        "assistant",
        {
            "name": "desk",
            "versions": {
                "latest": {"description": "new", "definition": {"kind": "prompt", "instructions": "Now."}},
                "1": {
                    "definition": {
                        "instructions": "Before.",
                        "tools": [{"type": "mcp", "headers": {"k": "opensesame"}}],
                    }
                },
            },
        },
        [("name", "desk"), ("description", "new"), ("instructions", "Now."), ("instructions", "Before.")],
    ),
    "a workflow": (
        "assistant",
        {
            "name": "w",
            "versions": {"latest": {"definition": {"kind": "workflow", "workflow": "kind: workflow"}}},
        },
        [("tools", "kind: workflow")],
    ),
    "a file": ("file", {"id": "file-a", "filename": "a b.txt"}, [("filename", "a b.txt")]),
    "a store": (
        "vector_store",
        {"name": "Manuals", "metadata": {"x": "y"}},
        [("name", "Manuals"), ("metadata", "y")],
    ),
    "a file of a store": (
        "vector_store_file",
        {"id": "file-a", "attributes": {"edition": 3, "for": "shop"}, "last_error": {"message": "no text"}},
        [("attributes", "3"), ("attributes", "shop"), ("error", "no text")],
    ),
    "a thread": ("thread", {"id": "t", "metadata": {"customer": "17"}}, [("metadata", "17")]),
    "a credential in a text": (
        "message",
        {
            "role": "user",
            "content": [{"type": "text", "text": {"value": f"my key {SECRET} is", "annotations": []}}],
        },
        [],
    ),
}


@pytest.mark.parametrize(("kind", "body", "expected"), READ.values(), ids=READ.keys())
def test_texts_of_an_object(kind: str, body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    document = read_document(kind, body)
    assert [field for field in expected if field not in document.fields] == []
    everything = " ".join(filter(None, index_columns(kind, document) or ()))
    for secret in (SECRET, "opensesame", "base64", "nobody", "fc_1", "call_1", "zz"):
        assert secret not in everything


def test_files_that_an_object_refers_to() -> None:
    assert read_document(*READ["a message with everything"][:2]).files == ["file-d", "file-b", "file-c"]
    assert read_document("file", {"id": "file-a"}).files == ["file-a"]
    resources = {"code_interpreter": {"file_ids": ["file-x"]}, "file_search": {"vector_store_ids": ["vs_1"]}}
    assert read_document("assistant", {"tool_resources": resources}).files == ["file-x"]


def test_only_this_program_writes_the_words_of_filters() -> None:
    body = {
        "role": "user",
        "content": [{"type": "text", "text": {"value": f"é {FILE_MARK}x {role_word('user')}"}}],
    }
    text, name = index_columns("message", read_document("message", body)) or ("", "")
    assert text.split()[:2] == [kind_word("message"), role_word("user")]
    assert text.split()[3:] == ["e", "x", "user"]
    assert name is None
    assert PARTIAL_WORD not in text


def test_what_is_not_whole_is_marked() -> None:
    for name in ("a message with everything", "a credential in a text", "a call of a conversation"):
        assert PARTIAL_WORD in (index_columns("message", read_document(*READ[name][:2])) or ("",))[0]


def test_nothing_to_look_for_is_no_document() -> None:
    assert index_columns("run", read_document("run", {"id": "run_1", "status": "completed"})) is None


# Keys that the readers know, below which anything may be.
keys = st.sampled_from(
    "content text value annotations type role metadata tools attachments file_id file_ids name instructions "
    "versions latest definition step_details tool_calls code_interpreter output created_by agent last_error "
    "tool_resources attributes filename id file_citation refusal image_url".split()
)
odd_bodies = st.recursive(
    json_values | st.sampled_from(["text", "message", "function_call", "data:x;base64,y", "\ud800", SECRET]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | words, inner, max_size=5),
    max_leaves=15,
)


@pytest.mark.parametrize("kind", KINDS)
@given(body=st.dictionaries(keys, odd_bodies, max_size=6))
@steady
def test_any_types_are_read(kind: str, body: dict[str, Any]) -> None:
    document = read_document(kind, body)
    for text in filter(None, index_columns(kind, document) or ()):
        text.encode()
        assert SECRET not in text
    assert all(isinstance(value, str) for pair in iter_metadata(kind, body) for value in pair)


def test_a_change_of_the_words_needs_another_format() -> None:
    """Words are removed from the index only when they are given as they were. If this fails although the
    format is new, put the new digest here; else raise `DOCUMENT_FORMAT` first."""
    written = [index_columns(kind, read_document(kind, body)) for kind, body, _ in READ.values()]
    assert hashlib.sha256(json.dumps(written).encode()).hexdigest()[:16] == "56f1dcda1793ae39"


TEXTS = {
    "utf-8": ("Grüße".encode(), "Grüße", False),
    "with a mark": (b"\xef\xbb\xbfabc", "abc", False),
    "utf-16": ("Grüße".encode("utf-16"), "Grüße", False),
    "empty": (b"", "", False),
    "no text": (b"\x89PNG\r\n\x1a\n\x00", None, False),
    "no utf-8": (b"caf\xe9", None, False),
    "controls": (b"a\x00b", None, False),
    "a credential": (f"x {SECRET}".encode(), None, False),
    "long": (b"ab " * MAX_FILE_CHARS, ("ab " * MAX_FILE_CHARS)[: MAX_FILE_CHARS - 1].rstrip(), True),
    "long, of wide characters": ("é ".encode() * MAX_FILE_CHARS * 2, None, True),
}


@pytest.mark.parametrize(("data", "text", "is_cut"), TEXTS.values(), ids=TEXTS.keys())
def test_text_of_files(data: bytes, text: str | None, is_cut: bool) -> None:
    read = file_text(data[n : n + 1000] for n in range(0, len(data), 1000))
    if text is not None:
        assert read == (text, is_cut)
    elif read is not None:
        assert SECRET not in read[0]
        assert read[1] is is_cut
        assert len(read[0]) <= MAX_FILE_CHARS
    else:
        assert not is_cut


def test_a_gigantic_text_is_cut_without_leaving_half_of_a_credential() -> None:
    for text in (
        "ab " * MAX_TEXT_CHARS,
        "ab" * MAX_TEXT_CHARS,
        "ab " * (MAX_TEXT_CHARS // 3 - 5) + SECRET * 3,
    ):
        part = {"type": "text", "text": {"value": text, "annotations": []}}
        document = read_document("message", {"role": "user", "content": [part]})
        (field,) = document.fields
        assert MAX_TEXT_CHARS - 10_001 <= len(field.text) <= MAX_TEXT_CHARS
        assert not document.is_whole
        assert "sk-" not in field.text


def test_words_of_filters_are_one_word_each() -> None:
    assert len({file_word("file-a"), file_word("file-A"), file_word("\ud800")}) == 3
    assert role_word("Tool Call") == role_word("toolcall")
