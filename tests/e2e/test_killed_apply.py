"""SIGKILL in the middle of an apply: the next one continues, and nothing is created twice."""

from __future__ import annotations

import signal
import time

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.running import World, options
from tests.e2e.test_lost_answers import arrived_once


def killed(world: World, after: int, how: signal.Signals) -> int:
    """Apply in its own process; stop it after this number of answered writes."""
    process = world.popen("apply", world.plan, "--yes", "--workers", "4")
    start = len(world.target.requests)
    deadline = time.monotonic() + 30
    while sum(r.method == "POST" for r in world.target.requests[start:]) < after:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(how)
    _, err = process.communicate(timeout=30)
    assert "Traceback" not in err, err
    return process.returncode


@pytest.mark.slow
@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("how", "moments"),
    [(signal.SIGKILL, (5, 25)), (signal.SIGKILL, (45,)), (signal.SIGKILL, (75,)), (signal.SIGINT, (20,))],
    ids=["files, twice", "stores and assistants", "threads", "Ctrl-C"],
)
def test_an_apply_that_was_stopped_goes_on(
    launch: Launch, how: signal.Signals, moments: tuple[int, ...]
) -> None:
    source = options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True)
    target = options("TARGET_KEY", list_threads="works", downloads=True, latency=0.002)
    world = launch(source, target)
    world.snapshot()
    world.planned()
    for moment in moments:
        code = killed(world, moment, how)
        assert code == (-signal.SIGKILL if how is signal.SIGKILL else 3)
    said = world.apply()
    assert said.code == (3 if said.json["failed"] else 0), said.err
    arrived_once(world)
    assert world("check", world.db).ok()["ok"] is True
