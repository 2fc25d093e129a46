"""The source lists moved messages in another order: they stay as they are, and new ones are appended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, project, say, thread
from tests.e2e.running import World, options
from tests.e2e.test_sync_again import TYPES, sync

Json = dict[str, Any]
TEXTS = ["one", "two", "three", "four"]
ORDERS = {
    "two change places": [0, 2, 1, 3],
    "the other way round": [3, 2, 1, 0],
    "the new one stands between": [0, 1, 4, 2, 3],
    "the new one stands first, two change places": [4, 0, 2, 1, 3],
    "one is gone, two change places": [0, 3, 2],
    "the first stands last": [1, 2, 3, 0],
}


@pytest.fixture(params=TYPES)
def world(request: pytest.FixtureRequest, launch: Launch) -> World:
    source = options("SOURCE_KEY", list_threads="works", downloads=True)
    azure = request.param == "azure-openai"
    target = options("TARGET_KEY", list_threads="works") if azure else project("TARGET_KEY")
    made = launch(source, target, types=("azure-openai", request.param))
    add(made.source, assistant(1, "reader"))
    thread(made.source, 1, TEXTS)
    sync(made)
    return made


def reorder(world: World, order: list[int]) -> None:
    """Set the order in which the source lists messages; times rise in the new order."""
    ((_, rows),) = world.source.estate.messages.items()
    listed = list(rows.items())
    rows.clear()
    gone = [number for number in range(len(listed)) if number not in order]
    for place, number in enumerate([*order, *gone]):
        id_, row = listed[number]
        rows[id_] = {**row, "created_at": row["created_at"] // 1000 * 1000 + 500 + place}
    for number in gone:
        del rows[listed[number][0]]


def texts_of(world: World) -> list[str]:
    there = world.target.estate
    table = there.items if world.types[1] == "foundry" else there.messages
    (rows,) = table.values()
    parts = [row["content"][0] for row in rows.values()]
    return [part["text"] if isinstance(part["text"], str) else part["text"]["value"] for part in parts]


@pytest.mark.exhaustive(5)
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_new_message_is_appended_whatever_the_order_of_the_others(world: World, order: list[int]) -> None:
    (talk,) = world.source.estate.threads
    say(world.source, talk, "five")
    reorder(world, [*order, *([] if 4 in order else [4])])
    done = sync(world, "--full")
    assert texts_of(world) == [*TEXTS, "five"]
    assert done["verify"]["findings"] == []
    assert [loss for loss in done["plan"]["losses"] if "another order" in loss["reason"]]
    for number in range(2):
        again = sync(world, "--full")
        assert (again["apply"]["created"], again["apply"]["updated"]) == (0, 0), number
        assert again["verify"]["findings"] == []
    rows = world.source.estate.messages[talk]
    content = [{"type": "text", "text": {"value": "six", "annotations": []}}]
    last = {**next(iter(rows.values())), "content": content, "created_at": 1_760_000_000}
    rows["msg_six"] = {**last, "id": "msg_six", "role": "user"}
    sync(world, "--full")
    assert texts_of(world) == [*TEXTS, "five", "six"]


def test_an_append_in_another_order_is_taken_back(world: World) -> None:
    if world.types[1] == "foundry-classic":
        pytest.skip("a classic project deletes no message")
    (talk,) = world.source.estate.threads
    say(world.source, talk, "five")
    reorder(world, [0, 2, 1, 4, 3])
    sync(world, "--full")
    assert texts_of(world) == [*TEXTS, "five"]
    assert world("rollback", f"{world.db}.plan.json", "--yes").ok()["removed"] == 1
    assert texts_of(world) == TEXTS
