"""Dumps in any form that scripts, editors and shells write are read or reported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Estate
from migrate.emulator.saved_state import INCOMPLETE_LIST, load
from tests.e2e.running import ROOT

THREAD = {"id": "thread_1", "object": "thread", "created_at": 1, "metadata": {}, "tool_resources": {}}
SAID = [
    {"id": f"msg_{n}", "object": "thread.message", "thread_id": "thread_1", "created_at": n, "role": "user",
     "content": [{"type": "text", "text": {"value": f"{n} \u2028 \N{GRINNING FACE}", "annotations": []}}]}
    for n in (1, 2, 3)
]  # fmt: skip
ASSISTANT = {"id": "asst_1", "object": "assistant", "created_at": 1, "model": "gpt-4o", "tools": []}
STORE = {"id": "vs_1", "object": "vector_store", "created_at": 1, "name": "s"}
ENTRY = {"id": "file-1", "object": "vector_store.file", "vector_store_id": "vs_1", "status": "completed"}
FILE = {"id": "file-1", "object": "file", "created_at": 1, "filename": "a.pdf", "bytes": 2}


def bare(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A row without the keys that show its kind and its parent."""
    return {key: value for key, value in row.items() if key not in ("object", *keys)}


NAMELESS = [bare(row, "thread_id") for row in SAID]
EVERYTHING = {
    "assistants": [bare(ASSISTANT)], "files": [bare(FILE)],
    "vector_stores": [{**bare(STORE), "files": [bare(ENTRY, "vector_store_id")]}],
    "threads": [{**bare(THREAD), "messages": NAMELESS}], "exported_at": "2026-01-01", "version": 2,
}  # fmt: skip
SHAPES: dict[str, tuple[str, Any]] = {
    "a list": ("a.json", SAID),
    "an envelope": ("a.json", {"object": "list", "data": SAID, "has_more": False}),
    "an envelope without object": ("a.json", {"data": SAID}),
    "a list of envelopes": ("a.json", [{"data": SAID[:1], "has_more": True}, {"data": SAID[1:]}]),
    "thread and messages": ("a.json", {"thread": THREAD, "messages": SAID}),
    "thread and messages that say nothing": ("a.json", {"thread": bare(THREAD), "messages": NAMELESS}),
    "thread and an envelope": ("a.json", {"thread": THREAD, "messages": {"data": SAID, "has_more": False}}),
    "thread_id and messages": ("a.json", {"thread_id": "thread_1", "messages": NAMELESS}),
    "id and messages": ("a.json", {"id": "thread_1", "messages": NAMELESS}),
    "a thread with its messages": ("a.json", {**THREAD, "messages": SAID}),
    "a list of threads with messages": ("a.json", [{**bare(THREAD), "messages": NAMELESS}]),
    "messages by thread": ("a.json", {"messages": {"thread_1": NAMELESS}}),
    "envelopes by thread": ("a.json", {"messages": {"thread_1": {"data": NAMELESS}}}),
    "threads by id": ("a.json", {"threads": {"thread_1": {"messages": NAMELESS}}}),
    "everything in one file": ("a.json", EVERYTHING),
    "a file for each thread": ("messages/thread_1.json", NAMELESS),
    "known by the prefix of the id": ("a.json", [bare(row) for row in SAID]),
    "a recorded exchange": ("a.json", {"request_body": {}, "response_body": {"data": SAID}}),
}
CODES = {
    "utf-8": "utf-8", "mark": "utf-8-sig", "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-32": "utf-32",
}  # fmt: skip


def messages(folder: Path) -> list[tuple[str, str]]:
    estate = Estate()
    skipped = load(folder, estate)
    assert [(row.file, row.reason) for row in skipped] == []
    rows = [row for table in estate.messages.values() for row in table.values()]
    assert all(row["object"] == "thread.message" and row["thread_id"] == "thread_1" for row in rows)
    assert "thread_1" in estate.threads
    return [(row["id"], row["content"][0]["text"]["value"]) for row in rows]


WANTED = [(row["id"], row["content"][0]["text"]["value"]) for row in SAID]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_dump_of_any_shape_is_read(tmp_path: Path, shape: str) -> None:
    name, document = SHAPES[shape]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    assert messages(tmp_path) == WANTED


def test_everything_of_an_estate_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text(json.dumps(EVERYTHING), encoding="utf-8")
    estate = Estate()
    assert load(tmp_path, estate) == []
    assert estate.assistants["asst_1"] == ASSISTANT
    assert estate.files["file-1"] == FILE
    assert estate.vector_stores["vs_1"] == STORE
    assert estate.vector_store_files["vs_1"]["file-1"] == ENTRY


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "A.JSONL"])
def test_json_lines_in_any_unicode_encoding(tmp_path: Path, code: str, ending: str, name: str) -> None:
    text = ending.join(json.dumps(row, ensure_ascii=False) for row in SAID) + ending + ending
    (tmp_path / name).write_bytes(text.encode(CODES[code]))
    assert messages(tmp_path) == WANTED


def test_bare_text_becomes_the_text_of_a_message(tmp_path: Path) -> None:
    rows = [{"id": row["id"], "role": "user", "content": row["content"][0]["text"]["value"]} for row in SAID]
    (tmp_path / "a.json").write_text(json.dumps({"thread_id": "thread_1", "messages": rows}))
    assert messages(tmp_path) == WANTED


def text(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.json", text(SAID)[:-30], "not JSON"),
        ("a.json", b"", "not JSON"),
        ("a.jsonl", text(SAID[0]) + b"\n" + text(SAID[1])[:-9], "line 2: not JSON"),
        ("a.json", text(SAID[0]) + b"\n" + text(SAID[1])[:-9], "line 2: not JSON"),
        ("a.json", text("words"), "only a str, not an object"),
        ("a.json", b"\xff\xfe\xff", "not JSON: byte"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.json", text({"data": SAID, "has_more": True}), INCOMPLETE_LIST),
        ("a.json", text({"thread": THREAD, "messages": {"data": SAID, "has_more": True}}), INCOMPLETE_LIST),
        ("a.json", text({"data": [], "has_more": True}), INCOMPLETE_LIST),
        ("a.json", text({"value": SAID, "nextLink": "https://x"}), INCOMPLETE_LIST),
        ("a.json", text([{"role": "user", "content": "hi"}]), "not a known kind of object"),
        ("a.json", text({"thread_id": "thread_1", "messages": [{"role": "user", "content": "hi"}]}),
         "thread.message without id"),
        ("a.json", text([bare(SAID[0], "thread_id")]), "thread.message without thread_id"),
        ("a.json", text({"threads": [THREAD], "notes": [{"a": 1}]}), "the key 'notes'"),
        ("a.json", text({"object": "chat.completion", "id": "c"}), "not a known kind of object"),
        ("a.csv", b"id,role\n", "neither JSON nor the content"),
        ("notes", b"x", "neither JSON nor the content"),
        ("content/file-9", b"x", "no file has this id"),
        ("content/deep/file-1", b"x", "no file has this id"),
    ],
)  # fmt: skip
def test_unusable_parts_are_reported(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(data)
    skipped = load(tmp_path, Estate())
    assert [row.file for row in skipped] == [name]
    assert reason in skipped[0].reason


def test_a_listing_saved_page_by_page_is_complete_with_its_last_page(tmp_path: Path) -> None:
    pages = [{"data": SAID[:1], "has_more": True}, {"data": SAID[1:2], "has_more": True},
             {"data": SAID[2:], "has_more": False}]  # fmt: skip
    for number, page in enumerate(pages):
        (tmp_path / f"{number}.json").write_text(json.dumps(page))
    assert messages(tmp_path) == WANTED
    (tmp_path / "2.json").unlink()
    assert [row.reason for row in load(tmp_path, Estate())] == [INCOMPLETE_LIST]


def test_bytes_beside_the_json(tmp_path: Path) -> None:
    rows = [
        FILE,
        {**FILE, "id": "file-2", "filename": "b.txt"},
        {**FILE, "id": "file-3", "filename": "c.txt"},
    ]
    (tmp_path / "files.json").write_text(json.dumps(rows))
    for name in ("a.pdf", "file-2", "file-3.txt"):
        (tmp_path / name).write_bytes(name.encode())
    estate = Estate()
    assert load(tmp_path, estate) == []
    assert {id_: blob.read() for id_, blob in estate.content.items()} == {
        "file-1": b"a.pdf", "file-2": b"file-2", "file-3": b"file-3.txt",
    }  # fmt: skip


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_reports_what_it_did_not_use(tmp_path: Path, as_json: bool) -> None:
    (tmp_path / "a.json").write_text(json.dumps(SAID))
    (tmp_path / "b.json").write_text("{")
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate", "emulate", "--state", str(tmp_path), "--port", "0",
         *(["--json"] if as_json else [])],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert "not loaded: b.json: not JSON" in process.stderr.readline()
        assert process.stdout is not None
        first = process.stdout.readline()
        while as_json and not first.rstrip().endswith("\n}"):
            first += process.stdout.readline()
        if as_json:
            document = json.loads(first)
            assert document["held"]["message"] == 3
            assert [row["file"] for row in document["skipped"]] == ["b.json"]
    finally:
        process.terminate()
        process.communicate(timeout=10)
