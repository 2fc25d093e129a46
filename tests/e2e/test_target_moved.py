"""The target changes between plan and apply: refused, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from migrate.emulator import Estate
from tests.e2e.running import World


def edited(there: Estate) -> None:
    first = next(iter(there.assistants.values()))
    first["instructions"] = "Somebody else was here."


def added(there: Estate) -> None:
    first = next(iter(there.assistants.values()))
    there.assistants["asst_new"] = {**first, "id": "asst_new", "name": "New", "metadata": {}}


def deleted(there: Estate) -> None:
    del there.assistants[next(iter(there.assistants))]


def file_added(there: Estate) -> None:
    first = next(iter(there.files.values()))
    there.files["assistant-new"] = {**first, "id": "assistant-new", "filename": "new.txt"}


def store_renamed(there: Estate) -> None:
    next(iter(there.vector_stores.values()))["name"] = "Another name"


def file_taken_out_of_a_store(there: Estate) -> None:
    table = next(table for table in there.vector_store_files.values() if table)
    del table[next(iter(table))]


def thread_metadata(there: Estate) -> None:
    next(iter(there.threads.values()))["metadata"] = {"who": "else"}


CHANGES = (edited, added, deleted, file_added, store_renamed, file_taken_out_of_a_store, thread_metadata)


@pytest.fixture
def moved(small: World) -> World:
    """The estate was moved, and one assistant of the source changed since then."""
    small.snapshot()
    small.planned()
    assert small.apply().code == 0
    list(small.source.estate.assistants.values())[-1]["instructions"] = "Be kinder."
    small.snapshot()
    answer = small.planned()
    assert answer["actions"]["update"] == 1, answer["actions"]
    return small


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_target_that_changed_since_the_plan_is_not_changed(
    moved: World, change: Callable[[Estate], Any]
) -> None:
    change(moved.target.estate)
    before = len(moved.target.requests)
    moved.apply().error(4, "plan again")
    writes = [r for r in moved.target.requests[before:] if r.method != "GET"]
    assert writes == []


def test_an_unchanged_target_is_updated(moved: World) -> None:
    answer = moved.apply().ok()
    assert (answer["created"], answer["updated"]) == (0, 1)
    texts = [row["instructions"] for row in moved.target.estate.assistants.values()]
    assert texts.count("Be kinder.") == 1
    assert moved("verify", moved.plan).ok()["ok"] is True


def test_a_change_of_exactly_the_object_to_be_updated(moved: World) -> None:
    last = list(moved.target.estate.assistants.values())[-1]
    for row in moved.target.estate.assistants.values():
        row["name"] = f"{row['name']} by somebody else"
    assert last["name"]
    moved.apply().error(4)
    assert "Be kinder." not in [row["instructions"] for row in moved.target.estate.assistants.values()]


def test_new_messages_of_a_thread_are_appended(moved: World) -> None:
    here = moved.source.estate
    thread = next(id_ for id_, table in here.messages.items() if table)
    last = list(here.messages[thread].values())[-1]
    text = [{"type": "text", "text": {"value": "One more thing.", "annotations": []}}]
    here.messages[thread]["msg_later"] = {**last, "id": "msg_later", "content": text, "attachments": []}
    moved.snapshot()
    answer = moved.planned()
    assert answer["actions"]["create"] == 1, answer["actions"]
    assert moved.apply().ok()["created"] == 1
    there = moved.target.estate
    ends = [list(table.values())[-1]["content"][0] for table in there.messages.values() if table]
    assert [e["text"]["value"] for e in ends if e["type"] == "text"].count("One more thing.") == 1
    assert moved("verify", moved.plan).ok()["ok"] is True
