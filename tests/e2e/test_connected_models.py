"""An agent whose model is CONNECTION/MODEL is moved where the connection exists, and gets its name there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import agent, assistant, latest, project, to_agents
from tests.e2e.running import World

MODEL = "gateway/gpt-5-mini"


def world_of(launch: Launch, model: str, *there: str, source: str = "foundry-classic") -> World:
    world = to_agents(launch, target=project("TARGET_KEY", connections=there), types=(source, "foundry"))
    if source == "foundry":
        agent(world.source, "desk", model=model)
    else:
        world.source.estate.assistants["asst_1"] = {**assistant(1, "desk", model=model), "id": "asst_1"}
    world.snapshot()
    return world


def blocked(plan: Any) -> list[Any]:
    return [row for row in plan["losses"] if row["grade"] == "blocked"]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("source", ["foundry-classic", "foundry"])
@pytest.mark.parametrize("model", [MODEL, "gateway/meta/llama-4"])
def test_a_model_behind_a_connection_that_is_there_is_kept(launch: Launch, model: str, source: str) -> None:
    world = world_of(launch, model, "gateway", "search", source=source)
    plan = world.planned()
    assert blocked(plan) == []
    assert not [row for row in plan["losses"] if row["field"] == "model"]
    world.apply().ok()
    assert latest(world.target, "desk")["definition"]["model"] == model
    assert world("verify", world.plan).ok()["findings"] == []
    again = world.planned()["actions"]
    assert (again["create"], again["update"]) == (0, 0)


@pytest.mark.parametrize("new", ["west", "/subscriptions/s/accounts/a/projects/p/connections/west"])
def test_the_connection_is_renamed_by_the_config_file(launch: Launch, new: str) -> None:
    world = world_of(launch, MODEL, "west")
    world.configure(connections={"gateway": new})
    plan = world.planned()
    (told,) = [row for row in plan["losses"] if row["field"] == "model"]
    assert (told["grade"], "west/gpt-5-mini" in told["reason"]) == ("adapted", True)
    world.apply().ok()
    assert latest(world.target, "desk")["definition"]["model"] == "west/gpt-5-mini"
    assert world("verify", world.plan).ok()["findings"] == []
    assert world.planned()["actions"]["update"] == 0


def test_without_the_connection_it_is_blocked_with_the_line_that_settles_it(launch: Launch) -> None:
    world = world_of(launch, MODEL, "search")
    (row,) = blocked(world.planned())
    assert row["field"] == "model"
    assert "'gateway'" in row["reason"]
    assert "it has: search" in row["reason"]
    assert '"gateway" = "CONNECTION"' in row["way_out"]
    assert f'"{MODEL}" = "DEPLOYMENT"' in row["way_out"]
    world.configure(models={MODEL: MODEL})  # mapped on purpose, and still missing
    assert len(blocked(world.planned())) == 1
    world.configure(models={MODEL: "gpt-4o"})
    assert blocked(world.planned()) == []
    world.configure(models={MODEL: "search/gpt-4o"})
    assert blocked(world.planned()) == []


def test_a_deployment_that_is_called_so_is_a_deployment(launch: Launch) -> None:
    there = project("TARGET_KEY", connections=(), deployments=(MODEL,))
    world = to_agents(launch, assistant(1, "desk", model=MODEL), target=there)
    world.snapshot()
    assert blocked(world.planned()) == []


def test_where_nobody_lists_connections_it_is_tried(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic",) * 2)
    row = assistant(1, "desk", model=MODEL)
    world.source.estate.assistants[row["id"]] = row
    world.snapshot()
    plan = world.planned()
    (told,) = [loss for loss in plan["losses"] if loss["field"] == "model" and loss["id"] == row["id"]]
    assert (told["grade"], "cannot be seen" in told["reason"]) == ("adapted", True)
    world.apply().ok()
    (made,) = world.target.estate.assistants.values()
    assert made["model"] == MODEL


def test_a_reasoning_model_behind_a_connection_gets_no_sampling_numbers(launch: Launch) -> None:
    world = to_agents(
        launch,
        assistant(1, "desk", model=MODEL, temperature=0.2),
        target=project("TARGET_KEY", connections=("west",)),
    )
    world.configure(connections={"gateway": "west"})
    world.snapshot()
    lost = [row["field"] for row in world.planned()["losses"] if row["grade"] == "lost"]
    assert lost == ["temperature"]


@pytest.mark.parametrize("target", ["azure-openai", "openai"])
def test_on_other_services_a_slash_means_nothing(launch: Launch, target: str) -> None:
    """A server with the same API may have such model names."""
    world = to_agents(launch, assistant(1, "desk", model=MODEL))
    world.snapshot()
    losses = world("assess", world.db, "--to", target).json["losses"]
    assert not [row for row in losses if row["field"] == "model" and row["grade"] != "adapted"]
