"""Arguments and bodies of any form: a tool answers within its bounds, or says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.errors import MigrateError
from migrate.mcp.answers import MAX_ANSWER_CHARS
from migrate.mcp.server import ARCHIVE_TOOLS, ServedArchive
from tests.archive.filling import write
from tests.mcp.archives import fill
from tests.mcp.test_tools import CALLS
from tests.strategies import few, json_values, words

NAMES = sorted({parameter.name for tool in ARCHIVE_TOOLS.values() for parameter in tool.parameters})
some = (
    json_values | words | st.sampled_from(["thread_long", "asst_1", "plants.txt", "1", "\ud800", "x" * 3_000])
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "estate.db"
    fill(path)
    return path


def answered(served: ServedArchive, tool: str, arguments: dict[str, Any]) -> None:
    try:
        text = served.call(tool, arguments)
    except MigrateError:
        return
    else:
        assert len(text) <= MAX_ANSWER_CHARS
        json.loads(text)


@few(1)
@given(
    st.sampled_from([*ARCHIVE_TOOLS, "other"]),
    st.dictionaries(st.sampled_from(NAMES) | words, some, max_size=4),
)
def test_arguments_of_any_form(path: Path, tool: str, arguments: dict[str, Any]) -> None:
    answered(ServedArchive(path, "latest"), tool, arguments)


# Values of other types than text, list and object, some of them large.
ODD: list[Any] = [
    None, 7, -1.5, float("nan"), float("inf"), True, "text", "half \ud800", "a\0b", [], {}, [None, [[]]],
    {"a": {"b": [1]}}, "\u202e" * 30_000, ["x" * 5_000] * 40, {f"key {n}": "y" * 400 for n in range(60)},
    [[[[[[[["deep"]]]]]]]] * 30,
]  # fmt: skip


def odd_estate(value: Any) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """An estate in which a value is wherever a service might put something."""
    text = {
        "type": "text",
        "text": {"value": value, "annotations": [value, {"type": "file_citation", "text": value}]},
    }
    message = {
        "role": value,
        "created_at": value,
        "assistant_id": value,
        "run_id": "run_1",
        "metadata": value,
    }
    step = {"type": "tool_calls", "tool_calls": [value, {"type": "function", "function": value}]}
    return [
        ("file", "", [{"id": "file-1", "filename": value, "purpose": value, "created_at": value}]),
        ("vector_store", "", [{"id": "vs_1", "name": value, "file_counts": value}]),
        ("assistant", "", [
            {"id": "asst_1", "name": value, "model": value, "instructions": value, "tools": value,
             "metadata": value, "created_at": value, "tool_resources": value},
        ]),
        ("thread", "", [{"id": "thread_1", "created_at": value, "metadata": value, "tool_resources": value}]),
        ("message", "thread_1", [
            {"id": "msg_1", "content": value, "attachments": value, **message},
            {"id": "msg_2", "content": [value, text, {"type": value}], "attachments": [value], **message},
        ]),
        ("run", "thread_1", [
            {"id": "run_1", "status": value, "model": value, "usage": value, "last_error": value,
             "created_at": value},
        ]),
        ("run_step", "thread_1", [
            {"id": "step_1", "run_id": "run_1", "step_details": step, "last_error": value},
        ]),
    ]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:30])
def test_bodies_of_any_form(tmp_path: Path, value: Any) -> None:
    with Archive.open(tmp_path / "estate.db", write=True, create=True) as archive:
        write(archive, odd_estate("as it was"))
        write(archive, odd_estate(value))
    served = ServedArchive(tmp_path / "estate.db", "latest")
    calls = {
        **CALLS,
        "search": {"query": "text"},
        "get_thread": {"thread": "thread_1"},
        "get_assistant": {"assistant": "asst_1"},
    }
    for tool, arguments in calls.items():
        if tool == "get_file_text":
            continue  # there are no bytes
        following: dict[str, Any] | None = arguments
        for _ in range(100):
            if following is not None:
                text = served.call(tool, following)
                assert len(text) <= MAX_ANSWER_CHARS
                following = json.loads(text)["next"]
        assert following is None
