"""Equal objects without room for a stamp: after a lost answer none is taken for another."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from migrate.endpoints.http.rate_limit import MAX_ATTEMPTS
from migrate.stages.apply import create
from tests.e2e.conftest import Launch
from tests.e2e.faults import Fault, FixedAnswer, LostAnswer, is_create
from tests.e2e.projects import say, store, thread
from tests.e2e.running import World, options
from tests.e2e.small_estate import FULL

DOWN = {"error": {"message": "down"}}


class Belated(Fault):
    """The request is carried out at once, and answered half a second later."""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        async def late(message: Any) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(0.5)
            await send(message)

        await app(scope, receive, late)


class Chain(list[Fault]):
    """Several faults, one in front of the other."""

    def __call__(self, app: Any) -> Any:
        for fault in self:
            app = fault(app)
        return app


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create.create_once, "__defaults__", (0.01,))


def lookalikes(launch: Launch, *faults: Fault, talks: tuple[list[str], ...] = ()) -> World:
    """Two threads, or two stores, without room for a stamp, and a plan to create them."""
    given = {"list_threads": "works", "downloads": True}
    world = launch(options("SOURCE_KEY", **given), options("TARGET_KEY", **given), wrap_target=Chain(faults))
    for number, texts in enumerate(talks, 1):
        name = thread(world.source, number, [], metadata=FULL)
        for text in texts:
            say(world.source, name, text, metadata=FULL)
    if not talks:
        store(world.source, 1, "one", [], metadata=FULL)
        store(world.source, 2, "one", [], metadata=FULL)
    world.snapshot()
    world.planned()
    return world


def count_texts(world: World) -> Counter[tuple[str, ...]]:
    """The texts of the threads of the target, with the number of threads."""
    heard: Counter[tuple[str, ...]] = Counter()
    for name in world.target.estate.threads:
        rows = world.target.estate.messages[name].values()
        heard[tuple(row["content"][0]["text"]["value"] for row in rows)] += 1
    return heard


def apply_until_done(world: World, workers: int) -> None:
    """Apply, and apply again if an outcome was unknown."""
    said = world("apply", world.plan, "--yes", "--workers", str(workers))
    if said.code:
        said = world("apply", world.plan, "--yes", "--workers", str(workers))
    assert said.code == 0, said.out


def whole(world: World, kind: str, count: int) -> None:
    """Check that every object of a kind has its own counterpart on the target."""
    rows = [row for row in world("ids", world.db).json if row["kind"] == kind]
    assert len({row["target_id"] for row in rows}) == len(rows) == count
    verified = world("verify", world.plan).json
    assert verified["ok"] is True, verified["findings"]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    "texts", [["first", "mine"], ["mine"], ["yours"], []], ids=["other", "one", "shorter", "empty"]
)
def test_a_twin_of_one_thread_is_not_taken_for_another(launch: Launch, texts: list[str]) -> None:
    """The first thread is created, but its answer is lost and it cannot be looked for; the second one is not
    created."""
    lost, never = (
        LostAnswer(is_create("/threads")),
        FixedAnswer(is_create("/threads"), first=2, last=2, body=DOWN),
    )
    blind = FixedAnswer(
        lambda method, path, query: bool(lost.spoiled) and method == "GET" and path.endswith("/threads"),
        last=MAX_ATTEMPTS,
        body=DOWN,
        headers={"retry-after-ms": "1"},
    )
    world = lookalikes(launch, blind, lost, never, talks=(["yours", "and more"], texts))
    apply_until_done(world, workers=1)
    assert len(lost.spoiled) == len(never.spoiled) == 1
    assert len(blind.spoiled) == MAX_ATTEMPTS
    assert count_texts(world) == Counter([("yours", "and more"), tuple(texts)])
    whole(world, "thread", 2)


@pytest.mark.parametrize("kind", ["vector_store", "thread"])
def test_what_another_worker_makes_just_now_is_not_found_by_its_looks(launch: Launch, kind: str) -> None:
    """While the answer about the first one is delayed, the second one is refused and looked for."""
    listing = f"/{kind}s"
    late, never = Belated(is_create(listing)), FixedAnswer(is_create(listing), first=2, last=2, body=DOWN)
    talks = (["the same"], ["the same"]) if kind == "thread" else ()
    world = lookalikes(launch, never, late, talks=talks)
    apply_until_done(world, workers=2)
    assert len(late.spoiled) == len(never.spoiled) == 1
    assert len(world.target.estate.threads if talks else world.target.estate.vector_stores) == 2
    whole(world, kind, 2)


@pytest.mark.slow
def test_rollback_does_not_take_one_thread_for_another(launch: Launch) -> None:
    """Neither thread is known to be created. A thread of others is only equal to them."""
    refused = FixedAnswer(is_create("/threads"), last=10**6, body=DOWN)
    world = lookalikes(launch, refused, talks=(["mine"], ["mine as well"]))
    world.apply().ok(3)
    others = thread(world.target, 9, ["theirs"], metadata=FULL, created_at=int(time.time()))
    world("rollback", world.plan, "--yes").ok()
    assert list(world.target.estate.threads) == [others]
