"""A service with many faults: requests refused, lost or cut on both sides; in the end all is there once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Emulator
from migrate.endpoints.http import retry
from migrate.endpoints.http.rate_limit import retry_wait_s
from migrate.stages.apply import create, threads
from tests.e2e import estate_comparison, foundry_comparison
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, file, project, store, thread
from tests.e2e.running import CommandResult, World, options
from tests.e2e.small_estate import FULL, furnish

STORM: list[dict[str, Any]] = [
    {"what": "too-many", "share": 0.2, "retry_after_ms": 2},
    {"what": "error", "status": 503, "share": 0.02, "retry_after_ms": 2},
    {"what": "error", "status": 500, "share": 0.02, "done": True},
    {"what": "html", "status": 504, "share": 0.01},
    {"what": "lost", "share": 0.05},
    {"what": "cut", "share": 0.02},
]
# Maximum number of runs of the same command.
TIMES = 12


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten all waits that a service does not ask for."""

    def short(attempt: int, headers: Any) -> float | None:
        asked = retry_wait_s(attempt, headers)
        return None if asked is None else min(asked, 0.002)

    monkeypatch.setattr(retry, "retry_wait_s", short)
    monkeypatch.setattr(create, "GATEWAY_LOOK_DELAYS_S", (0.002, 0.002))
    monkeypatch.setattr(threads, "GATEWAY_LOOK_DELAYS_S", (0.002, 0.002))
    monkeypatch.setattr(threads, "FIRST_LOOK_DELAY_S", 0.001)
    monkeypatch.setattr(create.create_once, "__defaults__", (0.001,))


def storms(launch: Launch, folder: Path, seed: int, target: str) -> World:
    files = []
    for side in (0, 1):
        files.append(folder / f"storm{side}.json")
        files[-1].write_text(json.dumps({"seed": seed + side, "fault": STORM}), encoding="utf-8")
    there = project("TARGET_KEY") if target == "foundry" else options("TARGET_KEY", list_threads="works")
    here = options("SOURCE_KEY", list_threads="works", downloads=True, faults=files[0])
    world = launch(here, replace(there, faults=files[1]))
    furnish(world.source)
    crowd(world.source)
    return world


def crowd(cloud: Emulator) -> None:
    """More objects of every kind, many of them equal: files of one name and size, objects without room for a
    stamp."""
    for number in range(10, 18):
        same = file(cloud, number, "same.md", f"leaf {number}".encode())
        if number % 2:
            store(cloud, number, "a store", [same])
        metadata = FULL if number % 3 == 0 else {}
        add(cloud, assistant(number, f"number {number}", metadata=metadata))
        thread(cloud, number, ["ok"] * (5 * (number - 10)), metadata=metadata)


def repeat_until_done(
    run: Callable[[], CommandResult], good: Callable[[Any], bool] = lambda answer: True
) -> Any:
    """Repeat a command until it has finished everything."""
    for _ in range(TIMES):
        said = run()
        assert "Traceback" not in said.err, said.err
        assert said.code in (0, 1, 3, 5), f"{said.code}: {said.err}"
        if said.code == 0 and good(said.json):
            return said.json
    raise AssertionError(f"not in {TIMES} times: {said.out[:2000]} {said.err}")


@pytest.mark.slow
@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("target", ["azure-openai", "foundry"])
@pytest.mark.parametrize(("seed", "workers"), [(1, 1), (2, 4), (None, 4)], ids=["one", "two", "random"])
def test_a_move_through_a_storm(
    launch: Launch, tmp_path: Path, target: str, seed: int | None, workers: int
) -> None:
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    print(f"seed {seed}")  # noqa: T201 - to run it again
    world = storms(launch, tmp_path, seed, target)
    count = ("--workers", str(workers))
    repeat_until_done(lambda: world("snapshot", "source", "-o", world.db, *count))
    plan = repeat_until_done(
        lambda: world("plan", world.db, "target", "-o", world.plan, "--accept-loss", "all")
    )
    repeat_until_done(lambda: world("apply", world.plan, "--yes", *count))
    assert repeat_until_done(lambda: world("verify", world.plan, *count))["ok"] is True
    spoiled = [line for cloud in (world.source, world.target) for line in cloud.faults.applied]
    assert len(spoiled) >= 30
    assert any(line.method != "GET" for line in spoiled)
    equal(world, plan["losses"])


def equal(world: World, losses: list[Any]) -> None:
    """Check that everything is on the target once, and nothing else."""
    here, there = dict(world.source.estate.counts()), dict(world.target.estate.counts())
    if world.types[1] == "foundry":
        kinds = {"assistant": "agent", "thread": "conversation", "message": "item"}
        assert there["agent_version"] == there["agent"]
    else:
        kinds = {kind: kind for kind in ("assistant", "thread", "message")}
    kinds |= {kind: kind for kind in ("file", "vector_store", "vector_store_file")}
    assert {kind: there[new] for kind, new in kinds.items()} == {kind: here[kind] for kind in kinds}
    ids = world("ids", world.db).ok()
    way = foundry_comparison if world.types[1] == "foundry" else estate_comparison
    assert list(way.differences(world, ids, losses)) == []
