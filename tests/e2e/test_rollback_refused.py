"""What other users changed after apply is not rolled back: refused and listed, or forced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import change, say
from tests.e2e.running import World
from tests.e2e.scenarios import MakeScenario, Scenario, scenario_maker
from tests.e2e.small_estate import saved_state, state_changes

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


def applied(scene: Scenario) -> Scenario:
    scene.undisturbed("apply", scene.world.plan, "--yes")
    return scene


def back(world: World, *options: str) -> Json:
    answer: Json = world("rollback", world.plan, "--yes", *options).ok()
    return answer


def left(scene: Scenario) -> list[str]:
    """The differences of the target from its state before the plan."""
    return state_changes(scene.untouched, saved_state(scene.world.target.estate))


def new(world: World, kind: str) -> list[str]:
    return [row["target_id"] for row in world("ids", world.db).ok() if row["kind"] == kind]


def renamed_store(world: World) -> str:
    (id_,) = new(world, "vector_store")
    world.target.estate.vector_stores[id_]["name"] = "mine now"
    return id_


def foreign_file_in_a_store(world: World) -> str:
    (id_,) = new(world, "vector_store")
    rows = world.target.estate.vector_store_files[id_]
    theirs = next(id_ for id_, row in world.target.estate.files.items() if row["filename"] == "theirs.md")
    rows[theirs] = {**next(iter(rows.values())), "id": theirs}
    return id_


def edited_assistant(world: World) -> str:
    id_ = new(world, "assistant")[0]
    if world.types[1] == "foundry":
        target = world.target.estate
        version = {**target.agents[id_]["versions"]["latest"], "id": f"{id_}:2", "version": "2"}
        version["definition"] = {**version["definition"], "instructions": "Mine."}
        target.agent_versions[id_][version["id"]] = version
        target.agents[id_] = {**target.agents[id_], "versions": {"latest": version}}
    else:
        change(world.target, id_, instructions="Mine.")
    return id_


def thread_metadata(world: World) -> str:
    id_ = new(world, "thread")[0]
    estate = world.target.estate
    table = estate.conversations if world.types[1] == "foundry" else estate.threads
    table[id_] = {**table[id_], "metadata": {**table[id_]["metadata"], "who": "Eve"}}
    return id_


def add_messages(world: World) -> str:
    id_ = new(world, "thread")[0]
    if world.types[1] == "foundry":
        rows = world.target.estate.items[id_]
        rows["msg_theirs"] = {**next(iter(rows.values())), "id": "msg_theirs"}
    else:
        say(world.target, id_, "and one more thing")
    return id_


OTHERS = (renamed_store, foreign_file_in_a_store, edited_assistant, thread_metadata, add_messages)


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.__name__)
def test_what_others_changed_is_refused_and_reported(fresh: Scenario, other: Any) -> None:
    world = fresh.world
    id_ = other(world)
    asked = len(world.target.requests)
    world("rollback", world.plan, "--yes").error(4, "changed by others", id_, "--force")
    assert world.writes(asked) == [], "nothing is taken back by halves"
    assert back(world, "--dry-run", "--force", id_)["steps"]
    world("rollback", world.plan, "--yes", "--force", "another-id").error(4, id_)
    assert back(world, "--force", id_)["failed"] == []
    assert [line for line in left(fresh) if not line.startswith("items")] == []


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_changed_again_since_an_update_is_refused(stage: MakeScenario, target: str) -> None:
    scene = applied(stage(target, changed=True, prune=False))
    id_ = edited_assistant_again(scene.world)
    scene.world("rollback", scene.world.plan, "--yes").error(4, id_)
    assert back(scene.world, "--force", id_)["failed"] == []
    lines = [line for line in left(scene) if not line.startswith("agent_versions")]
    # On a project a rollback over a version of others is a further version; ours stays as an older one.
    shown = [line for line in lines if not line.startswith("agents")]
    assert shown == []
    if target == "foundry":
        before = scene.untouched["agents"][id_]["versions"]["latest"]["definition"]
        now = scene.world.target.estate.agents[id_]["versions"]["latest"]["definition"]
        assert now == before


def edited_assistant_again(world: World) -> str:
    if world.types[1] == "foundry":
        estate = world.target.estate
        latest = estate.agents["reader"]["versions"]["latest"]
        version = {**latest, "id": "reader:3", "version": "3"}
        version["definition"] = {**version["definition"], "instructions": "Mine."}
        estate.agent_versions["reader"]["reader:3"] = version
        estate.agents["reader"] = {**estate.agents["reader"], "versions": {"latest": version}}
        estate.last_versions["reader"] = 3
        return "reader"
    id_ = next(row["id"] for row in world.target.estate.assistants.values() if row["name"] == "reader")
    change(world.target, id_, instructions="Mine.")
    return str(id_)


def test_what_others_deleted_meanwhile_is_reported_as_deleted(fresh: Scenario) -> None:
    world = fresh.world
    (papers,) = new(world, "vector_store")
    del world.target.estate.vector_stores[papers]
    world.target.estate.vector_store_files.pop(papers)
    for batch in world.target.estate.file_batches.pop(papers):
        del world.target.estate.batch_files[batch]
    answer = back(world)
    assert (answer["gone"], answer["removed"], answer["failed"]) == (1, 6, [])
    assert left(fresh) == []
