"""Agents have a name as their address: those of other users stay unchanged, and no two assistants share
one."""

from __future__ import annotations

import copy

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.faults import Fault
from tests.e2e.projects import add, agent, assistant, change, latest, moved, to_agents, versions
from tests.e2e.test_agents import DESK, LAB, everyone, replanned


def test_an_agent_of_others_with_the_wanted_name_is_not_changed(launch: Launch) -> None:
    world = to_agents(launch, DESK)
    agent(world.target, "desk")
    before = copy.deepcopy(world.target.estate.agents["desk"])
    assert moved(world)["created"] == 1
    assert world.target.estate.agents["desk"] == before
    assert versions(world.target, "desk") == 1
    (ours,) = set(world.target.estate.agents) - {"desk"}
    assert ours.startswith("desk-")
    assert latest(world.target, ours)["metadata"]["migrated_name"] == "desk"
    assert replanned(world) == {"skip": 1}
    assert world("verify", world.plan).ok()["ok"] is True


@pytest.mark.parametrize("name", ["Desk", "DESK"])
def test_names_that_differ_in_case_only_are_not_trusted(launch: Launch, name: str) -> None:
    world = to_agents(launch, DESK)
    agent(world.target, name)
    moved(world)
    assert versions(world.target, name) == 1
    assert not {"desk"} & set(world.target.estate.agents)


def test_an_agent_of_others_created_since_the_plan_stops_apply(launch: Launch) -> None:
    world = to_agents(launch, DESK, LAB)
    world.snapshot()
    world.planned()
    agent(world.target, "desk")
    before, asked = everyone(world), len(world.target.requests)
    world.apply().error(4, "plan again")
    assert world.writes(asked) == []
    assert everyone(world) == before


def test_an_agent_of_others_created_during_apply_is_not_changed(launch: Launch) -> None:
    made: list[str] = []

    def meanwhile(method: str, path: str, query: str) -> bool:
        if path.endswith("/agents/desk") and not made:
            made.append(path)
            agent(world.target, "desk")
        return False

    world = to_agents(launch, DESK, LAB, wrap_target=Fault(meanwhile))
    answer = moved(world, code=3)
    assert made
    assert [(failure["kind"], failure["id"]) for failure in answer["failed"]] == [("assistant", DESK["id"])]
    assert "desk" in answer["failed"][0]["reason"]
    assert (versions(world.target, "desk"), answer["created"]) == (1, 1)
    assert latest(world.target, "desk")["definition"]["instructions"] == "Mine."


def test_an_agent_that_others_changed_since_the_plan_is_not_changed(launch: Launch) -> None:
    world = to_agents(launch, DESK)
    moved(world)
    change(world.source, DESK["id"], instructions="Be kinder.")
    assert replanned(world) == {"update": 1}
    latest(world.target, "desk")["definition"]["instructions"] = "Somebody else was here."
    before = everyone(world)
    world.apply().error(4, "plan again")
    assert everyone(world) == before


def test_assistants_of_one_name_become_agents_of_two(launch: Launch) -> None:
    rows = [
        assistant(n, name)
        for n, name in ((1, "Plant Desk"), (2, "Plant Desk"), (3, "plant_desk"), (4, "desk"))
    ]
    world = to_agents(launch, *rows)
    assert moved(world)["created"] == 4
    agents = world.target.estate.agents
    assert len({name.casefold() for name in agents}) == 4
    by_source = {latest(world.target, name)["metadata"]["migrated_from"]: name for name in agents}
    for row in rows:
        name = by_source[f"foundry-classic:{row['id']}"]
        version = latest(world.target, name)
        assert version["metadata"].get("migrated_name", name) == row["name"]
        assert version["definition"]["instructions"] == row["instructions"]
    assert by_source[f"foundry-classic:{rows[3]['id']}"] == "desk"
    assert {versions(world.target, name) for name in agents} == {1}


def test_an_assistant_that_comes_later_takes_no_name_away(launch: Launch) -> None:
    world = to_agents(launch, DESK)
    moved(world)
    before = copy.deepcopy(world.target.estate.agents["desk"])
    add(world.source, assistant(9, "desk"))
    assert moved(world)["created"] == 1
    assert world.target.estate.agents["desk"] == before
    assert len(world.target.estate.agents) == 2
    assert replanned(world) == {"skip": 2}


def test_two_projects_become_one(launch: Launch) -> None:
    """Each has an agent `desk`; the second one is not an update of the first one."""
    one, other = to_agents(launch, DESK), to_agents(launch, assistant(5, "desk"), assistant(6, "porter"))
    moved(one)
    before = copy.deepcopy(one.target.estate.agents["desk"])
    other.config.write_text(other.config.read_text().replace(other.target.url, one.target.url))
    assert moved(other)["created"] == 2
    assert one.target.estate.agents["desk"] == before
    assert len(one.target.estate.agents) == 3
    assert (replanned(one), replanned(other)) == ({"skip": 1}, {"skip": 2})
    assert one("verify", one.plan).ok()["ok"] is True
    assert other("verify", other.plan).ok()["ok"] is True


@pytest.mark.slow
def test_more_agents_than_a_page_holds(launch: Launch) -> None:
    rows = [assistant(number, f"agent-{number}") for number in range(120)]
    world = to_agents(launch, *rows)
    for row in rows:
        agent(world.target, row["name"])
    before = everyone(world)
    assert moved(world)["created"] == 120
    agents, kept = everyone(world), before
    assert len(agents[0]) == 240
    assert {name: agents[0][name] for name in kept[0]} == kept[0]
    assert {len(versions_) for versions_ in agents[1].values()} == {1}
    assert replanned(world) == {"skip": 120}


@pytest.mark.parametrize("name", ["agent", "注文"])
def test_an_assistant_with_a_name_is_not_nameless(launch: Launch, name: str) -> None:
    """With this much metadata there is room for the stamp, but not for the name."""
    full = {f"key{n}": "x" for n in range(15)}
    world = to_agents(launch, assistant(1, name, metadata=full), assistant(2, name, metadata=full))
    moved(world)
    assert world("verify", world.plan).ok()["ok"] is True
    assert replanned(world) == {"skip": 2}
