"""An agent is created once, and a change is exactly one version. Agents of other users are never changed."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from migrate.stages.apply import create
from tests.e2e.conftest import Launch
from tests.e2e.faults import Fault, FixedAnswer, HiddenBehind500, LateRequest, LostAnswer, is_create
from tests.e2e.projects import (
    assistant,
    change,
    latest,
    moved,
    posted,
    project,
    to_agents,
    versions,
)
from tests.e2e.running import World

DESK, LAB = assistant(1, "desk"), assistant(2, "lab-helper", metadata={"team": "night"})


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pause before a lost answer is checked."""
    monkeypatch.setattr(create.create_once, "__defaults__", (0.01,))


def replanned(world: World) -> dict[str, int]:
    """The actions of a plan after a second snapshot, of files and agents together."""
    world.snapshot()
    actions: dict[str, int] = world.planned()["actions"]
    return {name: number for name, number in actions.items() if number}


def everyone(world: World) -> Any:
    return copy.deepcopy((world.target.estate.agents, world.target.estate.agent_versions))


# ------------------------------------------------------------------------------------- again and again


def test_an_unchanged_agent_gets_no_new_version(launch: Launch) -> None:
    world = to_agents(launch, DESK, LAB)
    assert moved(world)["created"] == 2
    before = everyone(world)
    assert replanned(world) == {"skip": 2}
    assert world.apply().ok()["skipped"] == 2
    assert everyone(world) == before
    assert sorted(posted(world, "/versions")) == sorted(
        f"/api/projects/demo/agents/{name}/versions" for name in ("desk", "lab-helper")
    )


def test_a_lost_archive_makes_nothing_twice(launch: Launch) -> None:
    world = to_agents(launch, DESK, LAB, assistant(3, "Lab Helper!"))
    moved(world)
    before, ids = everyone(world), {row["source_id"]: row for row in world("ids", world.db).ok()}
    Path(world.db).unlink()
    assert replanned(world) == {"adopt": 3}
    asked = len(world.target.requests)
    assert world.apply().ok()["adopted"] == 3
    assert world.writes(asked) == []
    assert everyone(world) == before
    assert {row["source_id"]: row for row in world("ids", world.db).ok()} == ids


def test_the_same_source_gives_the_same_metadata_every_time(launch: Launch) -> None:
    sources = [DESK, LAB, assistant(3, "Night Desk!"), assistant(4, "Night Desk!", metadata={"a": "b"})]
    told = []
    for _ in range(2):
        world = to_agents(launch, *sources)
        moved(world)
        told.append({name: latest(world.target, name)["metadata"] for name in world.target.estate.agents})
    assert told[0] == told[1]
    assert told[0]["lab-helper"] == {"team": "night", "migrated_from": f"foundry-classic:{LAB['id']}"}


def test_changed_instructions_give_exactly_one_new_version(launch: Launch) -> None:
    world = to_agents(launch, DESK, LAB)
    moved(world)
    change(world.source, DESK["id"], instructions="Be kinder.")
    assert replanned(world) == {"update": 1, "skip": 1}
    assert world.apply().ok()["updated"] == 1
    assert (versions(world.target, "desk"), versions(world.target, "lab-helper")) == (2, 1)
    assert latest(world.target, "desk")["definition"]["instructions"] == "Be kinder."
    assert world("verify", world.plan).ok()["ok"] is True
    assert world.apply().ok()["updated"] == 0
    assert replanned(world) == {"skip": 2}
    assert versions(world.target, "desk") == 2


def test_every_change_of_an_assistant_reaches_its_agent(launch: Launch) -> None:
    world = to_agents(launch, DESK)
    moved(world)
    changes = (
        {"model": "gpt-4.1"},
        {"description": "at the door"},
        {"temperature": 0.0},
        {"tools": [{"type": "code_interpreter"}]},
        {"metadata": {"team": "day"}},
        {"response_format": {"type": "json_object"}},
    )
    for number, fields in enumerate(changes, 2):
        change(world.source, DESK["id"], **fields)
        assert moved(world)["updated"] == 1, fields
        assert versions(world.target, "desk") == number
    last = latest(world.target, "desk")
    assert (last["description"], last["metadata"]["team"]) == ("at the door", "day")
    assert last["definition"] == {
        "kind": "prompt",
        "model": "gpt-4.1",
        "instructions": "You are number 1.",
        "temperature": 0.0,
        "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}],
        "text": {"format": {"type": "json_object"}},
    }


def test_a_renamed_assistant_keeps_its_agent(launch: Launch) -> None:
    world = to_agents(launch, DESK)
    moved(world)
    change(world.source, DESK["id"], name="Front Desk")
    assert moved(world)["updated"] == 1
    assert list(world.target.estate.agents) == ["desk"]
    assert latest(world.target, "desk")["metadata"]["migrated_name"] == "Front Desk"
    assert world("verify", world.plan).ok()["ok"] is True
    assert replanned(world) == {"skip": 1}


def test_an_agent_that_was_deleted_is_made_again(launch: Launch) -> None:
    world = to_agents(launch, DESK, LAB)
    moved(world)
    for table in (world.target.estate.agents, world.target.estate.agent_versions):
        table.pop("desk") if table is world.target.estate.agent_versions else table.__delitem__("desk")
    assert replanned(world) == {"create": 1, "skip": 1}
    assert world.apply().ok()["created"] == 1
    assert versions(world.target, "desk") == 1


def test_what_the_portal_writes_survives_and_is_no_difference(launch: Launch) -> None:
    world = to_agents(launch, LAB)
    moved(world)
    portal = {
        "logo": "Avatar_Default.svg",
        "modified_at": "1762868400",
        "voiceLiveConfig": "{}",
        "description": "",
    }
    latest(world.target, "lab-helper")["metadata"] |= portal
    assert replanned(world) == {"skip": 1}
    change(world.source, LAB["id"], instructions="Be kinder.", metadata={"team": "day"})
    assert moved(world)["updated"] == 1
    stamp = f"foundry-classic:{LAB['id']}"
    metadata = latest(world.target, "lab-helper")["metadata"]
    assert metadata == {**portal, "team": "day", "migrated_from": stamp}
    assert world("verify", world.plan).ok()["ok"] is True


# ---------------------------------------------------------------------------------------- lost answers


@pytest.mark.parametrize("how", [LostAnswer, HiddenBehind500])
def test_an_answer_is_lost_when_an_agent_is_made(launch: Launch, how: type[Fault]) -> None:
    fault = how(is_create("/versions"))
    world = to_agents(launch, DESK, LAB, wrap_target=fault)
    answer = moved(world)
    assert answer["created"] + answer["adopted"] == 2
    assert fault.spoiled
    assert (versions(world.target, "desk"), versions(world.target, "lab-helper")) == (1, 1)
    assert replanned(world) == {"skip": 2}


@pytest.mark.parametrize("how", [LostAnswer, HiddenBehind500])
def test_an_answer_is_lost_when_an_agent_is_changed(launch: Launch, how: type[Fault]) -> None:
    fault = how(is_create("/versions"), first=2, last=2)
    world = to_agents(launch, DESK, wrap_target=fault)
    moved(world)
    change(world.source, DESK["id"], instructions="Be kinder.")
    assert moved(world)["updated"] == 1
    assert fault.spoiled
    assert versions(world.target, "desk") == 2
    assert world("verify", world.plan).ok()["ok"] is True


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_request_that_never_arrived_is_sent_again(launch: Launch, status: int) -> None:
    error = {"error": {"code": "server_error", "message": "busy", "type": "error", "details": []}}
    fault = FixedAnswer(
        is_create("/versions"), last=2, status=status, body=error, headers={"retry-after-ms": "1"}
    )
    world = to_agents(launch, DESK, wrap_target=fault)
    assert moved(world)["created"] == 1
    assert len(fault.spoiled) == 2
    assert versions(world.target, "desk") == 1


@pytest.mark.parametrize("looks", [0, 1])
def test_a_gateway_gives_up_while_the_service_is_still_at_work(
    launch: Launch, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    monkeypatch.setattr(create, "GATEWAY_LOOK_DELAYS_S", (0.01, 0.01, 0.01))
    fault = LateRequest(is_create("/versions"), looks=looks)
    world = to_agents(launch, DESK, wrap_target=fault)
    moved(world)
    assert versions(world.target, "desk") == 1
    change(world.source, DESK["id"], instructions="Be kinder.")
    fault.last, fault.seen, fault.looked = 1, 0, 0
    assert moved(world)["updated"] == 1
    assert len(fault.spoiled) == 2
    assert not fault.waiting
    assert versions(world.target, "desk") == 2


def test_an_agent_whose_making_stayed_unknown_is_found_by_the_next_apply(launch: Launch) -> None:
    fault = HiddenBehind500(is_create("/versions"), last=1)
    down = {"error": {"code": "x", "message": "down", "type": "error"}}
    blind = FixedAnswer(
        lambda method, path, query: method == "GET" and path.endswith("/agents/desk") and fault.seen > 0,
        last=1,
        status=400,
        body=down,
    )
    world = to_agents(launch, DESK, wrap_target=lambda app: fault(blind(app)))
    answer = moved(world, code=3)
    assert [failure["id"] for failure in answer["failed"]] == [DESK["id"]]
    assert world.apply().code == 0
    assert versions(world.target, "desk") == 1
    assert world("verify", world.plan).ok()["ok"] is True


def test_a_project_that_takes_the_same_version_for_the_old_one(launch: Launch) -> None:
    world = to_agents(launch, DESK, target=project("TARGET_KEY", identical_is_noop=True))
    moved(world)
    change(world.source, DESK["id"], instructions="Be kinder.")
    assert moved(world)["updated"] == 1
    change(world.source, DESK["id"], instructions=DESK["instructions"])
    assert moved(world)["updated"] == 1
    assert versions(world.target, "desk") == 3
    assert latest(world.target, "desk")["definition"]["instructions"] == DESK["instructions"]
