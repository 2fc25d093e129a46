"""Rollback is exact: created objects are removed, changed ones are as before, all else is unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.stages.plan import run as plan_stage
from tests.e2e.conftest import Launch
from tests.e2e.projects import file, project, say, thread, versions
from tests.e2e.running import World, options
from tests.e2e.scenarios import MakeScenario, Scenario, scenario_maker
from tests.e2e.small_estate import furnish, saved_state, state_changes

Json = dict[str, Any]
TARGETS = ("azure-openai", "foundry")


@pytest.fixture
def stage(launch: Launch, tmp_path: Path) -> Iterator[MakeScenario]:
    with scenario_maker(launch, tmp_path) as staged:
        yield staged


@pytest.fixture(params=TARGETS)
def fresh(request: pytest.FixtureRequest, stage: MakeScenario) -> Scenario:
    """The estate after a move: everything was created."""
    return applied(stage(request.param))


@pytest.fixture(params=TARGETS)
def changed(request: pytest.FixtureRequest, stage: MakeScenario) -> Scenario:
    """After a second plan: updates of every kind, further messages, one more object of each kind."""
    return applied(stage(request.param, changed=True, prune=False))


def applied(scene: Scenario) -> Scenario:
    scene.undisturbed("apply", scene.world.plan, "--yes")
    return scene


def back(world: World, *options: str, code: int = 0) -> Json:
    answer: Json = world("rollback", world.plan, "--yes", *options).ok(code)
    return answer


def left(scene: Scenario) -> list[str]:
    """The differences of the target from its state before the plan."""
    return state_changes(scene.untouched, saved_state(scene.world.target.estate))


def test_what_a_plan_made_is_gone(fresh: Scenario) -> None:
    assert left(fresh), "the apply made something"
    answer = back(fresh.world)
    assert left(fresh) == []
    assert (answer["restored"], answer["gone"], answer["failed"]) == (0, 0, [])
    assert answer["removed"] == 7  # two files, a store, two assistants, two threads with their messages


def test_what_a_plan_changed_is_as_it_was(changed: Scenario) -> None:
    world = changed.world
    answer = back(world)
    assert left(changed) == []
    assert answer["restored"] == 4  # a store, two assistants, a thread
    assert answer["removed"] == 8  # a file, the same in the store, an assistant, five messages
    if world.types[1] == "foundry":
        assert (versions(world.target, "reader"), versions(world.target, "clerk")) == (1, 1)


def test_everything_can_be_taken_back_plan_by_plan(changed: Scenario) -> None:
    """The second plan, then the first: only what existed before both is left."""
    world = changed.world
    first = str(world.folder / "first.json")
    asked = len(world.target.requests)
    world("rollback", first, "--yes").error(4, "changed by apply 2: roll that back first")
    assert world.writes(asked) == [], "what a later plan changed is not the first one's any more"
    back(world)
    world("rollback", first, "--yes").ok()
    assert state_changes(changed.empty, saved_state(world.target.estate)) == []
    assert world("ids", world.db).ok() == []


def test_ids_are_empty_afterwards(fresh: Scenario) -> None:
    assert fresh.world("ids", fresh.world.db).ok()
    back(fresh.world)
    assert fresh.world("ids", fresh.world.db).ok() == []


def test_ids_are_those_of_the_first_plan_after_the_second_is_taken_back(stage: MakeScenario) -> None:
    scene = stage("azure-openai", changed=True, prune=False)
    world = scene.world
    before = sorted(map(str, world("ids", world.db).ok()))
    applied(scene)
    assert sorted(map(str, world("ids", world.db).ok())) != before
    back(world)
    assert sorted(map(str, world("ids", world.db).ok())) == before


def test_a_second_rollback_does_nothing(changed: Scenario) -> None:
    back(changed.world)
    asked = len(changed.world.target.requests)
    answer = back(changed.world)
    assert (answer["removed"], answer["restored"], answer["failed"]) == (0, 0, [])
    assert changed.world.writes(asked) == []


def test_a_plan_that_was_taken_back_cannot_be_applied(changed: Scenario) -> None:
    world = changed.world
    back(world)
    asked = len(world.target.requests)
    world("apply", world.plan, "--yes").error(4, "rolled back", "plan again")
    assert world.writes(asked) == []


def made_again(world: World) -> None:
    counts, again = dict(world.target.estate.counts()), str(world.folder / "again.json")
    back(world)
    plan = world("plan", world.db, "target", "-o", again, "--accept-loss", "all").ok()
    assert not plan["actions"]["update"] + plan["actions"]["adopt"] + plan["actions"]["skip"]
    world("apply", again, "--yes").ok()
    assert dict(world.target.estate.counts()) == counts
    assert world("verify", again).ok()["ok"] is True


def test_a_new_plan_makes_it_all_again(fresh: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_stage, "utc_now", lambda: "2026-11-22T00:00:00Z")
    made_again(fresh.world)


def test_a_plan_of_the_same_second_is_another_plan(
    stage: MakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_stage, "utc_now", lambda: "2026-11-22T00:00:00Z")
    made_again(applied(stage("azure-openai")).world)


def test_a_dry_run_writes_nothing(changed: Scenario) -> None:
    world = changed.world
    asked, there = len(world.target.requests), saved_state(world.target.estate)
    steps = back(world, "--dry-run")["steps"]
    assert world.writes(asked) == []
    assert state_changes(there, saved_state(world.target.estate)) == []
    assert {(step["how"], step["kind"]) for step in steps} == {
        ("restore", "vector_store"), ("restore", "assistant"), ("restore", "thread"),
        ("remove", "message"), ("remove", "assistant"), ("remove", "vector_store_file"), ("remove", "file"),
    }  # fmt: skip
    assert len(steps) == 12
    assert back(world)["removed"] == 8, "a dry run stands in the way of nothing"
    assert left(changed) == []


def test_items_go_before_their_conversation(stage: MakeScenario) -> None:
    scene = applied(stage("foundry"))
    world = scene.world
    assert sum(map(len, world.target.estate.items.values())) == 28
    asked = len(world.target.requests)
    back(world, "--workers", "1")
    assert {id_: rows for id_, rows in world.target.estate.items.items() if rows} == {}
    deletions = [line for line in world.writes(asked) if "/conversations/" in line]
    assert len(deletions) == 30
    for line in deletions:
        conversation = line.split("/conversations/")[1].split("/")[0]
        mine = [other for other in deletions if conversation in other]
        assert mine[-1].endswith(conversation), "the conversation itself goes last"


def test_messages_are_removed_only_where_the_plan_appended_them(changed: Scenario) -> None:
    world = changed.world
    table = world.target.estate.items if world.types[1] == "foundry" else world.target.estate.messages
    before = changed.untouched["items" if world.types[1] == "foundry" else "messages"]
    assert sum(map(len, table.values())) == sum(map(len, before.values())) + 5
    asked = len(world.target.requests)
    back(world)
    assert {id_: list(rows) for id_, rows in table.items()} == {id_: list(r) for id_, r in before.items()}
    assert [line for line in world.writes(asked) if line.endswith(("/conversations", "/threads"))] == []


def test_what_was_used_in_place_stays(launch: Launch) -> None:
    """Both generations of one project: its files and stores were not created by the plan."""
    one = project("SOURCE_KEY")
    world = launch(one, one, types=("foundry-classic", "foundry"))
    furnish(world.source)
    world.begin()
    before = saved_state(world.target.estate)
    world.snapshot()
    assert world.planned()["actions"]["adopt"] == 5  # two files, a store, both in it
    world.apply().ok()
    assert state_changes(before, saved_state(world.target.estate))
    assert back(world)["removed"] == 4  # two agents, two conversations
    assert state_changes(before, saved_state(world.target.estate)) == []
    assert {row["source_id"] == row["target_id"] for row in world("ids", world.db).ok()} <= {True}


def test_stores_created_by_the_service_for_attachments_are_reported_or_removed(launch: Launch) -> None:
    target = options("TARGET_KEY", list_threads="works")
    world = launch(options("SOURCE_KEY", list_threads="works", downloads=True), target)
    notes = file(world.source, 1, "notes.md")
    attached = [{"file_id": notes, "tools": [{"type": "file_search"}]}]
    talk = thread(world.source, 1, ["hello"])
    say(world.source, talk, "read this", attachments=attached, role="user")
    world.snapshot()
    world.planned()
    world.apply().ok()
    (made,) = world.target.estate.vector_stores
    answer = back(world)
    assert not world.target.estate.files
    assert not world.target.estate.threads
    assert not world.target.estate.vector_stores or any(made in note for note in answer["notes"])


def test_what_a_plan_deleted_cannot_come_back_and_is_reported(stage: MakeScenario) -> None:
    scene = applied(stage("azure-openai", changed=True))
    answer = back(scene.world, code=3)
    (failure,) = answer["failed"]
    assert (failure["kind"], failure["name"]) == ("assistant", "old")
    assert [line.split()[0] for line in left(scene)] == ["assistants"], "all else is as it was"
