"""An estate read through the old API version, planned for one that speaks the new."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Launch
from tests.e2e.running import options


def texts(messages: dict[str, Any]) -> list[tuple[str, str]]:
    """Role and text of every text part, in order."""
    parts = ((m["role"], part) for m in messages.values() for part in m["content"])
    return [(role, part["text"]["value"]) for role, part in parts if part["type"] == "text"]


def test_v1_shapes_arrive_as_v2(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY", "azure-v1", downloads=True), source_version="2024-02-15-preview")
    answer = world.snapshot(code=3)
    assert {row["kind"] for row in answer["missing"]} == {"vector_store"}, "the old version has none"
    held = world.source.estate.counts()
    assert {kind: answer["counts"][kind] for kind in ("assistant", "thread", "message", "file")} == {
        kind: held[kind] for kind in ("assistant", "thread", "message", "file")
    }
    world.planned()
    applied = world.apply()
    assert applied.code in (0, 3), applied.err
    here, there = world.source.estate, world.target.estate
    assert len(there.assistants) == held["assistant"]
    names = {row["id"]: row["name"] for row in here.assistants.values()}
    for row in there.assistants.values():
        old = here.assistants[row["metadata"]["migrated_from"].rpartition(":")[2]]
        assert (row["name"], row["instructions"]) == (names[old["id"]], old["instructions"])
        assert "retrieval" not in {tool["type"] for tool in row["tools"]}
    told = {tool["type"] for row in there.assistants.values() for tool in row["tools"]}
    assert "file_search" in told, "retrieval became nothing"
    for thread in there.threads.values():
        old = here.messages[thread["metadata"]["migrated_from"].rpartition(":")[2]]
        new = there.messages[thread["id"]]
        assert texts(old) == texts(new)
    verified = world("verify", world.plan)
    assert {f["path"] for f in verified.json["findings"]} <= {"status"}, verified.out


def test_files_of_v1_assistants_are_found_by_the_tools_of_v2(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY", "azure-v1", downloads=True), source_version="2024-02-15-preview")
    world.snapshot(code=3)
    world.planned()
    world.apply()
    there = world.target.estate
    for row in there.assistants.values():
        for tool in row["tools"]:
            resources = row["tool_resources"].get(tool["type"]) or {}
            for file in resources.get("file_ids") or []:
                assert file in there.files
            for store in resources.get("vector_store_ids") or []:
                assert store in there.vector_stores
    used = {json_file for store in there.vector_store_files.values() for json_file in store}
    assert used <= set(there.files)
