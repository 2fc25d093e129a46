"""Assistants that refer to each other: created in a possible order, and reported where there is none."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, moved, posted, project, to_agents
from tests.e2e.running import World

Json = dict[str, Any]


def asking(number: int, name: str, *others: int, **fields: Any) -> Json:
    """An assistant with other assistants as its tools."""
    tools = [
        {
            "type": "connected_agent",
            "connected_agent": {
                "id": assistant(other, None)["id"],
                "name": f"no_{other}",
                "description": "Knows.",
            },
        }
        for other in others
    ]
    return assistant(number, name, tools=tools, **fields)


CHAIN = [asking(1, "first", 2, 3), asking(2, "second", 3), asking(3, "third")]
CIRCLE = [asking(4, "round", 5), asking(5, "and round", 6), asking(6, "again", 4)]
OUTSIDE = asking(7, "outside", 4)
DANGLING = asking(8, "dangling", 99, 3)
ITSELF = asking(9, "itself", 9)


def classic(launch: Launch, *rows: Json) -> World:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    add(world.source, *rows)
    return world


@pytest.fixture
def whole(launch: Launch) -> World:
    world = classic(launch, *CHAIN, *CIRCLE, OUTSIDE, DANGLING, ITSELF)
    world.snapshot()
    return world


def named(world: World) -> dict[str, list[str]]:
    """Which agent refers to which on the target, by the names of the source."""
    rows = world.target.estate.assistants.values()
    names = {row["id"]: row["name"] for row in rows}
    return {row["name"]: sorted(names[t["connected_agent"]["id"]] for t in row["tools"]) for row in rows}


def test_everybody_who_can_be_named_is_named_on_the_target(whole: World) -> None:
    whole.planned()
    assert whole.apply().ok()["created"] == 9
    assert named(whole) == {
        "first": ["second", "third"],
        "second": ["third"],
        "third": [],
        "round": [],
        "and round": [],
        "again": [],
        "outside": ["round"],
        "dangling": ["third"],
        "itself": [],
    }
    assert whole("verify", whole.plan).ok()["ok"] is True


def test_who_is_named_is_made_before(whole: World) -> None:
    whole.planned()
    whole.apply()
    made = [json.loads(r.body)["name"] for r in whole.target.requests if r.method == "POST"]
    assert sorted(made) == sorted({row["name"] for row in whole.source.estate.assistants.values()})
    for one, other in (("second", "first"), ("third", "first"), ("third", "second"), ("round", "outside")):
        assert made.index(one) < made.index(other), made
    assert len(posted(whole, "/assistants")) == 9


def test_a_reference_that_cannot_be_created_is_reported_before(whole: World) -> None:
    losses = whole("plan", whole.db, "target", "-o", whole.plan).ok(1)["losses"]
    told = {row["name"]: row for row in losses if (row["field"], row["grade"]) == ("tools", "lost")}
    assert told.keys() == {"round", "and round", "again", "dangling", "itself"}
    assert assistant(99, None)["id"] in told["dangling"]["reason"]
    assert all(row["way_out"] for row in told.values())
    assert whole.writes() == []


def test_nothing_is_made_or_changed_a_second_time(whole: World) -> None:
    whole.planned()
    whole.apply()
    asked = len(whole.target.requests)
    whole.snapshot()
    actions = whole.planned()["actions"]
    assert {name: number for name, number in actions.items() if number} == {"skip": 9}
    whole.apply().ok()
    assert whole.writes(asked) == []


def test_the_plan_reports_that_an_agent_has_no_such_tool(launch: Launch) -> None:
    world = to_agents(launch, *CHAIN)
    world.snapshot()
    losses = world("plan", world.db, "target", "-o", world.plan).ok(1)["losses"]
    told = [(row["name"], row["grade"]) for row in losses if row["field"] == "tools"]
    assert sorted(told) == [("first", "lost"), ("first", "lost"), ("second", "lost")]
    assert all(row["way_out"] for row in losses if row["field"] == "tools")
    assert moved(world)["created"] == 3
    definitions = [row["versions"]["latest"]["definition"] for row in world.target.estate.agents.values()]
    assert not [tool for each in definitions for tool in each.get("tools", [])]


@pytest.mark.parametrize("options", [(), ("--id", asking(5, "")["id"])], ids=["everything", "one"])
def test_a_lost_agent_of_a_circle_comes_back_with_its_tools(launch: Launch, options: tuple[str, ...]) -> None:
    """The agents that it refers to are still there."""
    place = project("SOURCE_KEY")
    world = launch(place, place, types=("foundry-classic", "foundry-classic"))
    add(world.source, *deepcopy(CIRCLE))
    world.snapshot()
    first, lost, last = (row["id"] for row in CIRCLE)
    del world.source.estate.assistants[lost]
    result = world("restore", world.db, *options, "--yes").ok()
    assert [row for row in result["losses"] if row["grade"] == "lost"] == []
    new = {**{id_: id_ for id_ in (first, last)}, lost: result["ids"][0]["target_id"]}
    for one, other in ((first, lost), (lost, last), (last, first)):
        (tool,) = world.source.estate.assistants[new[one]]["tools"]
        assert tool["connected_agent"]["id"] == new[other]
