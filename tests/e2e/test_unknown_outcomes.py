"""Requests whose outcome was unknown for a while: resolved by the next apply, never created twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, HiddenBehind500, Match, is_create
from tests.e2e.running import World, options

REFUSED = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}


class Both:
    """Two faults on one service."""

    def __init__(self, *faults: object) -> None:
        self.faults = faults

    def __call__(self, app: object) -> object:
        for fault in self.faults:
            app = fault(app)  # type: ignore[operator]
        return app


def newest(ending: str) -> Match:
    """Match the request that checks the outcome of another one."""
    return lambda method, path, query: method == "GET" and path.endswith(ending) and "order=desc" in query


@pytest.mark.parametrize("ending", ["/assistants", "/threads", "/vector_stores"])
def test_an_answer_is_lost_and_nobody_can_look(launch: Launch, ending: str) -> None:
    lost, blind = HiddenBehind500(is_create(ending)), FixedAnswer(newest(ending), status=400, body=REFUSED)
    target = options("TARGET_KEY", service="openai", list_threads="works", downloads=True)
    world = launch(None, target, wrap_target=Both(lost, blind))
    world.snapshot()
    world.planned()
    assert world.apply().code == 3
    assert lost.spoiled
    assert blind.spoiled
    assert world.apply().code == 0
    here, there = world.source.estate.counts(), world.target.estate.counts()
    kinds = ("assistant", "thread", "vector_store", "message", "file")
    assert {kind: there[kind] for kind in kinds} == {kind: here[kind] for kind in kinds}
    assert world("verify", world.plan).ok()["ok"] is True


def changed(world: World, fault_at: str = "") -> str:
    """Move the estate, change an assistant of the source and plan again; returns its id on the target."""
    world.snapshot()
    world.planned()
    assert world.apply().code == 0
    old = next(iter(world.source.estate.assistants))
    world.source.estate.assistants[old] = {**world.source.estate.assistants[old], "instructions": "Be kind."}
    world.snapshot()
    assert world.planned()["actions"]["update"] == 1
    return str(next(row["target_id"] for row in world("ids", world.db, old).ok()))


def test_the_answer_to_an_update_is_lost(launch: Launch) -> None:
    fault = HiddenBehind500(lambda method, path, query: method == "POST" and "/assistants/" in path)
    world = launch(None, None, wrap_target=fault)
    new = changed(world)
    assert world.apply().ok()["updated"] == 1
    assert fault.spoiled
    assert world.target.estate.assistants[new]["instructions"] == "Be kind."


def test_an_update_sent_before_the_program_was_killed_is_ours(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost, and so is every check of its outcome."""
    from migrate.endpoints.http import retry

    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.0)
    sent: list[str] = []

    def lost(method: str, path: str, query: str) -> bool:
        sent.extend([path] if method == "POST" and "/assistants/" in path else [])
        return path in sent

    world = launch(None, None, wrap_target=HiddenBehind500(lost, last=1 + retry.MAX_ATTEMPTS))
    changed(world)
    assert world.apply().code == 3
    assert world.apply().ok()["updated"] == 1
    assert len(sent) == 1


def test_no_plan_is_made_from_a_snapshot_that_may_still_grow(small: World) -> None:
    small.snapshot()
    with closing(sqlite3.connect(small.db)) as conn, conn:
        conn.execute("UPDATE snapshots SET state = 'reading', finished_at = NULL, digest = NULL")
    small.plain("plan", small.db, "target", "-o", small.plan).error(3, "was interrupted")


def test_a_threshold_that_was_asked_for_holds_for_one_object(launch: Launch) -> None:
    world = launch()
    changed(world)
    said = world.plain("plan", world.db, "target", "-o", world.plan, "--max-update", "0%")
    said.error(4, "--max-update")


def test_an_estate_equals_its_double(launch: Launch) -> None:
    one = options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True)
    other = options("TARGET_KEY", "azure-v2", list_threads="works", downloads=True)
    found = launch(one, other)("diff", "source", "target")
    assert found.ok()["differences"] == 0
