"""A service with only files and vector stores: they are moved there, and from there."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.emulator import Options
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, file, project, store, thread
from tests.e2e.running import World, options

Json = dict[str, Any]

RETIRED = {
    "azure, dated routes without assistants": ("azure-openai", {"retired": True}),
    "azure, only /openai/v1": ("azure-openai", {"dated_paths_retired": True}),
    "openai": ("openai", {"retired": True}),
}


def target(name: str) -> tuple[str, Options]:
    service, others = RETIRED[name]
    return service, options("TARGET_KEY", service=service, downloads=True, **others)


def launched(launch: Launch, name: str) -> World:
    service, there = target(name)
    world = launch(project("SOURCE_KEY"), there, types=("foundry-classic", service))
    notes = file(world.source, 1, "notes.md", b"remember")
    store(world.source, 1, "papers", [notes], metadata={"team": "night"})
    return world


def with_assistants(world: World) -> None:
    papers = next(iter(world.source.estate.vector_stores))
    search = {"file_search": {"vector_store_ids": [papers]}}
    add(world.source, assistant(1, "desk", tools=[{"type": "file_search"}], tool_resources=search))
    thread(world.source, 1, ["hello", "good day"], tool_resources=search)


def blocked(plan: Json) -> set[tuple[str, str]]:
    return {(row["kind"], row["field"]) for row in plan["losses"] if row["grade"] == "blocked"}


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", RETIRED)
def test_files_and_stores_are_moved_proved_and_taken_back(launch: Launch, name: str) -> None:
    world = launched(launch, name)
    world.snapshot()
    plan = world("plan", world.db, "target", "-o", world.plan).ok()
    assert (plan["actions"]["create"], plan["actions"]["blocked"]) == (3, 0)
    assert world.apply().ok()["created"] == 3
    assert world("verify", world.plan).ok()["findings"] == []
    again = str(world.folder / "again.json")
    assert world("plan", world.db, "target", "-o", again).ok()["actions"]["skip"] == 3
    assert len(world.target.estate.files) == len(world.target.estate.vector_stores) == 1
    assert world("rollback", world.plan, "--yes").ok()["removed"] >= 2
    assert not world.target.estate.files
    assert not world.target.estate.vector_stores


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", RETIRED)
def test_only_assistants_and_threads_are_blocked_with_a_reason(launch: Launch, name: str) -> None:
    world = launched(launch, name)
    with_assistants(world)
    world.snapshot()
    plan = world("plan", world.db, "target", "-o", world.plan).ok(1)
    assert blocked(plan) == {("assistant", "*"), ("thread", "*")}
    assert all("retired" in row["reason"] for row in plan["losses"] if row["grade"] == "blocked")
    assert (plan["actions"]["create"], plan["actions"]["blocked"]) == (3, 2)
    assert not [row for row in plan["losses"] if row["kind"] == "message"]
    done = world.apply().ok(3)
    assert done["created"] == 3
    assert {row["kind"] for row in done["failed"]} == {"assistant", "thread"}
    world.planned()
    assert world.apply().ok()["failed"] == []  # what was accepted is no failure
    found = world("verify", world.plan)
    assert found.json["findings"] == []


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", RETIRED)
def test_sync_keeps_such_a_service_up_to_date(launch: Launch, name: str) -> None:
    world = launched(launch, name)
    sync = ("sync", "source", "target", "-o", world.db)
    world(*sync).ok()
    more = file(world.source, 2, "more.md", b"more")
    papers = next(iter(world.source.estate.vector_stores))
    row = dict(next(iter(world.source.estate.vector_store_files[papers].values())))
    world.source.estate.vector_store_files[papers][more] = {**row, "id": more}
    world(*sync).ok()
    (rows,) = world.target.estate.vector_store_files.values()
    assert len(rows) == 2
    before = len(world.target.requests)
    world(*sync).ok()
    assert world.writes(before) == []


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", RETIRED)
def test_it_can_be_assessed_and_examined(launch: Launch, name: str) -> None:
    world = launched(launch, name)
    with_assistants(world)
    world.snapshot()
    answer = world("assess", world.db, "--to", "target").ok(1)
    assert {row["kind"] for row in answer["losses"] if row["grade"] == "blocked"} == {"assistant", "thread"}
    said = world.plain("doctor", "target")
    assert said.code == 5  # assistants do not exist, which is the tested case
    assert "files and vector stores live" in said.out


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", RETIRED)
def test_files_and_stores_of_such_a_service_are_moved_elsewhere(launch: Launch, name: str) -> None:
    service, others = RETIRED[name]
    world = launch(
        options("SOURCE_KEY", service=service, downloads=True, **others),
        project("TARGET_KEY"),
        types=(service, "foundry"),
    )
    store(world.source, 1, "papers", [file(world.source, 1, "notes.md", b"remember")])
    taken = world("snapshot", "source", "-o", world.db).json
    assert (taken["counts"]["file"], taken["counts"]["vector_store_file"]) == (1, 1)
    assert {row["kind"] for row in taken["missing"]} <= {"assistant", "thread"}
    plan = world("plan", world.db, "target", "-o", world.plan).ok()
    assert plan["actions"]["create"] == 3
    world.apply().ok()
    assert world("verify", world.plan).ok()["findings"] == []


def test_a_target_that_retires_after_the_plan_is_not_taken_for_empty(launch: Launch) -> None:
    """Expected objects are requested; a missing answer does not prove that they were deleted."""
    world = launch(project("SOURCE_KEY"), options("TARGET_KEY"), types=("foundry-classic", "azure-openai"))
    add(world.source, assistant(1, "desk"))
    world.snapshot()
    world.planned()
    world.apply().ok()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("migrate.emulator.apis.azure_openai.ASSISTANTS", ())
        from migrate.emulator.apis.azure_openai import dated_version

        dated_version.cache_clear()
        try:
            world("rollback", world.plan, "--yes").error(3, "could not be read completely: assistant")
        finally:
            dated_version.cache_clear()
