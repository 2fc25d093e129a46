"""An estate read through the old API version and planned for a service with the new one."""

from __future__ import annotations

from typing import Any

from tests.e2e.common_form import agents_of, conversations_of
from tests.e2e.conftest import Launch
from tests.e2e.projects import project
from tests.e2e.running import World, options


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


def to_agents(launch: Launch) -> tuple[World, dict[str, str]]:
    """The old estate moved to a project's agents; and the id map."""
    world = launch(
        options("SOURCE_KEY", "azure-v1", downloads=True),
        project("TARGET_KEY", deployments=("gpt-4o", "gpt-35-turbo")),
        types=("azure-openai", "foundry"),
        source_version="2024-02-15-preview",
    )
    world.configure(models={"gpt-4-1106-preview": "gpt-4o"}, source_version="2024-02-15-preview")
    world.snapshot(code=3)
    assert {
        row["kind"]: row["reason"] for row in world.planned()["losses"] if row["grade"] == "blocked"
    }.keys() == {"vector_store_file"}, "only a table cannot be searched"
    assert world.apply().ok(0)["failed"] == []
    return world, {row["source_id"]: row["target_id"] for row in world("ids", world.db).ok()}


def test_v1_shapes_arrive_as_agents(launch: Launch) -> None:
    world, ids = to_agents(launch)
    old, there = world.source.estate.assistants, agents_of(world.target.estate, "foundry")
    assert len(there) == len(old) == 4
    for id_, row in old.items():
        agent = there[ids[id_]]
        assert (agent.name, agent.said["instructions"]) == (row["name"], row["instructions"])
        assert agent.ours["migrated_from"] == f"azure-openai:{id_}"
        types = {"retrieval": "file_search"}
        wanted = {types.get(tool["type"], tool["type"]) for tool in row["tools"]}
        found = {tool["type"] for tool in agent.tools}
        assert found == wanted if row.get("file_ids") else found <= wanted
    assert world("verify", world.plan).ok()["ok"] is True


def test_files_of_v1_assistants_are_in_the_tools_of_their_agents(launch: Launch) -> None:
    world, ids = to_agents(launch)
    estate = world.target.estate
    for id_, row in world.source.estate.assistants.items():
        held: set[str] = set()
        for tool in agents_of(estate, "foundry")[ids[id_]].tools:
            held |= set((tool.get("container") or {}).get("file_ids") or [])
            for store in tool.get("vector_store_ids") or []:
                held |= set(estate.vector_store_files[store])
        names = {estate.files[one]["filename"] for one in held}
        wanted = {world.source.estate.files[one]["filename"] for one in row.get("file_ids") or []}
        searched = {"code_interpreter"} & {tool["type"] for tool in row["tools"]} == set()
        assert names == {name for name in wanted if not (searched and name.endswith(".csv"))}


def test_v1_messages_arrive_as_items(launch: Launch) -> None:
    world, ids = to_agents(launch)
    old, there = (
        conversations_of(world.source.estate, "azure-openai"),
        conversations_of(world.target.estate, "foundry"),
    )
    assert len(there) == len(old) == 3
    for id_, talk in old.items():
        found = there[ids[id_]].messages
        assert [(m.role, m.parts) for m in found if m.role == "user"] == [
            (m.role, m.parts) for m in talk.messages if m.role == "user"
        ]
        assert [m.role for m in found] == [m.role for m in talk.messages]
        said = [[text for kind, text in m.parts if kind == "text" and text] for m in talk.messages]
        for texts_, message in zip(said, found, strict=True):
            assert set(texts_) <= {text for _, text in message.parts}
