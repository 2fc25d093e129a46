"""`make recordings` reports on every recorded object, with recordings that were written for this test."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from migrate import codecs
from tests.recordings import pipeline
from tests.recordings.__main__ import main
from tests.recordings.answers import OtherContent, Recorded, read

TEXT = [{"type": "text", "text": {"value": "Hello", "annotations": []}}]
OLD = "https://recorded.example.com/v1"
RECORDINGS: dict[str, Any] = {
    "assistant.json": {
        "uri": f"{OLD}/assistants/asst_1",
        "response_body": {
            "id": "asst_1", "object": "assistant", "created_at": 1, "name": "Helper", "model": "made-up",
            "instructions": "Help.", "tools": [], "metadata": {}, "a_new_key": 1,
        },
    },
    "messages.json": {
        "uri": f"{OLD}/threads/thread_1/messages",
        "response_body": {
            "object": "list",
            "data": [
                {"id": f"msg_{n}", "object": "thread.message", "created_at": n, "thread_id": "thread_1",
                 "role": "user", "content": TEXT, "attachments": [], "metadata": {}}
                for n in range(3)
            ],
        },
    },
    "items.json": [
        {
            "path": "/api/projects/p/openai/v1/conversations/conv_1/items",
            "response": {
                "object": "list",
                "data": [
                    {"id": "msg_a", "type": "message", "role": "user", "status": "completed",
                     "content": [{"type": "input_text", "text": "Hi"}]},
                    {"id": "fc_a", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}",
                     "status": "completed"},
                ],
            },
        },
        {"path": "/api/projects/p/agents/x", "response": {"error": {"code": "not_found"}}},
    ],
    "tools.json": {"rows": [{"tool": "code_interpreter", "tool_json": {"type": "code_interpreter"}}]},
    "gallery.json": {"types": {"reasoning": [{"item": {"id": "rs_1", "type": "reasoning", "summary": []}}]}},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, document in RECORDINGS.items():
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "cut.json").write_text('{"response_body": {"id": ', encoding="utf-8")
    (tmp_path / "notes.md").write_text("# no recording", encoding="utf-8")
    return tmp_path


def test_every_object_is_found_with_its_parent(folder: Path) -> None:
    found = list(read(folder))
    objects = Counter((one.family, one.kind, one.parent) for one in found if isinstance(one, Recorded))
    assert objects == {
        ("assistants", "assistant", ""): 1,
        ("assistants", "message", "thread_1"): 3,
        ("project", "message", "conv_1"): 2,
        ("project", "message", "conv_reasoning"): 1,
        ("project", "assistant", ""): 1,
    }
    others = [one for one in found if isinstance(one, OtherContent)]
    assert {one.source for one in others} == {"cut.json", "items.json"}
    assert "an error" in {one.what for one in others}


def test_all_of_it_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(folder)
    said = capsys.readouterr().out
    assert code == 0, said
    assert "6 recordings" in said
    assert "assistants: 5 objects (1 assistant, 3 message, 1 thread)" in said
    assert "project: 6 objects (1 assistant, 3 message, 2 thread)" in said
    assert "not decoded: 0" in said
    assert "keys that no rule knows: assistant.a_new_key" in said
    assert "assistants to foundry: " in said
    assert said.count("untold: 0") == 6


def test_what_cannot_be_decoded_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    really = codecs.CODECS["foundry"].decode

    def decode(kind: str, body: Any, *others: Any) -> Any:
        if body.get("type") == "function_call":
            raise KeyError("call_id")
        return really(kind, body, *others)

    monkeypatch.setattr(pipeline, "TARGETS", ())
    monkeypatch.setitem(pipeline.CODECS, "foundry", _with(codecs.CODECS["foundry"], decode))
    assert main(folder) == 1
    assert "not decoded: 1\n  items.json: message: KeyError: 'call_id'" in capsys.readouterr().out


def _with(codec: Any, decode: Any) -> Any:
    class Changed:
        def __getattr__(self, name: str) -> Any:
            return decode if name == "decode" else getattr(codec, name)

    return Changed()


def test_a_silent_loss_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    really = pipeline.World.apply

    def apply(world: pipeline.World) -> Any:
        done = really(world)
        for messages in world.target.estate.messages.values():
            messages.popitem()
        return done

    monkeypatch.setattr(pipeline, "TARGETS", (("azure-openai", "azure-openai"),))
    monkeypatch.setattr(pipeline.World, "apply", apply)
    assert main(folder) == 1
    assert "untold: 0" not in capsys.readouterr().out


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_without_recordings_is_reported(tmp_path: Path, make: bool) -> None:
    place = tmp_path / "recorded"
    if make:
        place.mkdir()
    assert main(place) == 2
