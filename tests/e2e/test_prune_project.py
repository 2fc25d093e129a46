"""`--prune` on a project: what we created and the source no longer has, and no agent of other users."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import agent, assistant, latest, moved, thread, to_agents
from tests.e2e.running import World

DESK, LAB = assistant(1, "desk"), assistant(2, "lab-helper")


@pytest.fixture
def shrunk(launch: Launch) -> World:
    """Two assistants and two threads were moved; then one of each was deleted in the source."""
    world = to_agents(launch, DESK, LAB)
    first, second = (thread(world.source, number, ["a", "b"]) for number in (1, 2))
    moved(world)
    agent(world.target, "stranger")
    estate = world.source.estate
    del estate.assistants[DESK["id"]], estate.threads[first]
    estate.messages.pop(first)
    assert second in estate.threads
    world.snapshot()
    return world


def pruned(world: World) -> dict[str, int]:
    actions: dict[str, int] = world.planned("--prune", "--max-delete", "100%")["actions"]
    return {name: number for name, number in actions.items() if number}


def test_without_prune_nothing_is_deleted(shrunk: World) -> None:
    shrunk.planned()
    assert shrunk.apply().ok()["deleted"] == 0
    assert set(shrunk.target.estate.agents) == {"desk", "lab-helper", "stranger"}


def test_what_the_source_lost_is_deleted_and_nothing_else(shrunk: World) -> None:
    assert pruned(shrunk) == {"delete": 2, "skip": 2}
    assert shrunk.apply().ok()["deleted"] == 2
    assert set(shrunk.target.estate.agents) == {"lab-helper", "stranger"}
    assert len(shrunk.target.estate.conversations) == 1
    assert shrunk("verify", shrunk.plan).ok()["ok"] is True
    assert pruned(shrunk) == {"skip": 2}


def test_what_others_changed_since_is_not_deleted(shrunk: World) -> None:
    pruned(shrunk)
    latest(shrunk.target, "desk")["definition"]["instructions"] = "Somebody needs me."
    shrunk.apply().error(4, "plan again")
    assert "desk" in shrunk.target.estate.agents


def test_an_agent_that_takes_the_place_of_a_deleted_one_is_not_deleted(launch: Launch) -> None:
    """Names are addresses: `desk` is in the journal, but this agent belongs to another user."""
    world = to_agents(launch, DESK, LAB)
    moved(world)
    for table in (world.target.estate.agents, world.target.estate.agent_versions):
        del table["desk"]  # type: ignore[attr-defined]
    agent(world.target, "desk")
    del world.source.estate.assistants[DESK["id"]]
    world.snapshot()
    world.planned("--prune", "--max-delete", "100%", code=0)
    world.apply()
    assert latest(world.target, "desk")["definition"]["instructions"] == "Mine."


def test_conversations_of_others_stay(shrunk: World) -> None:
    row = {"id": "conv_x", "object": "conversation", "created_at": 1, "metadata": {"of": "somebody"}}
    shrunk.target.estate.conversations["conv_x"] = row
    pruned(shrunk)
    shrunk.apply().ok()
    assert shrunk.target.estate.conversations["conv_x"] == row
