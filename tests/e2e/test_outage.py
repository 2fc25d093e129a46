"""A service fails in the middle of a command: exit code 5, finished work is kept, the command continues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from migrate.endpoints.http import outage, retry
from migrate.stages.apply import create
from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, is_page
from tests.e2e.running import options

App = Callable[..., Any]


class Dying:
    """A service that fails from a request on until it is revived: it answers 503 or closes connections."""

    def __init__(self, method: str, after: int, how: str) -> None:
        self.method, self.after, self.how = method, after, how
        self.seen, self.gone = 0, False

    def __call__(self, app: App) -> App:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            self.seen += scope["method"] == self.method
            self.gone = self.gone or (self.after >= 0 and self.seen > self.after)
            if not self.gone:
                await app(scope, receive, send)
                return
            length = b"0" if self.how == "error" else b"10"  # headers of an answer are sent, but no body
            status = 503 if self.how == "error" else 200
            await send(
                {"type": "http.response.start", "status": status, "headers": [(b"content-length", length)]}
            )
            await send({"type": "http.response.body", "body": b""})

        return wrapped

    def revive(self) -> None:
        self.after, self.gone = -1, False


@pytest.fixture(autouse=True)
def short_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the outage time limit and all pauses."""
    monkeypatch.setattr(outage, "OUTAGE_S", 0.1)
    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.05)
    monkeypatch.setattr(create, "GATEWAY_LOOK_DELAYS_S", (0.05,))


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("how", ["error", "cut"])
@pytest.mark.parametrize("service", ["openai", "foundry"])
def test_an_ended_apply_reports_the_rest_and_is_continued(launch: Launch, service: str, how: str) -> None:
    dying = Dying("POST", 4, how)
    target = options("TARGET_KEY", service=service, list_threads="works", downloads=True)
    world = launch(target=target, types=("openai", service), wrap_target=dying)
    world.snapshot()
    plan = world.planned()
    ended = world.apply()
    assert ended.code == 5, ended.err
    assert "does not answer any more" in ended.err
    assert "same command" in ended.err
    assert "Traceback" not in ended.err
    done = ended.json
    assert done["created"] >= 1
    assert done["failed"]
    assert all(row["id"] and row["reason"] for row in done["failed"])
    told = {(row["kind"], row["id"]) for row in done["failed"]}
    assert len(told) == len(done["failed"]), "named twice"
    assert len(told) + done["created"] + done["adopted"] >= plan["actions"]["create"] * 0.5
    dying.revive()
    assert not world.apply().ok()["failed"]
    assert world("verify", world.plan).ok()["findings"] == []


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("method", ["GET", "nothing"])
def test_an_apply_that_cannot_begin_names_all_that_is_not_done(
    launch: Launch, begun: bool, method: str
) -> None:
    """GET: the service answers the first requests, and fails while the target is compared."""
    dying = Dying("POST", 4 if begun else -1, "error")
    world = launch(wrap_target=dying)
    world.snapshot()
    plan = world.planned()
    if begun:
        assert world.apply().code == 5
    dying.method, dying.seen, dying.after, dying.gone = method, 0, 6, method == "nothing"
    ended = world.apply()
    assert ended.code == 5, ended.err
    done = ended.json
    assert done["created"] == 0
    assert done["outage"]
    assert all(row["reason"].startswith("not carried out") for row in done["failed"])
    planned = plan["actions"]["create"]
    assert 0 < len(done["failed"]) <= planned
    assert len(done["failed"]) < planned if begun else True
    dying.revive()
    assert not world.apply().ok()["failed"]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("how", ["error", "cut"])
@pytest.mark.parametrize("service", ["openai", "foundry"])
def test_a_snapshot_is_ended_and_continued(launch: Launch, service: str, how: str) -> None:
    dying = Dying("GET", 9, how)
    state = {"openai": "openai-v2", "foundry": "foundry"}[service]
    source = options("SOURCE_KEY", state, service, list_threads="works", downloads=True)
    world = launch(source=source, types=(service, service), wrap_source=dying)
    ended = world("snapshot", "source", "-o", world.db)
    ended.error(5, "does not answer any more", "same command")
    dying.revive()
    world.snapshot()


def test_a_sync_whose_target_fails_reports_it_and_does_not_verify(launch: Launch) -> None:
    dying = Dying("POST", 3, "error")
    world = launch(wrap_target=dying)
    ended = world("sync", "source", "target", "-o", world.db, "--accept-loss", "all")
    assert ended.code == 5, ended.err
    assert ended.json["apply"]["failed"]
    assert ended.json["verify"] is None
    dying.revive()
    assert world("sync", "source", "target", "-o", world.db, "--accept-loss", "all").code == 0


def test_every_further_command_on_a_dead_service_ends_with_5(launch: Launch) -> None:
    dying = Dying("GET", -1, "error")
    world = launch(wrap_target=dying)
    world.snapshot()
    world.planned()
    world.apply().ok()
    dying.gone = True
    for arguments in (
        ("doctor", "target"), ("verify", world.plan), ("rollback", world.plan, "--yes"),
        ("diff", world.db, "target"), ("plan", world.db, "target", "-o", world.plan + "2"),
    ):  # fmt: skip
        assert world(*arguments).code == 5, arguments


@pytest.mark.slow
@pytest.mark.parametrize("how", ["error", "cut"])
def test_a_small_estate_whose_attempts_end_sooner_is_waited_for(
    launch: Launch, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """All attempts end long before a minute is over: that must not be taken for single failures."""
    monkeypatch.setattr(outage, "OUTAGE_S", 3.0)
    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.01)
    dying = Dying("GET", 25, how)
    world = launch(wrap_source=dying)
    world("snapshot", "source", "-o", world.db).error(5, "does not answer any more", "same command")
    dying.revive()
    assert world.snapshot()["state"] == "complete"


def test_one_dead_listing_is_no_outage(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "OUTAGE_S", 3.0)
    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.01)
    dead = FixedAnswer(is_page("/steps"), last=10**6, status=503, body={"error": {"message": "no"}})
    world = launch(wrap_source=dead)
    answer = world.snapshot(code=3)
    assert {row["kind"] for row in answer["missing"]} == {"run_step"}
