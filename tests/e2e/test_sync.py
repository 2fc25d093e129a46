"""One-way replication, repeated: only changes are written, and never over changes of other users."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from migrate.emulator import Emulator
from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, is_listing
from tests.e2e.running import World, options


@pytest.fixture(params=["openai", "foundry"])
def world(request: pytest.FixtureRequest, launch: Launch) -> World:
    """The small estate, and a target of either generation that has its models."""
    source = options("SOURCE_KEY", "openai-v2", "openai", list_threads="works", downloads=True)
    if request.param == "openai":
        return launch(source)
    models = tuple({row["model"] for row in _assistants("openai-v2")})
    target = options("TARGET_KEY", service="foundry", downloads=True, deployments=models)
    return launch(source, target)


def _assistants(state: str) -> list[dict[str, Any]]:
    with Emulator(options("SOURCE_KEY", state, "openai")) as cloud:
        return list(cloud.estate.assistants.values())


def sync(world: World, *more: str, code: int = 0) -> Any:
    return world("sync", "source", "target", "-o", world.db, "--accept-loss", "all", *more).ok(code)


def writes(cloud: Emulator) -> int:
    return sum(1 for request in cloud.requests if request.method != "GET")


def edit(world: World, **changes: Any) -> str:
    """Change an assistant of the source; returns its id."""
    held = world.source.estate.assistants
    old = next(iter(held))
    held[old] = {**held[old], **changes}
    return old


def test_the_second_run_writes_nothing(world: World) -> None:
    first = sync(world)
    assert first["apply"]["created"] == first["plan"]["actions"]["create"] > 0
    assert first["verify"]["ok"]
    before = writes(world.target)
    again = sync(world)
    assert again["plan"]["actions"]["skip"] == sum(again["plan"]["actions"].values())
    assert writes(world.target) == before


def test_only_what_changed_is_written(world: World) -> None:
    sync(world)
    before = writes(world.target)
    edit(world, instructions="Be brief.")
    thread, table = next((t, m) for t, m in world.source.estate.messages.items() if len(m) > 1)
    last = list(table.values())[-1]
    table["msg_later"] = {**copy.deepcopy(last), "id": "msg_later"}
    done = sync(world)
    assert (done["apply"]["updated"], done["apply"]["created"]) == (1, 1)
    assert writes(world.target) - before == 2
    assert done["verify"]["ok"], thread


def test_a_dry_run_writes_nothing(world: World) -> None:
    found = sync(world, "--dry-run")
    assert (found["apply"], found["verify"]) == (None, None)
    assert writes(world.target) == 0


def edit_by_others(world: World, text: str) -> str:
    """Another user edits the moved assistant on the target; returns its target id."""
    held = world.target.estate.assistants
    new = next(iter(held))
    held[new] = {**held[new], "instructions": text}
    return new


@pytest.fixture
def drifted(launch: Launch) -> tuple[World, str]:
    """An estate that was synced and then changed on both sides."""
    world = launch()
    sync(world)
    new = edit_by_others(world, "Edited by a colleague.")
    stamp = world.target.estate.assistants[new]["metadata"]["migrated_from"].partition(":")[2]
    held = world.source.estate.assistants
    held[stamp] = {**held[stamp], "instructions": "Changed at the source."}
    return world, new


def test_a_conflict_is_shown_side_by_side_and_nothing_is_written(drifted: tuple[World, str]) -> None:
    world, new = drifted
    before = writes(world.target)
    said = world.plain("sync", "source", "target", "-o", world.db, "--accept-loss", "all")
    said.error(4, "Changed at the source.", "Edited by a colleague.", new, "--on-conflict")
    assert writes(world.target) == before
    assert world.target.estate.assistants[new]["instructions"] == "Edited by a colleague."


def test_a_conflict_may_be_kept(drifted: tuple[World, str]) -> None:
    world, new = drifted
    kept = sync(world, "--on-conflict", "keep")
    assert world.target.estate.assistants[new]["instructions"] == "Edited by a colleague."
    assert kept["verify"]["ok"], "what the plan announced is no finding"
    assert [row for row in kept["plan"]["losses"] if "others changed it" in row["reason"]]


def test_a_conflict_may_be_written_over(drifted: tuple[World, str]) -> None:
    world, new = drifted
    sync(world, "--on-conflict", "overwrite")
    assert world.target.estate.assistants[new]["instructions"] == "Changed at the source."


def test_nothing_is_deleted_without_being_asked_for(world: World) -> None:
    sync(world)
    del world.source.estate.assistants[next(iter(world.source.estate.assistants))]
    assert sync(world)["plan"]["actions"]["delete"] == 0
    assert sync(world, "--prune")["apply"]["deleted"] == 1


def test_nothing_is_deleted_after_an_incomplete_reading(launch: Launch) -> None:
    source = options("SOURCE_KEY", "openai-v2", "openai", list_threads="works", downloads=True)
    denied = FixedAnswer(
        is_listing("/content"), last=10**6, status=403, body={"error": {"message": "Not you."}}
    )
    world = launch(source, wrap_source=denied)
    sync(world, code=3)
    world.plain("sync", "source", "target", "-o", world.db, "--prune").error(4, "complete snapshot")


def test_an_empty_source_is_no_reason_to_delete(launch: Launch) -> None:
    world = launch()
    sync(world)
    held = world.source.estate
    for table in (held.assistants, held.threads, held.files, held.vector_stores):
        for id_ in list(table):
            del table[id_]
    before = writes(world.target)
    said = world.plain("sync", "source", "target", "-o", world.db, "--prune")
    said.error(3, "is empty")
    assert writes(world.target) == before
