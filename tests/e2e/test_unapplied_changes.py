"""An apply that stops midway, and the dry run of a rollback, show old and new values as a plan does."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.endpoints.http import outage, retry
from migrate.stages.apply import create
from tests.e2e.conftest import Launch
from tests.e2e.rounds import furnish, service
from tests.e2e.running import World
from tests.e2e.test_outage import Dying

Json = dict[str, Any]
CHANGED = [{"path": "instructions", "left": "From before.", "right": "From today."}]


def changed(launch: Launch, **others: Any) -> World:
    """An assistant that was moved, changed since, and planned again."""
    types = ("azure-openai", "openai")
    world = launch(service("SOURCE_KEY", types[0]), service("TARGET_KEY", types[1]), types=types, **others)
    furnish(world.source, types[0])
    row = next(iter(world.source.estate.assistants.values()))
    row["instructions"] = "From before."
    world.snapshot()
    world.planned()
    world.apply().ok()
    row["instructions"] = "From today."
    world.snapshot()
    assert world.planned()["changes"][0]["values"] == CHANGED
    return world


@pytest.mark.slow
def test_an_apply_that_loses_its_service_lists_what_it_did_not_change(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "OUTAGE_S", 0.1)
    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.05)
    monkeypatch.setattr(create, "GATEWAY_LOOK_DELAYS_S", (0.05,))
    dying = Dying("POST", -1, "error")
    world = changed(launch, wrap_target=dying)
    dying.after = dying.seen
    said = world.apply()
    assert said.code == 5
    assert [row["values"] for row in said.json["changes"]] == [CHANGED]
    assert "assistant" in {row["kind"] for row in said.json["failed"]}
    dying.revive()
    dying.after = dying.seen
    text = world.plain("apply", world.plan, "--yes").out
    assert "From [-before-]" in text.partition("left: ")[2]
    assert "From [-before-]{+today+}." in text
    dying.revive()
    done = world.apply().ok()
    assert (done["updated"], done["changes"]) == (1, [])


def test_an_apply_that_is_stopped_lists_what_it_did_not_change(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = changed(launch)

    def stop(*given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("migrate.stages.apply.run._carry_out", stop)
        said = world.apply()
        said.error(3, "stopped; what was created until now is in the journal", "run the same apply again")
        assert [row["values"] for row in said.json["changes"]] == [CHANGED]
        assert "From [-before-]{+today+}." in world.plain("apply", world.plan, "--yes").out
    assert world.apply().ok()["updated"] == 1


def test_the_dry_run_of_a_rollback_lists_what_it_would_change(launch: Launch) -> None:
    world = changed(launch)
    world.apply().ok()
    found = world("rollback", world.plan, "--dry-run").ok()
    (change,) = found["changes"]
    assert change["values"] == [{"path": "instructions", "left": "From today.", "right": "From before."}]
    assert change["left_id"] in {step["target_id"] for step in found["steps"]}
    assert "From [-today-]{+before+}." in world.plain("rollback", world.plan, "--dry-run").out
    assert world("rollback", world.plan, "--yes").ok()["changes"] == []
    assert [row["instructions"] for row in world.target.estate.assistants.values()].count("From before.") == 1
