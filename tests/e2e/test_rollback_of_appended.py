"""Messages that were appended are taken back, and with them the store that the service made for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Launch
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
    assert {row["kind"] for row in failed} == {"message", "vector_store"}
    assert searched(world) == [made]
