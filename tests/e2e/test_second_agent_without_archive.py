"""Between two projects of the newer generation names are ids, and without the archive a stamp proves nothing:
a second agent beside an equal one is reported."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import agent, latest, project
from tests.e2e.test_sync_again import sync


@pytest.mark.parametrize("more", [(), ("--on-conflict", "keep")], ids=["plain", "keep"])
def test_a_second_agent_beside_an_edited_one_is_reported_without_the_archive(
    launch: Launch, more: tuple[str, ...]
) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry"))
    agent(world.source, "reader")
    sync(world)
    version = deepcopy(latest(world.target, "reader"))
    version["definition"]["instructions"] = "Theirs."
    world.target.estate.agents["reader"]["versions"]["latest"] = version
    Path(world.db).unlink()
    done = sync(world, *more)
    told = [row for row in done["plan"]["losses"] if "created beside it" in row["reason"]]
    assert [(row["kind"], row["id"], row["grade"]) for row in told] == [("assistant", "reader", "adapted")]
    assert "reader on the target" in told[0]["reason"]
    assert latest(world.target, "reader")["definition"]["instructions"] == "Theirs."
    assert len(world.target.estate.agents) == 2
