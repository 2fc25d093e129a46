"""Threads longer than the part that is kept in memory: the rest is read again, each message gets its id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.endpoints.http import pagination
from migrate.stages.apply import create, outgoing_messages
from migrate.stages.apply import threads as sending
from tests.e2e.conftest import Launch
from tests.e2e.faults import (
    Fault,
    HiddenBehind500,
    LostAnswer,
    PartlyRefused,
    capture_answer,
    is_create,
    is_listing,
    send_answer,
)
from tests.e2e.projects import moved, project, say, thread
from tests.e2e.running import World, options
from tests.e2e.small_estate import FULL
from tests.e2e.test_conversations import counterpart

# Each text occurs twice: only the position distinguishes the two messages.
TEXTS = [f"number {n // 2}" for n in range(97)]


class Embellished(Fault):
    """Adds an unknown field to a late item of a listing."""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        page = json.loads(await capture_answer(app, scope, receive))
        for row in page["data"]:
            if row["content"][0]["text"] == "number 30":
                row["mood"] = "calm"
        await send_answer(send, 200, page)


@pytest.fixture(autouse=True)
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing_messages, "MAX_FINGERPRINTS_KEPT", 5)
    monkeypatch.setattr(pagination, "MAX_PLAIN_IDS", 5)
    monkeypatch.setattr(create.create_once, "__defaults__", (0.01,))
    monkeypatch.setattr(sending, "FIRST_LOOK_DELAY_S", 0.005)


def one_by_one(world: World, old: str) -> None:
    """Check that every message is recorded with the id of the item at its position."""
    estate = world.target.estate
    new = counterpart(world, old)
    there = list((estate.items if world.types[1] == "foundry" else estate.messages)[new])
    noted = {r["source_id"]: r["target_id"] for r in world("ids", world.db).ok() if r["kind"] == "message"}
    assert [noted[id_] for id_ in world.source.estate.messages[old]] == there
    assert world("verify", world.plan).ok()["ok"] is True


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("how", [LostAnswer, HiddenBehind500, PartlyRefused])
@pytest.mark.parametrize("pictured", [False, True], ids=["words", "with a picture"])
def test_a_conversation(launch: Launch, how: type[Fault], pictured: bool) -> None:
    fault = how(is_create("/items"), first=2, last=2)
    world = launch(
        project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"), wrap_target=fault
    )
    old = thread(world.source, 1, TEXTS)
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/p.png", "detail": "auto"}}
    for _ in range(pictured):
        say(world.source, old, "", content=[picture], role="user")
        say(world.source, old, "and then")
    moved(world)
    assert fault.spoiled
    one_by_one(world, old)


def test_an_item_that_shows_more_than_was_written(launch: Launch) -> None:
    fault = Embellished(is_listing("/items"), last=10**6)
    world = launch(
        project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"), wrap_target=fault
    )
    old = thread(world.source, 1, TEXTS)
    moved(world)
    assert fault.spoiled
    new = counterpart(world, old)
    noted = {r["source_id"]: r["target_id"] for r in world("ids", world.db).ok() if r["kind"] == "message"}
    assert [noted[id_] for id_ in world.source.estate.messages[old]] == list(world.target.estate.items[new])


@pytest.mark.parametrize("metadata", [{}, FULL], ids=["stamped", "no room for a stamp"])
def test_a_thread_that_grew(launch: Launch, metadata: dict[str, str]) -> None:
    fault = LostAnswer(is_create("/messages"), first=3, last=3)
    given = {"list_threads": "works", "downloads": True}
    world = launch(options("SOURCE_KEY", **given), options("TARGET_KEY", **given), wrap_target=fault)
    old = thread(world.source, 1, [], metadata=metadata)
    for text in TEXTS[:50]:
        say(world.source, old, text, metadata=metadata)
    moved(world)
    assert fault.spoiled
    one_by_one(world, old)
    for text in TEXTS[50:]:
        say(world.source, old, text, metadata=metadata)
    fault.last = fault.seen + 4
    moved(world)
    one_by_one(world, old)
    same = world("diff", world.db, "target").json
    assert [change for change in same["changes"] if change["kind"] in ("thread", "message")] == []
