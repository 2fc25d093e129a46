"""Without room for a stamp: killed at every write, or with a lost answer, nothing is created twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.stages.apply import create
from tests.e2e.conftest import Launch
from tests.e2e.faults import HiddenBehind500
from tests.e2e.scenarios import MakeScenario, scenario_maker, write
from tests.e2e.small_estate import furnish_full, saved_state, state_changes
from tests.sample import sample

TARGETS = ("foundry-classic", "foundry")
# Size of the sample of requests at which the program is killed.
SIZE = 3
# Endings of the paths of requests that create an object.
ENDINGS = ("/files", "/vector_stores", "/assistants", "/threads", "/conversations")


@pytest.fixture
def stage(launch: Launch, tmp_path: Path) -> Iterator[MakeScenario]:
    with scenario_maker(launch, tmp_path) as staged:
        yield staged


@pytest.mark.exhaustive
@pytest.mark.parametrize("target", TARGETS)
def test_an_apply_killed_at_any_write_goes_on_without_stamps(stage: MakeScenario, target: str) -> None:
    scene = stage(target, furnished=furnish_full)
    command = ("apply", scene.world.plan, "--yes")
    writes = scene.undisturbed(*command, "--workers", "1")
    counts = dict(scene.world.target.estate.counts())
    kinds = ("files", "vector_stores", "agents", "conversations")
    if target == "foundry-classic":
        kinds = ("files", "vector_stores", "assistants", "threads")
    assert [kind for kind in kinds if not any(kind in asked for asked in writes)] == [], writes
    assert list(scene.arrived(counts)) == [], "nobody was killed"
    wrong: list[str] = []
    for at, asked in sample(enumerate(writes, 1), SIZE):
        for done in (True, False):
            scene.restore(scene.before)
            scene.killed(at, *command, done=done)
            wrong += [f"{at} {asked} {done}: {line}" for line in scene.arrived(counts)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.exhaustive
@pytest.mark.parametrize("target", TARGETS)
def test_an_apply_killed_at_any_write_is_taken_back_without_stamps(stage: MakeScenario, target: str) -> None:
    scene = stage(target, furnished=furnish_full)
    command = ("apply", scene.world.plan, "--yes")
    writes = scene.undisturbed(*command, "--workers", "1")
    wrong: list[str] = []
    for at, asked in sample(enumerate(writes, 1), SIZE):
        scene.restore(scene.before)
        scene.killed(at, *command)
        said = scene.world("rollback", scene.world.plan, "--yes")
        lines = state_changes(scene.untouched, saved_state(scene.world.target.estate))
        if said.code:
            lines.append(f"rollback exits {said.code}: {said.err}")
        wrong += [f"{at} {asked}: {line}" for line in lines]
    assert not wrong, "\n".join(wrong)


@pytest.mark.exhaustive
@pytest.mark.parametrize("target", TARGETS)
def test_any_lost_answer_makes_nothing_twice_without_stamps(
    stage: MakeScenario, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create.create_once, "__defaults__", (0.01,))
    fault = HiddenBehind500(write, last=0)
    scene = stage(target, furnished=furnish_full, fault=fault)
    command = ("apply", scene.world.plan, "--yes", "--workers", "1")
    writes = scene.undisturbed(*command)
    counts = dict(scene.world.target.estate.counts())
    wrong: list[str] = []
    for at, asked in sample(enumerate(writes, 1), SIZE):
        scene.restore(scene.before)
        fault.seen, fault.first, fault.last = 0, at, at
        said = scene.world(*command)
        assert fault.spoiled
        lines = [f"apply exits {said.code}"] if said.code else []
        wrong += [f"{at} {asked}: {line}" for line in [*lines, *scene.arrived(counts)]]
    assert not wrong, "\n".join(wrong)


@pytest.mark.exhaustive
@pytest.mark.parametrize("target", TARGETS)
def test_a_new_plan_after_a_kill_makes_nothing_twice_without_stamps(stage: MakeScenario, target: str) -> None:
    """Objects whose creation was not confirmed are looked for before the new plan is made."""
    scene = stage(target, furnished=furnish_full)
    command = ("apply", scene.world.plan, "--yes")
    writes = scene.undisturbed(*command, "--workers", "1")
    counts = dict(scene.world.target.estate.counts())
    again = str(scene.world.folder / "again.json")
    creating = [
        at
        for at, asked in enumerate(writes, 1)
        if asked.split("?")[0].endswith(ENDINGS) or "/agents/" in asked
    ]
    assert len(creating) >= 10
    wrong: list[str] = []
    for at in sample(creating, SIZE):
        scene.restore(scene.before)
        scene.killed(at, *command)
        scene.world("plan", scene.world.db, "target", "-o", again, "--accept-loss", "all").ok()
        scene.world("apply", again, "--yes").ok()
        if (now := dict(scene.world.target.estate.counts())) != counts:
            wrong.append(f"{at} {writes[at - 1]}: {now}, not {counts}")
    assert not wrong, "\n".join(wrong)
