"""A second snapshot: what is known is not read again, and what changed is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from migrate.endpoints import channel
from tests.e2e.conftest import Launch
from tests.e2e.faults import Instead, second_page
from tests.e2e.running import World, options


@pytest.fixture
def world(launch: Launch) -> World:
    return launch(options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True))


def below_threads(world: World) -> list[str]:
    """Paths of the requests below threads since the start."""
    return [r.path for r in world.source.requests if "/threads/" in r.path]


def longest(world: World) -> dict[str, Any]:
    table: dict[str, Any] = max(world.source.estate.messages.values(), key=len)
    assert len(table) > 200
    return table


def equals_its_source(world: World) -> None:
    assert world("diff", world.db, "source").ok()["differences"] == 0


def test_an_unchanged_thread_costs_one_request_and_no_bytes(world: World) -> None:
    first = world.snapshot()
    before = len(below_threads(world))
    second = world.snapshot()
    asked = below_threads(world)[before:]
    held = [t for t, m in world.source.estate.messages.items() if m]
    with_messages = [path for path in asked if path.endswith("/messages")]
    assert len(with_messages) == len(world.source.estate.threads), "one look at each thread"
    assert not [path for path in asked if any(f"/{t}/runs" in path for t in held)]
    assert second["counts"] == first["counts"]
    rows = world("snapshots", world.db).ok()
    assert rows[1]["bodies_added"] == 0
    equals_its_source(world)


def test_bytes_are_never_fetched_twice(world: World) -> None:
    world.snapshot()
    before = sum(r.path.endswith("/content") for r in world.source.requests)
    world.snapshot("--full")
    assert sum(r.path.endswith("/content") for r in world.source.requests) == before > 0


def test_full_reads_everything_again(world: World) -> None:
    world.snapshot()
    first = len(below_threads(world))
    world.snapshot("--full")
    assert len(below_threads(world)) == 2 * first


def test_a_new_message_is_read(world: World) -> None:
    world.snapshot()
    table = longest(world)
    table["msg_new"] = {**copy.deepcopy(list(table.values())[-1]), "id": "msg_new"}
    after = world.snapshot()
    assert world("show", world.db, "msg_new").ok()["body"]["id"] == "msg_new"
    assert after["counts"]["message"] == sum(map(len, world.source.estate.messages.values()))
    equals_its_source(world)


@pytest.mark.parametrize("place", [-1, -2, -60])
def test_a_changed_message_near_the_end_is_read(world: World, place: int) -> None:
    world.snapshot()
    table = longest(world)
    id_ = list(table)[place]
    table[id_] = {**table[id_], "metadata": {"seen": "yes"}}
    world.snapshot()
    equals_its_source(world)


def test_a_deleted_message_near_the_end_is_noticed(world: World) -> None:
    world.snapshot()
    table = longest(world)
    del table[list(table)[-3]]
    world.snapshot()
    equals_its_source(world)


def test_a_partial_reading_is_not_taken_for_known(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "pause", lambda attempt, headers: 0.0)
    once = Instead(second_page("/messages"), last=channel.ATTEMPTS, status=500, body={"error": {}})
    source = options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True)
    world = launch(source, wrap_source=once)
    assert world.snapshot(code=3)["state"] == "partial"
    assert world.snapshot()["state"] == "complete"
    equals_its_source(world)


def test_other_filters_share_nothing(world: World) -> None:
    world.snapshot("--exclude", "message:*")
    assert world.snapshot()["counts"]["message"] > 0
    equals_its_source(world)
