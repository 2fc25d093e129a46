"""Which version of an agent is served, and whether it is enabled, is reported for both sides."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from migrate.emulator import Emulator
from migrate.model.served_version import (
    is_agent_disabled,
    served_older_versions,
    served_version_remarks,
    traffic_shares,
    with_served_version,
)
from tests.e2e.conftest import Launch
from tests.e2e.projects import agent, latest, moved, project, versions
from tests.e2e.running import World

Json = dict[str, Any]


def rules(*pairs: tuple[str, float]) -> Json:
    said = [
        {"type": "FixedRatio", "agent_version": version, "traffic_percentage": share}
        for version, share in pairs
    ]
    return {"version_selector": {"version_selection_rules": said}, "protocols": ["responses"]}


def grown(cloud: Emulator, name: str, number: int = 5) -> None:
    """An agent of several versions, each with its own instructions."""
    row = agent(cloud, name)
    first = row["versions"]["latest"]
    for n in range(1, number + 1):
        version = deepcopy(first) | {
            "id": f"{name}:{n}",
            "version": str(n),
            "created_at": first["created_at"] + n,
        }
        version["definition"]["instructions"] = f"I am version {n}."
        cloud.estate.agent_versions[name][version["id"]] = version
    cloud.estate.agents[name] = {**row, "versions": {"latest": version}}


@pytest.fixture
def world(launch: Launch) -> World:
    made = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry"))
    grown(made.source, "desk")
    return made


def reported_versions(plan: Json, name: str, field: str = "version") -> list[Json]:
    return [
        row for row in plan["losses"] if (row["kind"], row["id"], row["field"]) == ("assistant", name, field)
    ]


def instructions(cloud: Emulator, name: str = "desk") -> str:
    text: str = latest(cloud, name)["definition"]["instructions"]
    return text


# ------------------------------------------------------------------------------------------ the source


def test_a_pinned_version_is_reported_and_the_newest_is_moved(world: World) -> None:
    world.source.estate.agent_endpoints["desk"] = rules(("3", 100))
    taken = world.snapshot()
    assert any("users get version 3; the newest is version 5" in note for note in taken["notes"])
    assert (
        "users get version 3; the newest is version 5"
        in world.plain("snapshot", "source", "-o", world.db).out
    )
    (row,) = reported_versions(world.planned(), "desk")
    assert row["grade"] == "adapted"
    assert "version 3" in row["reason"]
    assert "the newest is moved" in row["reason"]
    assert "--agent-version served" in row["way_out"]
    world.apply().ok()
    assert instructions(world.target) == "I am version 5."
    assert world("verify", world.plan).ok()["findings"] == []


def test_the_definition_of_the_served_version_is_in_the_archive(world: World) -> None:
    world.source.estate.agent_endpoints["desk"] = rules(("3", 100))
    world.snapshot()
    shown = world("show", world.db, "desk").ok()
    found = shown if isinstance(shown, dict) else shown[0]
    body = found["body"]
    assert body["versions"]["3"]["definition"]["instructions"] == "I am version 3."
    assert body["versions"]["latest"]["version"] == "5"
    assert found["remarks"] == ["users get version 3; the newest is version 5"]
    assert "users get version 3" in world.plain("show", world.db, "desk").out
    (listed,) = world("ls", world.db, "--kind", "assistant").ok()
    assert listed["remarks"] == found["remarks"]
    assert "users get version 3" in world.plain("ls", world.db).out
    asked = [r.path for r in world.source.requests if r.path.endswith("/versions/3")]
    assert len(asked) == 1


def test_the_served_version_is_moved_where_that_is_asked_for(world: World) -> None:
    world.source.estate.agent_endpoints["desk"] = rules(("3", 100))
    world.snapshot()
    (row,) = reported_versions(world.planned("--agent-version", "served"), "desk")
    assert "version 3 is moved" in row["reason"]
    world.apply().ok()
    assert instructions(world.target) == "I am version 3."
    assert world("verify", world.plan).ok()["findings"] == []
    again = world.planned("--agent-version", "served")["actions"]
    assert (again["create"], again["update"]) == (0, 0)
    assert world.planned()["actions"]["update"] == 1


def test_a_served_version_that_the_archive_has_not_is_a_loss(world: World) -> None:
    world.source.estate.agent_endpoints["desk"] = rules(("2", 100))
    world.source.estate.agent_versions["desk"].pop("desk:2")
    world.snapshot()
    (row,) = reported_versions(world.planned("--agent-version", "served"), "desk")
    assert (row["grade"], "no definition of version 2" in row["reason"]) == ("lost", True)
    (row,) = reported_versions(world.planned(), "desk")
    assert row["grade"] == "adapted"


@pytest.mark.parametrize("said", [rules(("@latest", 100)), rules(("5", 100)), rules(), {}])
def test_an_agent_that_serves_its_newest_version_is_not_reported(world: World, said: Json) -> None:
    world.source.estate.agent_endpoints["desk"] = said
    taken = world.snapshot()
    assert not [note for note in taken["notes"] if "desk" in note]
    assert reported_versions(world.planned(), "desk") == []


def test_split_traffic_is_reported_with_its_shares(world: World) -> None:
    world.source.estate.agent_endpoints["desk"] = rules(("@latest", 20), ("3", 80))
    world.snapshot()
    (row,) = reported_versions(world.planned(), "desk")
    assert "version 3 (80 %), version 5 (20 %)" in row["reason"]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("agent_endpoint.authorization_schemes", [{"type": "BotService"}]),
        ("agent_endpoint.authorization_schemes", [{"type": "Entra"}, {"type": "BotServiceRbac"}]),
        ("agent_endpoint.protocols", ["responses", "activity"]),
        ("agent_endpoint.protocol_configuration", {"activity": {"enabled": True}}),
        ("agent_card", {"version": "1", "description": "Ask me.", "skills": [{"id": "s", "name": "S"}]}),
    ],
)
def test_settings_of_an_endpoint_are_reported(world: World, field: str, said: Any) -> None:
    row = world.source.estate.agents["desk"]
    outer, _, inner = field.partition(".")
    if inner:
        world.source.estate.agent_endpoints["desk"] = {**rules(("@latest", 100)), inner: said}
    else:
        world.source.estate.agents["desk"] = {**row, outer: said}
    world.snapshot()
    losses = world("plan", world.db, "target", "-o", world.plan).ok(1)["losses"]
    assert [(row["field"], row["grade"]) for row in losses if row["id"] == "desk"] == [(field, "lost")]
    world("plan", world.db, "target", "-o", world.plan, "--accept-loss", outer).ok()
    told_before = world("assess", world.db, "--to", "foundry").ok(1)["losses"]
    assert field in {row["field"] for row in told_before if row["id"] == "desk"}


@pytest.mark.parametrize(
    "said",
    [
        {"authorization_schemes": [{"type": "Entra", "isolation_key_source": {"kind": "Entra"}}]},
        {"authorization_schemes": None, "protocol_configuration": {"responses": {}}, "protocols": None},
        {"publish_approval_status": "not_published"},
    ],
)
def test_a_default_endpoint_is_not_reported(world: World, said: Json) -> None:
    world.source.estate.agent_endpoints["desk"] = {**rules(("@latest", 100)), **said}
    world.snapshot()
    assert [row for row in world.planned()["losses"] if row["id"] == "desk"] == []


def test_a_disabled_agent_is_reported(world: World) -> None:
    world.source.estate.agents["desk"] = {**world.source.estate.agents["desk"], "state": "disabled"}
    taken = world.snapshot()
    assert any("it is disabled" in note for note in taken["notes"])
    (row,) = reported_versions(world.planned(), "desk", "state")
    assert "disabled on the source" in row["reason"]
    losses = world("assess", world.db, "--to", "foundry").json["losses"]
    assert [row for row in losses if row["field"] == "state"]


def test_on_an_older_service_it_is_reported_too(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry-classic"))
    grown(world.source, "desk")
    world.source.estate.agent_endpoints["desk"] = rules(("3", 100))
    world.snapshot()
    assert len(reported_versions(world.planned(), "desk")) == 1


# ------------------------------------------------------------------------------------------ the target


@pytest.fixture
def arrived(world: World) -> World:
    moved(world)
    return world


def changed(world: World) -> None:
    for name in ("desk",):
        version = latest(world.source, name)
        version["definition"]["instructions"] = "I am newer."
    world.snapshot()


def test_an_update_that_is_not_served_is_reported(arrived: World) -> None:
    """The target serves its first version by number; an update adds a version that is not served."""
    arrived.target.estate.agent_endpoints["desk"] = rules(("1", 100))
    changed(arrived)
    plan = arrived.planned()
    assert plan["actions"]["update"] == 1
    (row,) = reported_versions(plan, "desk")
    assert "users of the target get version 1" in row["reason"]
    assert "not served" in row["reason"]
    arrived.apply().ok()
    assert versions(arrived.target, "desk") == 2
    found = arrived("verify", arrived.plan).ok()
    assert found["findings"] == []
    assert [note for note in found["notes"] if "desk: users of the target get version 1" in note]
    (row,) = reported_versions(arrived.planned(), "desk")  # nothing to do, and users still get the older one
    assert "the newest there is version 2" in row["reason"]


def test_a_target_that_serves_the_newest_is_not_reported(arrived: World) -> None:
    arrived.target.estate.agent_endpoints["desk"] = rules(("@latest", 100))
    changed(arrived)
    assert reported_versions(arrived.planned(), "desk") == []
    arrived.apply().ok()
    notes = arrived("verify", arrived.plan).ok()["notes"]
    assert not [note for note in notes if "desk" in note]


def test_a_disabled_target_is_reported_by_plan_and_verify(arrived: World) -> None:
    arrived.target.estate.agents["desk"] = {**arrived.target.estate.agents["desk"], "state": "disabled"}
    (row,) = reported_versions(arrived.planned(), "desk", "state")
    assert "disabled on the target" in row["reason"]
    notes = arrived("verify", arrived.plan).ok()["notes"]
    assert [note for note in notes if "disabled on the target" in note]


# --------------------------------------------------------------------------------------------- the rules


def body(said: Any, newest: str = "5", **others: Any) -> Json:
    return {"name": "a", "versions": {"latest": {"version": newest}}, "agent_endpoint": said, **others}


ODD: list[tuple[Any, list[tuple[str, float]]]] = [
    (None, []),
    ("x", []),
    ({"version_selector": None}, []),
    ({"version_selector": {"version_selection_rules": "x"}}, []),
    ({"version_selector": {"version_selection_rules": ["x"]}}, [("5", 100.0)]),
    (rules(("3", 0), ("@latest", 100)), [("5", 100.0)]),
    (rules(("3", 40), ("3", 10), ("5", 50)), [("3", 50.0), ("5", 50.0)]),
    (rules(("@latest", 50), ("5", 50)), [("5", 100.0)]),
    ({"version_selector": {"version_selection_rules": [{"agent_version": 3}]}}, [("3", 100.0)]),
]


@pytest.mark.parametrize(("said", "found"), ODD)
def test_rules_are_read_as_they_come(said: Any, found: list[tuple[str, float]]) -> None:
    assert traffic_shares(body(said)) == found
    assert served_version_remarks(body(said)) == [] or served_older_versions(body(said))


@pytest.mark.parametrize(
    ("others", "off"),
    [
        ({"state": "disabled"}, True),
        ({"state": "Disabled"}, True),
        ({"configuration_state": "disabled"}, True),
        ({"state": "enabled"}, False),
        ({"status": "active"}, False),
        ({}, False),
    ],
)
def test_which_states_mean_that_an_agent_is_disabled(others: Json, off: bool) -> None:
    assert is_agent_disabled(body(None, **others)) is off


def test_the_served_version_takes_the_place_of_the_newest_where_it_is_known() -> None:
    pinned = body(rules(("3", 100)))
    assert with_served_version(pinned) == pinned
    pinned["versions"]["3"] = {"version": "3"}
    assert with_served_version(pinned)["versions"]["latest"] == {"version": "3"}
