"""Appended messages are rolled back, and with them the store that the service created for them."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, is_create
from tests.e2e.projects import add, assistant, file, project, say, store, thread
from tests.e2e.running import World, options

Json = dict[str, Any]


def appended(launch: Launch, classic: bool = False) -> World:
    """A thread that was moved without files, and then got a message that attaches one for search."""
    target = project("TARGET_KEY") if classic else options("TARGET_KEY", list_threads="works")
    source = options("SOURCE_KEY", list_threads="works", downloads=True)
    world = launch(source, target, types=("azure-openai", "foundry-classic" if classic else "azure-openai"))
    add(world.source, assistant(1, "reader"))
    talk = thread(world.source, 1, ["hello"])
    world.snapshot()
    world.planned()
    world.apply().ok()
    assert not world.target.estate.vector_stores
    notes = file(world.source, 1, "notes.md")
    attached = [{"file_id": notes, "tools": [{"type": "file_search"}]}]
    say(world.source, talk, "read this", attachments=attached, role="user")
    say(world.source, talk, "and think")
    world.snapshot()
    world.planned()
    world.apply().ok()
    assert len(world.target.estate.vector_stores) == 1
    return world


def searched(world: World) -> list[str]:
    (row,) = world.target.estate.threads.values()
    search = (row.get("tool_resources") or {}).get("file_search") or {}
    return list(search.get("vector_store_ids") or [])


def texts(world: World) -> int:
    (rows,) = world.target.estate.messages.values()
    return len(rows)


def test_the_store_that_an_append_made_goes_with_its_messages(launch: Launch) -> None:
    world = appended(launch)
    world("rollback", world.plan, "--yes").ok()
    here = world.target.estate
    assert (texts(world), list(here.vector_stores), list(here.files), searched(world)) == (1, [], [], [])
    again = world("rollback", world.plan, "--yes").ok()
    assert again["removed"] == 0
    world.snapshot()
    world.planned()
    world.apply().ok()
    assert texts(world) == 3
    assert searched(world) == list(here.vector_stores)


def in_another_thread(world: World, made: str) -> None:
    resources = {"file_search": {"vector_store_ids": [made]}}
    thread(world.target, 9, ["mine"], tool_resources=resources)


def in_an_assistant(world: World, made: str) -> None:
    resources = {"file_search": {"vector_store_ids": [made]}}
    add(world.target, assistant(9, "mine", tools=[{"type": "file_search"}], tool_resources=resources))


def named(world: World, made: str) -> None:
    world.target.estate.vector_stores[made]["name"] = "mine now"


def with_a_file_of_theirs(world: World, made: str) -> None:
    papers = file(world.target, 7, "theirs.md", b"theirs")
    rows = world.target.estate.vector_store_files[made]
    rows[papers] = {**next(iter(rows.values())), "id": papers}


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    "use",
    [in_another_thread, in_an_assistant, named, with_a_file_of_theirs],
    ids=lambda one: one.__name__,
)
def test_a_store_of_an_append_that_others_use_stays(
    launch: Launch, use: Callable[[World, str], None]
) -> None:
    world = appended(launch)
    (made,) = world.target.estate.vector_stores
    use(world, made)
    back = world("rollback", world.plan, "--yes").ok()
    assert made in world.target.estate.vector_stores
    assert [note for note in back["notes"] if made in note]


def test_a_store_of_others_that_an_append_met_stays(launch: Launch) -> None:
    world = appended(launch)
    papers = file(world.target, 7, "theirs.md", b"theirs")
    theirs = store(world.target, 7, None, [papers])
    (row,) = world.target.estate.threads.values()
    row["tool_resources"]["file_search"]["vector_store_ids"].append(theirs)
    world("rollback", world.plan, "--yes").ok()
    assert list(world.target.estate.vector_stores) == [theirs]
    assert searched(world) == [theirs]


def test_a_thread_in_which_others_went_on_keeps_the_store(launch: Launch) -> None:
    world = appended(launch)
    (made,) = world.target.estate.vector_stores
    say(world.target, next(iter(world.target.estate.threads)), "what does it say?", created_at=4_000_000_000)
    back = world("rollback", world.plan, "--yes").ok()
    assert made in world.target.estate.vector_stores
    assert [note for note in back["notes"] if made in note]


def test_a_store_stays_where_its_messages_cannot_be_removed(launch: Launch) -> None:
    """A classic project has no route that deletes a message."""
    world = appended(launch, classic=True)
    (made,) = world.target.estate.vector_stores
    failed = world("rollback", world.plan, "--yes").ok(3)["failed"]
    assert {row["kind"] for row in failed} == {"message", "thread", "vector_store"}
    assert searched(world) == [made]


# ----------------------------------------------------------------------------- files for code interpreter


def grown(launch: Launch, fault: Any = None, **own: Any) -> World:
    """A thread that was moved, and then got messages that attach files for code interpreter: one that moved
    before, and a new one."""
    given = {"list_threads": "works", "downloads": True}
    there = options("TARGET_KEY", list_threads="works")
    world = launch(options("SOURCE_KEY", **given), there, wrap_target=fault)
    add(world.source, assistant(1, "reader"))
    held = [file(world.source, number, f"table{number}.csv", str(number).encode()) for number in (1, 2)]
    talk = thread(
        world.source, 1, ["hello"], tool_resources={"code_interpreter": {"file_ids": held[:1]}}, **own
    )
    world.snapshot()
    world.planned()
    world.apply().ok()
    new = file(world.source, 3, "table3.csv", b"3")
    for one in (held[0], held[1], new):
        attached = [{"file_id": one, "tools": [{"type": "code_interpreter"}]}]
        say(world.source, talk, f"count {one}", attachments=attached, role="user")
    return world


def append(world: World) -> Json:
    """Move the new messages; returns the thread before that."""
    (row,) = world.target.estate.threads.values()
    before = deepcopy(row)
    world.snapshot()
    world.planned()
    world.apply().ok()
    assert len(coded(world)) == 3
    return before


def coded(world: World) -> list[str]:
    (row,) = world.target.estate.threads.values()
    code = (row.get("tool_resources") or {}).get("code_interpreter") or {}
    return list(code.get("file_ids") or [])


def resources(row: Json) -> Json:
    return {branch: held for branch, held in row["tool_resources"].items() if any(held.values())}


@pytest.mark.parametrize("renamed", [False, True], ids=["appended", "appended and changed"])
def test_files_that_an_append_added_to_a_thread_are_taken_away(launch: Launch, renamed: bool) -> None:
    world = grown(launch, metadata={"topic": "counts"})
    if renamed:
        (talk,) = world.source.estate.threads
        world.source.estate.threads[talk]["metadata"] = {"topic": "sums"}
    before = append(world)
    back = world("rollback", world.plan, "--yes").ok()
    (row,) = world.target.estate.threads.values()
    assert (resources(row), row["metadata"]) == (resources(before), before["metadata"])
    assert (texts(world), back["restored"], back["notes"]) == (1, 1, [])
    assert set(coded(world)) <= set(world.target.estate.files)
    assert world("rollback", world.plan, "--yes").ok()["restored"] == 0


def test_a_thread_that_others_changed_since_keeps_its_files_and_is_reported(launch: Launch) -> None:
    world = grown(launch)
    append(world)
    theirs = file(world.target, 9, "theirs.csv", b"9")
    (row,) = world.target.estate.threads.values()
    row["tool_resources"]["code_interpreter"]["file_ids"].append(theirs)
    back = world("rollback", world.plan, "--yes").ok()
    assert (theirs in coded(world), len(coded(world))) == (True, 3)
    assert [note for note in back["notes"] if row["id"] in note and "others changed it" in note]


def test_an_interrupted_append_remembers_how_the_thread_stood(launch: Launch) -> None:
    """The third message is refused once, and the same apply continues."""
    refusal = {"error": {"message": "not now", "type": "invalid_request_error"}}
    third = FixedAnswer(is_create("/messages"), first=3, last=3, status=400, body=refusal)
    world = grown(launch, third)
    (row,) = world.target.estate.threads.values()
    before = deepcopy(row)
    world.snapshot()
    world.planned()
    world.apply().ok(3)
    assert len(coded(world)) == 2
    world.apply().ok()
    assert len(coded(world)) == 3
    world("rollback", world.plan, "--yes").ok()
    assert resources(row) == resources(before)
