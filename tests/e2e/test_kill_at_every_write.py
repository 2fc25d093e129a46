"""SIGKILL at every writing request: the same command, run again, ends in the same state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.scenarios import MakeScenario, scenario_maker
from tests.e2e.small_estate import saved_state, state_changes
from tests.sample import sample

CASES = [(target, changed) for target in ("azure-openai", "foundry") for changed in (False, True)]
# Size of the sample of requests at which the program is killed.
SIZE = 3
each_case = pytest.mark.parametrize(
    ("target", "changed"), CASES, ids=[f"{t}, {'changed since' if c else 'all new'}" for t, c in CASES]
)


@pytest.fixture
def stage(launch: Launch, tmp_path: Path) -> Iterator[MakeScenario]:
    with scenario_maker(launch, tmp_path) as staged:
        yield staged


@pytest.mark.exhaustive(2)
@each_case
def test_an_apply_killed_at_any_write_goes_on(stage: MakeScenario, target: str, changed: bool) -> None:
    scene = stage(target, changed)
    command = ("apply", scene.world.plan, "--yes")
    writes = scene.undisturbed(*command, "--workers", "1")
    counts = dict(scene.world.target.estate.counts())
    assert len(writes) >= 9
    assert list(scene.arrived(counts)) == [], "nobody was killed"
    wrong: list[str] = []
    for at, asked in sample(enumerate(writes, 1), SIZE):
        for done in (True, False):
            scene.restore(scene.before)
            scene.killed(at, *command, done=done)
            lines = list(scene.arrived(counts))
            wrong += [f"{at} {asked} {done}: {line}" for line in lines]
    assert not wrong, "\n".join(wrong)


@pytest.mark.exhaustive(2)
@each_case
def test_a_rollback_killed_at_any_write_goes_on(stage: MakeScenario, target: str, changed: bool) -> None:
    scene = stage(target, changed, prune=False)
    scene.undisturbed("apply", scene.world.plan, "--yes", "--workers", "1")
    applied = scene.keep()
    command = ("rollback", scene.world.plan, "--yes")
    writes = scene.undisturbed(*command, "--workers", "1")
    assert len(writes) >= 7
    assert state_changes(scene.untouched, saved_state(scene.world.target.estate)) == [], "nobody was killed"
    wrong: list[str] = []
    for at, asked in sample(enumerate(writes, 1), SIZE):
        # A deletion that was not carried out has the same result as one that was never sent.
        for done in (True,) if asked.startswith("DELETE") and "/versions/" not in asked else (True, False):
            scene.restore(applied)
            scene.killed(at, *command, done=done)
            again = scene.world(*command)
            lines = state_changes(scene.untouched, saved_state(scene.world.target.estate))
            if again.code:
                lines.append(f"rollback exits {again.code}: {again.err}")
            wrong += [f"{at} {asked} {done}: {line}" for line in lines]
    assert not wrong, "\n".join(wrong)


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(("target", "changed"), CASES)
def test_an_apply_killed_at_any_write_is_taken_back(stage: MakeScenario, target: str, changed: bool) -> None:
    """Including objects whose creation was not confirmed."""
    scene = stage(target, changed, prune=False)
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
