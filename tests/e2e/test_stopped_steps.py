"""A stop in a step that writes nothing, and a service that is gone midway: lists, and how to go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.endpoints.http import outage, retry
from migrate.stages.apply import create, update
from tests.e2e.conftest import Launch
from tests.e2e.rounds import furnish, service
from tests.e2e.running import World
from tests.e2e.test_drill import content, mark_scratch
from tests.e2e.test_outage import Dying

Json = dict[str, Any]
COMMANDS = {
    "sync": ("sync", "source", "target", "-o", "DB"),
    "restore": ("restore", "DB", "--to", "target", "--yes"),
    "drill": ("drill", "DB", "--to", "target"),
}
GO_ON = {
    "sync": "run the same sync again",
    "restore": "run the same restore again",
    "drill": "run the same drill again",
}


def stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def made(launch: Launch) -> World:
    return _world(launch)


def _world(launch: Launch, **others: Any) -> World:
    world = launch(service("SOURCE_KEY", "azure-openai"), service("TARGET_KEY", "azure-openai"), **others)
    furnish(world.source, "azure-openai")
    world.snapshot()
    mark_scratch(world)
    return world


def command(world: World, name: str) -> tuple[str, ...]:
    return (*(world.db if word == "DB" else word for word in COMMANDS[name]), "--accept-loss", "all")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stop_while_the_plan_is_made_wrote_nothing(
    made: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("migrate.stages.plan.run.build_plan", stop)
        made(*command(made, name)).error(3, GO_ON[name])
    assert content(made.target) == []
    made(*command(made, name)).ok()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_stop_while_everything_is_compared_says_what_was_written(
    made: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("migrate.stages.verify.run._verify", stop)
        said = made(*command(made, name))
        said.error(3, GO_ON[name])
    if name == "drill":
        assert (said.json["stopped"], len(said.json["left_behind"]) > 10) == ("verify", True)
    else:
        applied = said.json["apply"] if name == "sync" else said.json
        assert applied["created"] > 50
        assert applied["left"] == []
    made(*command(made, name)).ok()


def test_a_stop_of_apply_before_it_writes_lists_everything_as_left(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.planned()
    with monkeypatch.context() as patched:
        patched.setattr("migrate.stages.apply.run.check_target", stop)
        said = made.apply()
        said.error(3, "nothing was written", "run the same apply again")
    assert said.json["done"] == []
    assert len(said.json["left"]) > 20
    assert content(made.target) == []
    assert made.apply().ok()["left"] == []


def test_a_stop_of_rollback_before_it_writes(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made.planned()
    made.apply().ok()
    with monkeypatch.context() as patched:
        patched.setattr("migrate.stages.rollback.run._undo_steps", stop)
        made("rollback", made.plan, "--yes").error(3, "nothing was rolled back", "run the same rollback")
    assert made("rollback", made.plan, "--yes").ok()["removed"] > 10


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "OUTAGE_S", 0.1)
    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.05)
    monkeypatch.setattr(create, "GATEWAY_LOOK_DELAYS_S", (0.05,))
    monkeypatch.setattr(update, "DELETION_LOOK_DELAYS_S", (0.0,))


@pytest.mark.usefixtures("impatient")
def test_a_rollback_whose_service_is_gone_lists_the_same(launch: Launch) -> None:
    dying = Dying("DELETE", -1, "error")
    made = _world(launch, wrap_target=dying)
    made.planned()
    made.apply().ok()
    dying.after = dying.seen + 5
    said = made("rollback", made.plan, "--yes", "--workers", "2")
    assert said.code == 5, said.err
    assert said.json["done"]
    assert len(said.json["left"]) > 10
    assert {row["id"] for row in said.json["left"]} <= {row["id"] for row in said.json["failed"]}
    dying.revive()
    dying.after = -1
    assert made("rollback", made.plan, "--yes").ok()["failed"] == []
    assert content(made.target) == []


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_drill_whose_place_is_gone_lists_the_same(launch: Launch, method: str) -> None:
    dying = Dying(method, -1, "error")
    made = _world(launch, wrap_target=dying)
    dying.after = dying.seen + 5
    said = made(*command(made, "drill"), "--workers", "2")
    said.error(5, GO_ON["drill"])
    assert said.json["stopped"] == ("restore" if method == "POST" else "remove")
    assert said.json["done"]
    assert said.json["left"]
    assert said.json["left_behind"]
    dying.revive()
    dying.after = -1
    assert made(*command(made, "drill")).ok()["removed_before"] > 0
    assert content(made.target) == []


def test_a_drill_in_an_emulator_leaves_nothing_when_it_is_stopped(
    made: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("migrate.stages.verify.run._verify", stop)
    said = made.plain("drill", made.db, "--to", "emulator", "--accept-loss", "all")
    assert said.code == 3
    assert "stopped in the step: read back and compare" in said.out
    assert "nothing is left behind" in said.out
    assert "next: run the same drill again" in said.err
