"""A moved message is not adapted a second time from the source, whatever it lost; new ones are appended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import EPOCH, add, assistant, file, project, say, store, thread
from tests.e2e.running import World, options
from tests.e2e.test_sync_again import TYPES, sync

Json = dict[str, Any]


@pytest.fixture(params=TYPES)
def world(request: pytest.FixtureRequest, launch: Launch) -> World:
    """Two threads whose messages attach files and show one as an image; the first has its own store."""
    source = options("SOURCE_KEY", list_threads="works", downloads=True)
    azure = request.param == "azure-openai"
    target = options("TARGET_KEY", list_threads="works") if azure else project("TARGET_KEY")
    made = launch(source, target, types=("azure-openai", request.param))
    notes, table, picture = (
        file(made.source, number, name, name.encode())
        for number, name in enumerate(("notes.md", "sales.txt", "leaf.png"), 1)
    )
    papers = store(made.source, 1, "papers", [notes])
    search = {"file_search": {"vector_store_ids": [papers]}}
    add(made.source, assistant(1, "reader", tools=[{"type": "file_search"}], tool_resources=search))
    searched = [{"file_id": notes, "tools": [{"type": "file_search"}]}]
    counted = [{"file_id": table, "tools": [{"type": "code_interpreter"}]}]
    shown = [{"type": "image_file", "image_file": {"file_id": picture, "detail": "auto"}}]
    for number, resources in ((1, search), (2, {})):
        talk = thread(made.source, number, [], tool_resources=resources, metadata={"who": "Ada"})
        say(made.source, talk, "hello")
        say(made.source, talk, "read this", attachments=searched, role="user")
        say(made.source, talk, "count this", attachments=counted, role="user")
        say(made.source, talk, "", content=shown, role="user")
        say(made.source, talk, "hello")
    sync(made)
    return made


def first(table: Any, at: int = 0) -> str:
    return str(list(table)[at])


def recount(world: World, store_id: str) -> None:
    """Update the counts of files in a store, as a service does."""
    here = world.source.estate
    number = len(here.vector_store_files[store_id])
    counts = {**here.vector_stores[store_id]["file_counts"], "completed": number, "total": number}
    here.vector_stores[store_id] = {**here.vector_stores[store_id], "file_counts": counts}


def without_file(at: int) -> Callable[[World], None]:
    def change(world: World) -> None:
        here = world.source.estate
        gone = first(here.files, at)
        del here.files[gone]
        for held, rows in here.vector_store_files.items():
            if gone in rows:
                del rows[gone]
                recount(world, held)
        here.content.pop(gone).close()

    return change


def file_in_error(world: World) -> None:
    here = world.source.estate
    id_ = first(here.files, 1)
    here.files[id_] = {**here.files[id_], "status": "error"}


def without_store(world: World) -> None:
    here = world.source.estate
    id_ = first(here.vector_stores)
    del here.vector_stores[id_]
    here.vector_store_files.pop(id_)


def store_expired(world: World) -> None:
    here = world.source.estate
    id_ = first(here.vector_stores)
    here.vector_stores[id_] = {**here.vector_stores[id_], "status": "expired"}


def without_assistant(world: World) -> None:
    here = world.source.estate
    del here.assistants[first(here.assistants)]


def without_messages(*places: int) -> Callable[[World], None]:
    def change(world: World) -> None:
        for rows in world.source.estate.messages.values():
            for id_ in [first(rows, place) for place in places]:
                del rows[id_]

    return change


def other_metadata(world: World) -> None:
    for rows in world.source.estate.messages.values():
        rows[first(rows)]["metadata"] = {"team": "night"}


def both(*changes: Callable[[World], None]) -> Callable[[World], None]:
    def change(world: World) -> None:
        for one in changes:
            one(world)

    return change


CHANGES: dict[str, Callable[[World], None]] = {
    "the file that a message attaches for search is deleted": without_file(0),
    "the file that a message attaches for code is deleted": without_file(1),
    "the picture that a message shows is deleted": without_file(2),
    "a file is in error": file_in_error,
    "the thread's own store is deleted": without_store,
    "the thread's own store has expired": store_expired,
    "the assistant is deleted": without_assistant,
    "the first message is deleted": without_messages(0),
    "a message in the middle is deleted": without_messages(2),
    "the last message is deleted, which says what the first one does": without_messages(4),
    "the first and the last are deleted": without_messages(0, 4),
    "all messages are deleted": without_messages(0, 1, 2, 3, 4),
    "a message has other metadata": other_metadata,
    "a file and the store are deleted, a message too": both(
        without_file(1), without_store, without_messages(1)
    ),
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


def message_counts(world: World) -> list[int]:
    there = world.target.estate
    table = there.items if world.types[1] == "foundry" else there.messages
    return sorted(len(rows) for rows in table.values())


def speak(world: World, talk: str, id_: str) -> None:
    """Add an equal message at a later time."""
    world.source.estate.messages[talk][id_] = {
        "id": id_,
        "object": "thread.message",
        "created_at": EPOCH + 9000,
        "thread_id": talk,
        "role": "user",
        "content": [{"type": "text", "text": {"value": "hello", "annotations": []}}],
        "attachments": [],
        "metadata": {},
    }


@pytest.mark.exhaustive(6)
@each_change
def test_a_new_message_is_appended_whatever_the_source_lost(
    world: World, change: Callable[[World], None]
) -> None:
    assert message_counts(world) == [5, 5]
    change(world)
    for number, talk in enumerate(list(world.source.estate.threads)):
        speak(world, talk, f"msg_later{number}")
    done = sync(world, "--full")
    assert message_counts(world) == [6, 6]
    assert done["apply"]["created"] == 2
    assert not [loss for loss in done["plan"]["losses"] if loss["grade"] == "blocked"]
    again = sync(world, "--full")
    assert (again["apply"]["created"], again["apply"]["updated"]) == (0, 0)
    assert message_counts(world) == [6, 6]


def test_the_thread_keeps_its_store_until_it_is_pruned(world: World) -> None:
    without_store(world)
    sync(world)
    assert world.target.estate.vector_stores
    sync(world, "--prune", "--max-delete", "100%")
    assert sync(world, "--prune", "--max-delete", "100%")["plan"]["actions"]["delete"] == 0
