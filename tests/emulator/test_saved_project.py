"""Saved projects: agents, conversations, items and the inventory are served as they were saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.emulator.project import V1

ROOT = Path(__file__).parents[2]
NAME = "Documentation Assistant - test nov11"


def version(name=NAME, number="1", created_at=5, **more):
    return {
        "metadata": {},
        "object": "agent.version",
        "id": f"{name}:{number}",
        "name": name,
        "version": number,
        "description": "",
        "created_at": created_at,
        "definition": {"kind": "prompt", "model": "gone", "tools": [{"type": "tomorrow", "x": None}]},
        **more,
    }


def agent(name=NAME, created_at=5, **more):
    latest = version(name, created_at=created_at)
    return {"object": "agent", "id": name, "name": name, "versions": {"latest": latest}, **more}


def write(folder: Path, name: str, document: object) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(document), encoding="utf-8")


def pages(project, path, **query):
    rows, query = [], {"limit": 100, "order": "asc", **query}
    while page := project.ok("GET", path, **query)["data"]:
        rows += page
        query["after"] = page[-1]["id"]
    return rows


@pytest.mark.parametrize("listed", [True, False])
def test_agents_come_back_verbatim(tmp_path, launch_project, listed):
    rows = [agent("old", 1), agent(agent_endpoint={"protocols": []}, unknown=None), agent("new", 9)]
    write(tmp_path, "agents.json", {"object": "list", "data": rows[::-1]} if listed else rows[::-1])
    project = launch_project(state=tmp_path)
    assert project.ok("GET", "/agents")["data"] == rows[::-1]
    for row in rows:
        assert project.ok("GET", f"/agents/{row['name']}") == row
        assert project.ok("GET", f"/agents/{row['name']}/versions")["data"] == [row["versions"]["latest"]]
        assert project.ok("GET", f"/agents/{row['name']}/versions/1") == row["versions"]["latest"]


def test_a_saved_agent_continues_its_numbers(tmp_path, launch_project):
    saved = agent("desk", unknown=1)
    write(tmp_path, "agents.json", [saved, agent()])
    write(tmp_path, "agent_versions/desk.json", [version("desk", "7", 6, agent_guid="g")])
    project = launch_project(state=tmp_path)
    created = project.agent("desk")
    assert (created["version"], created["agent_guid"]) == ("8", "g")
    shown = project.ok("GET", "/agents/desk")
    assert (shown["versions"]["latest"]["version"], shown["unknown"]) == ("8", 1)
    assert len(project.ok("GET", "/agents/desk/versions")["data"]) == 3
    project.refused("POST", f"/agents/{NAME}/versions", {"definition": {"kind": "prompt", "model": "m"}})
    assert project.ok("DELETE", f"/agents/{NAME}")["deleted"] is True


def test_a_version_saved_alone_has_more_than_its_agent_shows(tmp_path, launch_project):
    write(tmp_path, "agents.json", [agent()])
    write(tmp_path, "versions.json", [version(agent_guid="g")])
    project = launch_project(state=tmp_path)
    assert project.ok("GET", f"/agents/{NAME}/versions/1") == version(agent_guid="g")
    assert project.ok("GET", f"/agents/{NAME}") == agent()


def test_a_version_without_its_agent_gets_one(tmp_path, launch_project):
    write(tmp_path, "v.json", [version(number="2", created_at=6, agent_guid="g"), version()])
    project = launch_project(state=tmp_path)
    assert project.ok("GET", f"/agents/{NAME}") == {
        "object": "agent",
        "id": NAME,
        "name": NAME,
        "versions": {"latest": version(number="2", created_at=6)},
    }


def test_items_in_a_file_named_after_their_conversation(tmp_path, launch_project):
    items = [
        {"type": "message", "id": "msg_1", "status": "completed", "role": "user", "content": []},
        {"type": "mcp_call", "id": "mcp_1", "error": None, "created_by": {"response_id": "r"}},
        {"type": "message", "id": "msg_0", "role": "assistant", "content": [], "partition_key": "p"},
    ]
    saved = {"id": "conv_b", "object": "conversation", "metadata": {"a": "b"}, "created_at": 7, "unknown": 1}
    write(tmp_path, "conversations.json", [{**saved, "id": "conv_c", "created_at": 9}, saved])
    write(tmp_path, "items/conv_b.json", {"object": "list", "data": items})
    write(tmp_path, "items/conv_a.json", items[:1])
    write(tmp_path, "items/conv_c.json", {"object": "list", "data": [], "has_more": False})
    project = launch_project(state=tmp_path)
    assert project.emulator.skipped == []
    assert [row["id"] for row in project.ok("GET", f"{V1}/conversations")["data"]] == [
        "conv_c",
        "conv_b",
        "conv_a",
    ]
    assert project.ok("GET", f"{V1}/conversations/conv_b") == saved
    assert pages(project, f"{V1}/conversations/conv_b/items") == items
    assert pages(project, f"{V1}/conversations/conv_a/items") == items[:1]
    assert pages(project, f"{V1}/conversations/conv_c/items") == []


@pytest.mark.parametrize(
    "form", [lambda rows: rows, lambda rows: {"value": rows}, lambda rows: {"data": rows}]
)
@pytest.mark.parametrize("number", [0, 3])
def test_the_inventory_overrides_the_options(tmp_path, launch_project, form, number):
    rows = [{"name": f"saved-{place}", "type": "T", "unknown": None} for place in range(number)]
    write(tmp_path, "deployments.json", form(rows))
    write(tmp_path, "connections.json", form(rows[::-1]))
    project = launch_project(state=tmp_path, deployments=("other",), connections=("other",))
    assert project.emulator.skipped == []
    for path, expected in (("/deployments", rows), ("/connections", rows[::-1])):
        page = project.ok("GET", path)
        assert page["value"] + project.ok("GET", path, skip=2)["value"] == expected


def test_unusable_objects_are_reported(tmp_path, launch_project):
    write(tmp_path, "a.json", [{"object": "agent", "id": "a", "name": "a", "versions": {}}])
    write(tmp_path, "i.json", [{"type": "message", "id": "msg_1", "content": []}])
    write(tmp_path, "items/conv_a.json", [{"type": "message"}])
    write(tmp_path, "deployments.json", [{"modelName": "m"}])
    skipped = launch_project(state=tmp_path).emulator.skipped
    assert {row.file: row.reason for row in skipped} == {
        "a.json": "agent without versions.latest.id",
        "i.json": "not a known kind of object: None",
        str(Path("items/conv_a.json")): "None without id",
        "deployments.json": "None without name",
    }


# ----------------------------------------------------------------------------------- bundled examples


def saved(folder: Path, pattern: str) -> list[dict]:
    return [
        row
        for file in sorted(folder.glob(pattern))
        for key, rows in json.loads(file.read_text(encoding="utf-8")).items()
        if key in ("data", "value")
        for row in rows
    ]


@pytest.mark.parametrize("name", ["foundry", "foundry-classic"])
def test_the_bundled_examples_come_back_verbatim(launch_project, name):
    folder = ROOT / "fixtures" / name
    if not folder.is_dir():
        pytest.skip(f"no example {name}")
    project = launch_project(state=folder)
    assert project.emulator.skipped == []
    classic = {kind: pages(project, f"/{kind}") for kind in ("assistants", "threads", "vector_stores")}
    read = {f"{kind}.json": rows for kind, rows in classic.items()}
    read["files.json"] = project.ok("GET", "/files")["data"]
    read["agents.json"] = pages(project, "/agents")
    read["conversations.json"] = pages(project, f"{V1}/conversations")
    for kind, within in (("messages", "threads"), ("runs", "threads")):
        read[f"{kind}/*.json"] = [
            row for each in classic[within] for row in pages(project, f"/{within}/{each['id']}/{kind}")
        ]
    read["steps/*.json"] = [
        row
        for run in read["runs/*.json"]
        for row in pages(project, f"/threads/{run['thread_id']}/runs/{run['id']}/steps")
    ]
    read["vector_store_files/*.json"] = [
        row
        for store in classic["vector_stores"]
        for row in pages(project, f"{V1}/vector_stores/{store['id']}/files")
    ]
    read["items/*.json"] = [
        row
        for each in read["conversations.json"]
        for row in pages(project, f"{V1}/conversations/{each['id']}/items")
    ]
    for pattern, rows in read.items():
        expected = saved(folder, pattern)
        assert sorted(map(str, rows)) == sorted(map(str, expected)), pattern
    for path in ("deployments", "connections"):
        if expected := saved(folder, f"{path}.json"):
            assert project.ok("GET", f"/{path}")["value"] == expected[:2]
