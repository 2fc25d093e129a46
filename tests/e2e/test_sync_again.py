"""Repeated syncs: the plan for the rollback is kept, and changes of others are never taken for ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, change, file, project, say, store, thread
from tests.e2e.running import World, options
from tests.e2e.small_estate import saved_state, state_changes

Json = dict[str, Any]
TYPES = ("azure-openai", "foundry-classic", "foundry")


def estate(launch: Launch, type_: str) -> World:
    """One object of each kind, and an empty target."""
    source = options("SOURCE_KEY", list_threads="works", downloads=True)
    target = options("TARGET_KEY", list_threads="works") if type_ == "azure-openai" else project("TARGET_KEY")
    world = launch(source, target, types=("azure-openai", type_))
    notes = file(world.source, 1, "notes.md", b"remember")
    papers = store(world.source, 1, "papers", [notes], metadata={"of": "Ada"})
    search = {"file_search": {"vector_store_ids": [papers]}}
    add(world.source, assistant(1, "reader", tools=[{"type": "file_search"}], tool_resources=search))
    thread(world.source, 1, ["hello", "good morning"], metadata={"who": "Ada"})
    return world


@pytest.fixture(params=TYPES)
def world(request: pytest.FixtureRequest, launch: Launch) -> World:
    return estate(launch, request.param)


def sync(world: World, *more: str, code: int = 0, db: str = "") -> Any:
    return world("sync", "source", "target", "-o", db or world.db, "--accept-loss", "all", *more).ok(code)


def plan_file(world: World) -> Path:
    return Path(f"{world.db}.plan.json")


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("later", [("--dry-run",), (), ("--dry-run", "--prune"), ("--on-conflict", "keep")])
def test_a_sync_that_changes_nothing_leaves_the_plan_that_can_be_taken_back(
    world: World, later: tuple[str, ...]
) -> None:
    empty = saved_state(world.target.estate)
    sync(world)
    before = plan_file(world).read_bytes()
    assert sync(world, *later)["plan_kept"] is True
    assert plan_file(world).read_bytes() == before
    assert world("rollback", str(plan_file(world)), "--yes").ok()["removed"] > 0
    assert state_changes(empty, saved_state(world.target.estate)) == []


@pytest.mark.exhaustive(1)
def test_a_dry_run_that_would_change_something_leaves_it_too(world: World) -> None:
    sync(world)
    before = plan_file(world).read_bytes()
    change(world.source, assistant(1, "reader")["id"], instructions="Read aloud.")
    found = sync(world, "--dry-run")
    assert found["plan"]["actions"]["update"] == 1
    assert plan_file(world).read_bytes() == before
    assert sync(world)["apply"]["updated"] == 1
    assert plan_file(world).read_bytes() != before, "what can be taken back now is the last one"


@pytest.mark.exhaustive(1)
def test_a_dry_run_leaves_its_plan_where_none_can_be_taken_back(world: World) -> None:
    assert sync(world, "--dry-run")["plan_kept"] is False
    first = json.loads(plan_file(world).read_text())["digest"]
    sync(world, "--dry-run")
    assert json.loads(plan_file(world).read_text())["digest"] != first
    sync(world)
    world("rollback", str(plan_file(world)), "--yes").ok()
    assert sync(world, "--dry-run")["plan_kept"] is False, "that one was taken back"


# ------------------------------------------------------------------------------ what others changed


def tables(world: World) -> dict[str, Any]:
    there = world.target.estate
    if world.types[1] == "foundry":
        return {"thread": there.conversations, "vector_store": there.vector_stores}
    return {
        "thread": there.threads,
        "vector_store": there.vector_stores,
        "assistant": there.assistants,
    }


def change_by_others(world: World, kind: str) -> Json:
    """Another user adds metadata to our object; returns its new state."""
    if kind == "assistant" and world.types[1] == "foundry":
        there = world.target.estate
        (name,) = there.agents
        latest = there.agents[name]["versions"]["latest"]
        version = {
            **latest,
            "id": f"{name}:2",
            "version": "2",
            "metadata": {**latest["metadata"], "by": "Eve"},
        }
        there.agent_versions[name][version["id"]] = version
        there.agents[name] = {**there.agents[name], "versions": {"latest": version}}
        there.last_versions[name] = 2
        return dict(there.agents[name]["versions"]["latest"])
    table = tables(world)[kind]
    (id_,) = table
    table[id_] = {**table[id_], "metadata": {**table[id_]["metadata"], "by": "Eve"}}
    return dict(table[id_])


def now(world: World, kind: str) -> Json:
    if kind == "assistant" and world.types[1] == "foundry":
        return dict(next(iter(world.target.estate.agents.values()))["versions"]["latest"])
    return dict(next(iter(tables(world)[kind].values())))


def change_in_source(world: World, kind: str) -> None:
    """The source changes it as well."""
    here = world.source.estate
    table = {"assistant": here.assistants, "thread": here.threads, "vector_store": here.vector_stores}[kind]
    (id_,) = table
    table[id_] = {**table[id_], "metadata": {"who": "Bob"}}


KINDS = ("thread", "vector_store", "assistant")


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("also", [True, False], ids=["changed here too", "changed there only"])
@pytest.mark.parametrize("kind", KINDS)
def test_keep_only_appends(world: World, kind: str, also: bool) -> None:
    sync(world)
    left = change_by_others(world, kind)
    if also:
        change_in_source(world, kind)
    (talk,) = world.source.estate.threads
    say(world.source, talk, "and good night")
    done = sync(world, "--on-conflict", "keep")
    table = world.target.estate.items if world.types[1] == "foundry" else world.target.estate.messages
    assert [len(rows) for rows in table.values()] == [3], "the message arrived"
    assert now(world, kind) == left, "and what others wrote stands"
    assert (done["apply"]["created"], done["apply"]["updated"]) == (1, 0)
    again = sync(world, "--on-conflict", "keep")
    assert (again["apply"]["created"], again["apply"]["updated"]) == (0, 0)
    assert now(world, kind) == left
    world.plain("sync", "source", "target", "-o", world.db, "--accept-loss", "all").error(4, "--on-conflict")
    assert now(world, kind) == left
    if also:
        sync(world, "--on-conflict", "overwrite")
        assert now(world, kind) != left


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_adopted_after_the_archive_was_lost_is_not_written_over(world: World, kind: str) -> None:
    sync(world)
    other = str(world.folder / "another.db")
    found = sync(world, db=other)["apply"]
    assert (found["created"], found["updated"]) == (0, 0)
    assert found["adopted"] > 0
    assert sync(world, db=other)["apply"]["adopted"] == 0
    left = change_by_others(world, kind)
    change_in_source(world, kind)
    said = world.plain("sync", "source", "target", "-o", other, "--accept-loss", "all")
    said.error(4, "--on-conflict")
    assert now(world, kind) == left


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("kind", KINDS)
def test_what_differs_when_the_archive_is_lost_is_a_conflict(world: World, kind: str) -> None:
    """The state in which it was left is unknown, so others may have changed it."""
    sync(world)
    left = change_by_others(world, kind)
    other = str(world.folder / "another.db")
    said = world.plain("sync", "source", "target", "-o", other, "--accept-loss", "all")
    said.error(4, "--on-conflict")
    sync(world, "--on-conflict", "keep", db=other)
    assert now(world, kind) == left


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("kind", KINDS)
def test_what_only_the_source_changed_is_written_after_an_adoption(world: World, kind: str) -> None:
    sync(world)
    other = str(world.folder / "another.db")
    sync(world, db=other)
    change_in_source(world, kind)
    assert sync(world, db=other)["apply"]["updated"] == 1
    assert now(world, kind)["metadata"]["who"] == "Bob"
