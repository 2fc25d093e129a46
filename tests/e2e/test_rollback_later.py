"""An older plan is rolled back after a later one; what other users attached is never removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, change, file, project, say, store, thread
from tests.e2e.running import World, options
from tests.e2e.small_estate import saved_state, state_changes
from tests.e2e.test_sync_again import estate

Json = dict[str, Any]
TYPES = ("azure-openai", "foundry")


def second(world: World) -> str:
    return str(world.folder / "second.json")


def applied(world: World, path: str) -> None:
    world.snapshot()
    world("plan", world.db, "target", "-o", path, "--accept-loss", "all").ok()
    world("apply", path, "--yes").ok()


def an_assistant(world: World) -> None:
    change(world.source, assistant(1, "reader")["id"], instructions="Read aloud.")


def a_store(world: World) -> None:
    (id_,) = world.source.estate.vector_stores
    world.source.estate.vector_stores[id_]["name"] = "old papers"


def a_file_more_in_the_store(world: World) -> None:
    more = file(world.source, 2, "more.md", b"more")
    (papers,) = world.source.estate.vector_stores
    rows = world.source.estate.vector_store_files[papers]
    rows[more] = {**next(iter(rows.values())), "id": more}


def a_thread(world: World) -> None:
    (id_,) = world.source.estate.threads
    world.source.estate.threads[id_]["metadata"] = {"who": "Bob"}


def a_message_more(world: World) -> None:
    (id_,) = world.source.estate.threads
    say(world.source, id_, "and good night")


CHANGES = (an_assistant, a_store, a_file_more_in_the_store, a_thread, a_message_more)


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("changed", CHANGES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("type_", TYPES)
def test_what_a_later_apply_changed_is_taken_back_first(
    launch: Launch, type_: str, changed: Callable[[World], None]
) -> None:
    world = estate(launch, type_)
    empty = saved_state(world.target.estate)
    applied(world, world.plan)
    changed(world)
    applied(world, second(world))
    asked = len(world.target.requests)
    said = world("rollback", world.plan, "--yes").error(4, "apply 2", "roll that back first")
    assert "changed by others" not in said
    assert world.writes(asked) == []
    world("rollback", second(world), "--yes").ok()
    world("rollback", world.plan, "--yes").ok()
    assert state_changes(empty, saved_state(world.target.estate)) == []


def test_the_last_of_three_applies_is_reported(launch: Launch) -> None:
    world = estate(launch, "azure-openai")
    applied(world, world.plan)
    for number in (2, 3):
        change(world.source, assistant(1, "reader")["id"], instructions=f"Version {number}.")
        applied(world, str(world.folder / f"{number}.json"))
    world("rollback", world.plan, "--yes").error(4, "apply 3")
    world("rollback", str(world.folder / "2.json"), "--yes").error(4, "apply 3")
    for name in ("3.json", "2.json"):
        world("rollback", str(world.folder / name), "--yes").ok()
    world("rollback", world.plan, "--yes").ok()


def test_what_others_changed_is_still_theirs(launch: Launch) -> None:
    """After our later apply was rolled back."""
    world = estate(launch, "azure-openai")
    applied(world, world.plan)
    an_assistant(world)
    applied(world, second(world))
    world("rollback", second(world), "--yes").ok()
    (id_,) = world.target.estate.assistants
    change(world.target, id_, instructions="Mine.")
    world("rollback", world.plan, "--yes").error(4, "changed by others")


# ------------------------------------------ objects created by the service, and attached by others


def attaching(launch: Launch, classic: bool = True) -> World:
    """Threads whose messages attach files for search: the service creates a store for each."""
    target = project("TARGET_KEY") if classic else options("TARGET_KEY", list_threads="works")
    source = options("SOURCE_KEY", list_threads="works", downloads=True)
    world = launch(source, target, types=("azure-openai", "foundry-classic" if classic else "azure-openai"))
    notes = file(world.source, 1, "notes.md")
    attached = [{"file_id": notes, "tools": [{"type": "file_search"}]}]
    for number in (1, 2):
        talk = thread(world.source, number, [])
        say(world.source, talk, "read this", attachments=attached, role="user")
    thread(world.source, 3, ["no files here"])
    world.snapshot()
    world.planned()
    world.apply().ok()
    assert len(world.target.estate.vector_stores) == 2
    return world


def attach_theirs(world: World, thread_id: str, instead: bool, named: bool) -> str:
    """Another user attaches a store to one of our threads."""
    papers = file(world.target, 7, "theirs.md", b"theirs")
    theirs = store(world.target, 7, "theirs" if named else None, [papers])
    row = world.target.estate.threads[thread_id]
    resources = row.setdefault("tool_resources", {})
    held = resources.setdefault("file_search", {}).setdefault("vector_store_ids", [])
    held[:] = [theirs] if instead else [*held, theirs]
    return theirs


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("named", [True, False], ids=["named", "nameless"])
@pytest.mark.parametrize("instead", [True, False], ids=["in place of it", "beside it"])
@pytest.mark.parametrize("place", [0, 2], ids=["a thread with a store", "a thread without one"])
@pytest.mark.parametrize("classic", [True, False], ids=["classic", "azure"])
def test_a_store_that_others_attached_is_theirs(
    launch: Launch, classic: bool, place: int, instead: bool, named: bool
) -> None:
    world = attaching(launch, classic)
    thread_id = list(world.target.estate.threads)[place]
    theirs = attach_theirs(world, thread_id, instead, named)
    world("rollback", world.plan, "--yes").error(4, thread_id)
    back = world("rollback", world.plan, "--yes", "--force", thread_id).ok()
    assert list(world.target.estate.vector_stores) == [theirs], "those that the service made for us are gone"
    assert [note for note in back["notes"] if theirs in note]
    assert not world.target.estate.threads


def test_a_file_of_others_in_a_store_that_the_service_made_stays_in_it(launch: Launch) -> None:
    world = attaching(launch)
    papers = file(world.target, 7, "theirs.md", b"theirs")
    made = next(iter(world.target.estate.vector_stores))
    rows = world.target.estate.vector_store_files[made]
    rows[papers] = {**next(iter(rows.values())), "id": papers}
    back = world("rollback", world.plan, "--yes").ok()
    assert list(world.target.estate.vector_stores) == [made]
    assert [note for note in back["notes"] if made in note]


def test_a_store_that_others_named_stays(launch: Launch) -> None:
    world = attaching(launch)
    made = next(iter(world.target.estate.vector_stores))
    world.target.estate.vector_stores[made]["name"] = "mine now"
    world("rollback", world.plan, "--yes").ok()
    assert list(world.target.estate.vector_stores) == [made]


def test_a_version_that_others_added_stays(launch: Launch) -> None:
    """The rollback adds a further version; that of others is not deleted."""
    source = options("SOURCE_KEY", list_threads="works", downloads=True)
    world = launch(source, project("TARGET_KEY"), types=("azure-openai", "foundry"))
    add(world.source, assistant(1, "reader"))
    applied(world, world.plan)
    an_assistant(world)
    applied(world, second(world))
    there = world.target.estate
    latest = there.agents["reader"]["versions"]["latest"]
    version = {**latest, "id": "reader:3", "version": "3"}
    version["definition"] = {**version["definition"], "instructions": "Mine."}
    there.agent_versions["reader"]["reader:3"] = version
    there.agents["reader"] = {**there.agents["reader"], "versions": {"latest": version}}
    there.last_versions["reader"] = 3
    world("rollback", second(world), "--yes").error(4, "reader")
    world("rollback", second(world), "--yes", "--force", "reader").ok()
    assert "reader:3" in there.agent_versions["reader"]
    assert there.agents["reader"]["versions"]["latest"]["definition"]["instructions"] == "You are number 1."


def test_applies_are_listed_and_taken_back_by_number(launch: Launch) -> None:
    """In the order of their numbers, without plan files, and after the archive was moved to another
    folder."""
    world = estate(launch, "azure-openai")
    assert world("applies", world.db).error(2)
    empty = saved_state(world.target.estate)
    applied(world, world.plan)
    an_assistant(world)
    applied(world, second(world))
    Path(world.plan).unlink()
    Path(second(world)).unlink()
    moved = Path(world.db).rename(world.folder / "moved.db")
    first, later = world("applies", str(moved)).ok()
    assert (first["apply"], first["state"], first["updated"], first["deleted"]) == (1, "done", 0, 0)
    assert (later["apply"], later["state"], later["created"], later["updated"]) == (2, "done", 0, 1)
    assert first["created"] > 0
    assert first["target"] == world.target.url
    asked = len(world.target.requests)
    world("rollback", str(moved), "--apply", "1", "--yes").error(4, "apply 2", "rollback ARCHIVE --apply 2")
    world("rollback", str(moved), "--apply", "3", "--yes").error(2, "there is no apply 3", "newest are 2, 1")
    steps = world("rollback", str(moved), "--apply", "2", "--dry-run").ok()["steps"]
    assert [step["how"] for step in steps] == ["restore"]
    assert world.writes(asked) == []
    world("rollback", str(moved), "--apply", "2", "--yes").ok()
    assert [row["state"] for row in world("applies", str(moved)).ok()] == ["done", "rolled back"]
    world("rollback", str(moved), "--apply", "1", "--yes").ok()
    assert [row["state"] for row in world("applies", str(moved)).ok()] == ["rolled back", "rolled back"]
    assert state_changes(empty, saved_state(world.target.estate)) == []
