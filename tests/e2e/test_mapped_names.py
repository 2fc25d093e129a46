"""Assistants get the agent names that a user maps them to, and keep the name that they were moved under."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, agent, assistant, latest, moved, to_agents, versions
from tests.e2e.running import World
from tests.e2e.test_agents import replanned

Json = dict[str, Any]
ORDERS, DESK, LAB = assistant(1, "注文受付係"), assistant(2, "desk"), assistant(3, "lab")


def with_names(world: World, **names: str) -> World:
    lines = "\n".join(f'"{old}" = "{new}"' for old, new in names.items())
    world.config.write_text(f"{world.config.read_text()}\n[names]\n{lines}\n")
    return world


def agents(world: World) -> set[str]:
    return set(world.target.estate.agents)


def name_losses(plan: Json, id_: str) -> list[str]:
    return [row["reason"] for row in plan["losses"] if (row["id"], row["field"]) == (id_, "name")]


def moved_with(world: World, *options: str) -> Json:
    world.snapshot()
    plan: Json = world.planned(*options)
    world.apply().ok()
    assert world("verify", world.plan).ok()["findings"] == []
    return plan


def test_a_name_in_another_script_is_transliterated_without_a_suffix(launch: Launch) -> None:
    world = to_agents(launch, ORDERS, DESK)
    moved(world)
    assert agents(world) == {"ZhuWenShouFuXi", "desk"}
    assert latest(world.target, "ZhuWenShouFuXi")["metadata"]["migrated_name"] == "注文受付係"
    assert replanned(world) == {"skip": 2}


def test_an_option_counts_before_the_config_file_and_an_id_is_as_good_as_a_name(launch: Launch) -> None:
    world = with_names(to_agents(launch, ORDERS, DESK, LAB), desk="front-desk", lab="research", nobody="x")
    plan = moved_with(world, "--names", f"{DESK['id']}=reception", "--names", "注文受付係=orders")
    assert agents(world) == {"reception", "research", "orders"}
    assert latest(world.target, "reception")["metadata"]["migrated_name"] == "desk"
    assert name_losses(plan, DESK["id"]) == [
        "agents are addressed by name: 'desk' becomes 'reception'; the original name is kept in metadata as "
        "migrated_name"
    ]
    again = world.planned()
    assert (again["actions"]["create"], again["actions"]["update"], again["actions"]["skip"]) == (0, 0, 3)


def test_sync_and_assess_take_names_too(launch: Launch) -> None:
    world = to_agents(launch, DESK)
    shown = world("assess", "source", "--to", "target", "--names", "desk=reception").ok()
    assert "becomes 'reception'" in name_losses(shown, DESK["id"])[0]
    shown = world("assess", "source", "--to", "foundry", "--names", "desk=reception").ok()
    assert "becomes 'reception'" in name_losses(shown, DESK["id"])[0]
    world("sync", "source", "target", "-o", world.db, "--names", "desk=reception").ok()
    assert agents(world) == {"reception"}
    world("sync", "source", "target", "-o", world.db).ok()
    assert versions(world.target, "reception") == 1


def test_a_default_name_gives_way_to_a_mapped_one(launch: Launch) -> None:
    world = to_agents(launch, DESK, LAB)
    moved_with(world, "--names", "lab=Desk")
    assert agents(world) == {"Desk", f"desk-{DESK['id'][-8:]}"}


def test_an_agent_keeps_the_name_that_it_was_moved_under(launch: Launch) -> None:
    world = to_agents(launch, DESK, LAB)
    moved(world)
    plan = moved_with(with_names(world, desk="reception"))
    assert agents(world) == {"desk", "lab"}
    assert name_losses(plan, DESK["id"]) == [
        "it is mapped to reception and stays desk: an agent cannot be renamed"
    ]
    assert name_losses(plan, LAB["id"]) == []
    del world.target.estate.agents["desk"]
    moved_with(world)
    assert agents(world) == {"reception", "lab"}


def test_an_agent_that_is_gone_comes_back_under_its_name(launch: Launch) -> None:
    """It got a suffix because an agent of others had its name; that one was deleted since."""
    world = to_agents(launch, DESK)
    agent(world.target, "desk")
    moved(world)
    (name,) = agents(world) - {"desk"}
    for gone in agents(world):
        del world.target.estate.agents[gone]
    moved(world)
    assert agents(world) == {name}
    world("rollback", world.plan, "--yes").ok()
    assert agents(world) == set()
    add(world.source, LAB)
    moved_with(world, "--names", "desk=reception")
    assert agents(world) == {"reception", "lab"}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["desk"], ("OLD=NEW", "--names")),
        (["=x"], ("maps ''", "--names")),
        (["desk=front desk"], ("'front desk' is not a valid name", "a valid one: front-desk")),
        (["desk=-x"], ("letters", "a valid one: x")),
        ([f"desk={'x' * 64}"], ("64 characters", "at most 63")),
        (["desk=a", "desk=b"], ("'desk' is mapped to a and to b",)),
        (["desk=a", f"{DESK['id']}=b"], ("is mapped to a and to b", "by its id")),
        (["desk=a", "lab=A"], ("two assistants", DESK["id"], LAB["id"])),
        (["dosk=a"], ("no assistant 'dosk'", "similar names: desk")),
        (["twin=a"], ("'twin' is the name of 2 assistants", "give the id")),
        (["desk=Taken"], ("cannot be called Taken", "the target has an agent taken", "another name")),
    ],
)
def test_a_name_that_cannot_be_given_is_a_usage_error(
    launch: Launch, names: list[str], words: tuple[str, ...]
) -> None:
    world = to_agents(launch, DESK, LAB, assistant(4, "twin"), assistant(5, "twin"))
    agent(world.target, "taken")
    world.snapshot()
    options = [part for pair in names for part in ("--names", pair)]
    world("plan", world.db, "target", "-o", world.plan, *options).error(2, *words)
    assert agents(world) == {"taken"}


def test_names_of_the_config_file_are_checked_like_those_of_the_option(launch: Launch) -> None:
    world = with_names(to_agents(launch, DESK), desk="front desk")
    world.snapshot()
    world("plan", world.db, "target", "-o", world.plan).error(2, "[names]", "'front desk'", "front-desk")


def test_a_target_without_such_names_refuses_the_option_and_ignores_the_config_file(launch: Launch) -> None:
    world = with_names(to_agents(launch, DESK, types=("foundry-classic", "foundry-classic")), desk="x")
    world.snapshot()
    world("plan", world.db, "target", "-o", world.plan, "--names", "desk=y").error(
        2, "does not address assistants by name"
    )
    assert world.planned()["actions"]["create"] == 1
