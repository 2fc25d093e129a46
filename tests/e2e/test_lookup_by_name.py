"""Each argument that takes an id also takes a name, or the beginning of an id, that only one object has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, file, moved, store, thread, to_agents
from tests.e2e.running import World

Json = dict[str, Any]
DESK, LAB, TWIN, OTHER_TWIN = (
    assistant(n, name) for n, name in enumerate(["Plant Desk", "lab", "twin", "twin"])
)
TALK = f"thread_{7:024}"


@pytest.fixture
def world(launch: Launch) -> World:
    made = to_agents(launch, DESK, LAB, TWIN, OTHER_TWIN)
    notes = file(made.source, 1, "notes.md", b"remember")
    file(made.source, 22, "guide.md", b"one")
    store(made.source, 1, "papers", [notes])
    assert thread(made.source, 7, ["hello"]) == TALK
    thread(made.source, 88, ["good morning"])
    made.snapshot()
    return made


def test_show_takes_names_and_beginnings(world: World) -> None:
    for text in (DESK["id"], "Plant Desk", DESK["id"][:-1] + "0"):
        assert world("show", world.db, text).ok()["body"]["id"] == DESK["id"]
    assert world("show", world.db, "papers").ok()["kind"] == "vector_store"
    assert world("show", world.db, TALK[:-1]).ok()["body"]["id"] == TALK
    world("show", world.db, "twin").error(
        2, "'twin' matches 2 objects", TWIN["id"], OTHER_TWIN["id"], "give the id"
    )
    world("show", world.db, "thread_").error(2, "matches 2 objects", TALK)
    world("show", world.db, "nobody").error(2, "has no object 'nobody'")


def test_transcript_takes_a_beginning_and_threads_only(world: World) -> None:
    assert world("transcript", world.db, TALK[:-1]).ok()["thread"] == TALK
    world("transcript", world.db, "thread_").error(2, "matches 2 objects")
    world("transcript", world.db, "lab").error(2, "has no thread 'lab'")


def test_history_takes_names_of_any_time(world: World) -> None:
    world.source.estate.assistants[LAB["id"]]["name"] = "research"
    world.snapshot()
    for text in ("lab", "research", LAB["id"]):
        (found,) = world("history", world.db, text).ok()
        assert (found["id"], found["name"]) == (LAB["id"], "research")
    assert world("history", world.db, TALK[:-1]).ok()[0]["id"] == TALK
    world("history", world.db, "twin").error(2, "matches 2 objects", TWIN["id"])
    world("history", world.db, "nobody").error(2, "no snapshot of", "no beginning of an id")


def test_extract_takes_names_of_files(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    world("extract", world.db, "notes.md", f"assistant-{22:022}", "--dir", str(folder)).ok()
    assert sorted(path.name for path in folder.iterdir()) == ["guide.md", "notes.md"]
    world("extract", world.db, "assistant-", "--dir", str(tmp_path / "x")).error(2, "matches 2 objects")
    assert not (tmp_path / "x").exists()
    world("extract", world.db, "papers", "--dir", str(tmp_path / "x")).ok(1)


def test_a_selection_takes_them_by_the_same_rule(world: World) -> None:
    rows = world("ls", world.db, "--id", "Plant Desk", "--id", TALK[:-1]).ok()
    assert {row["id"] for row in rows} == {DESK["id"], TALK}
    world("ls", world.db, "--id", "twin").error(2, "'twin' matches 2 objects")
    world("plan", world.db, "target", "-o", world.plan, "--id", "thread_").error(2, "matches 2 objects")


def test_a_selected_id_of_another_snapshot_is_reported_with_its_number(world: World) -> None:
    del world.source.estate.assistants[LAB["id"]]
    world.snapshot()
    plan = world("plan", world.db, "target", "-o", world.plan, "--id", LAB["id"], "--id", DESK["id"]).ok(3)
    assert plan["unknown_ids"] == [LAB["id"]]
    told = f"the snapshot has no {LAB['id']}; snapshot 1 has it"
    assert (
        told
        in world.plain(
            "plan", world.db, "target", "-o", world.plan, "--id", LAB["id"], "--id", DESK["id"]
        ).out
    )
    assert told in world("ls", world.db, "--id", LAB["id"], "--id", DESK["id"]).err
    world("ls", world.db, "--id", LAB["id"]).error(1, f"snapshot 1 has {LAB['id']}")
    both = ("--id", LAB["id"], "--id", DESK["id"])
    assert world("assess", world.db, "--to", "foundry", *both).ok(3)["unknown_ids"] == [LAB["id"]]
    assert told in world.plain("assess", world.db, "--to", "foundry", *both).out
    exported = world.plain("export", world.db, str(world.folder / "out"), *both)
    assert exported.code == 3
    assert f"the estate has no {LAB['id']}; snapshot 1 has it" in exported.out


def test_ids_answers_forwards_and_backwards(world: World) -> None:
    moved(world)
    ids = {row["source_id"]: row["target_id"] for row in world("ids", world.db).ok()}
    (row,) = world("ids", world.db, DESK["id"]).ok()
    assert (row["source_id"], row["target_id"]) == (DESK["id"], "Plant-Desk")
    for text in ("Plant-Desk", "Plant Desk", "Plant-", DESK["id"]):
        assert world("ids", world.db, text).ok() == [row], text
    (talk,) = world("ids", world.db, ids[TALK]).ok()
    assert talk["source_id"] == TALK
    assert world("ids", world.db, ids[TALK][:-4]).ok() == [talk]
    message = next(row for row in world("ids", world.db).ok() if row["kind"] == "message")
    assert world("ids", world.db, message["target_id"]).ok() == [message]
    assert world("ids", world.db, message["target_id"][:-1]).json == []
    assert world("ids", world.db, "Plant-Desk", "--to", "target").ok() == [row]
    assert world("ids", world.db, "Plant-Desk", "--to", "source").code == 1
    world("ids", world.db, "twin").error(2, "'twin' matches 2 objects", TWIN["id"], OTHER_TWIN["id"])


def test_both_sides_of_a_move_are_one_object_to_ids(world: World) -> None:
    moved(world)
    (row,) = world("ids", world.db, DESK["id"]).ok()
    world("snapshot", "target", "-o", world.db).ok()
    world("history", world.db, "Plant Desk").error(2, DESK["id"], "Plant-Desk")
    assert world("ids", world.db, "Plant Desk").ok() == [row]


def test_ids_of_what_was_not_moved_end_as_before(world: World) -> None:
    moved(world)
    add(world.source, assistant(99, "newcomer"))
    world.snapshot()
    for text in ("newcomer", assistant(99, "")["id"]):
        said = world("ids", world.db, text)
        assert (said.code, said.json) == (1, [])
        assert f"snapshot 3 has {assistant(99, '')['id']}; nothing was made from it" in said.err
    said = world("ids", world.db, "nobody")
    assert (said.code, said.json) == (1, [])
    assert "neither the id map nor a snapshot" in said.err
    world("rollback", world.plan, "--yes").ok()
    assert world("ids", world.db, "Plant-Desk").code == 1
