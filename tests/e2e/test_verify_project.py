"""`verify` reports every difference on a project, and ignores objects of other users."""

from __future__ import annotations

import pytest

from tests.e2e.projects import agent, latest
from tests.e2e.running import copied
from tests.e2e.test_comparison_finds_damage import DAMAGE, NAME, Moved, arrived, items

__all__ = ["arrived"]
# Damaged stamps, and objects of other users: these are no differences in content.
NOT_OURS = ("an agent of nobody", "another stamp")


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("damage", [name for name in DAMAGE if name not in NOT_OURS])
def test_damage_is_a_finding(arrived: Moved, damage: str) -> None:
    made, cloud = arrived.world, arrived.world.target
    kept = copied(cloud.estate)
    try:
        DAMAGE[damage](cloud.estate)
        answer = made("verify", made.plan).ok(1)
        assert answer["ok"] is False
        assert all(row["kind"] and row["reason"] for row in answer["findings"])
        assert any(row["source_id"] or row["target_id"] for row in answer["findings"])
    finally:
        vars(cloud.estate).update(kept)


def test_deleted_items_are_reported_with_their_ids(arrived: Moved) -> None:
    """They are read from the journal only then: in memory they would be the largest part of a verify."""
    made, cloud = arrived.world, arrived.world.target
    kept = copied(cloud.estate)
    had = {item["id"] for item in items(cloud.estate)}
    try:
        for talk in cloud.estate.items.values():
            talk.clear()
        rows = [row for row in made("verify", made.plan).ok(1)["findings"] if row["kind"] == "message"]
        told = {row["target_id"] for row in rows}
        assert told
        assert told <= had
        assert all(row["reason"] == "it is not on the target" for row in rows)
    finally:
        vars(cloud.estate).update(kept)


@pytest.mark.parametrize("damage", NOT_OURS)
def test_what_is_not_ours_is_no_finding(arrived: Moved, damage: str) -> None:
    made, cloud = arrived.world, arrived.world.target
    kept = copied(cloud.estate)
    try:
        DAMAGE[damage](cloud.estate)
        assert made("verify", made.plan).ok()["ok"] is True
    finally:
        vars(cloud.estate).update(kept)


def test_what_a_service_adds_is_no_finding(arrived: Moved) -> None:
    """Services add keys to agents and items over time, and runs append items later."""
    made, cloud = arrived.world, arrived.world.target
    version = latest(cloud, NAME)
    version["new_of_next_year"] = {"by": "the service"}
    cloud.estate.agents[NAME]["agent_card"] = {"version": "9"}
    for item in items(cloud.estate):
        item["partition_key"] = "x"
    agent(cloud, "stranger")
    assert made("verify", made.plan).ok()["ok"] is True
    made.snapshot()
    actions = made.planned()["actions"]
    assert {name for name, number in actions.items() if number} == {"skip"}
