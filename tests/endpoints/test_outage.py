"""An unavailable service is reported after seconds, and the command ends after a minute (test clock)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from migrate.endpoints.http.openai_transport import JsonTransport
from migrate.endpoints.http.outage import MIN_OUTAGE_ERRORS, OUTAGE_S, Outage
from migrate.endpoints.http.rate_limit import RateLimiter
from migrate.endpoints.http.retry import Channel
from migrate.endpoints.interface import Body
from migrate.errors import (
    AccessDenied,
    InvalidResponse,
    NoResponse,
    NotFound,
    RequestFailed,
    ResponseTooLarge,
    ServiceUnreachable,
)

COUNTED: dict[str, Callable[[], RequestFailed]] = {
    "no connection": lambda: NoResponse("GET /x got no answer: refused"),
    "500": lambda: RequestFailed("GET /x answered 500", 500),
    "502": lambda: RequestFailed("GET /x answered 502", 502),
    "503": lambda: RequestFailed("GET /x answered 503", 503),
    "504": lambda: RequestFailed("GET /x answered 504", 504),
    "501, an absent route": lambda: NotFound("GET /x answered 501", 501),
    "a gateway's timeout": lambda: RequestFailed("GET /x answered 408", 408),
}
ANSWERED: dict[str, Callable[[], RequestFailed | None]] = {
    "a good answer": lambda: None,
    "400": lambda: RequestFailed("GET /x answered 400", 400),
    "401": lambda: AccessDenied("GET /x answered 401", 401),
    "404": lambda: NotFound("GET /x answered 404", 404),
    "409": lambda: RequestFailed("GET /x answered 409", 409),
}
NEUTRAL: dict[str, Callable[[], RequestFailed]] = {
    "429": lambda: RequestFailed("GET /x answered 429", 429),
    "no JSON": lambda: RequestFailed("the answer is not JSON"),
    "unreadable": lambda: InvalidResponse("nested"),
    "too large": lambda: ResponseTooLarge("more than"),
}


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def failing(
    outage: Outage, clock: Clock, why: Callable[[], RequestFailed | None], times: int, apart: float
) -> None:
    for _ in range(times):
        began = outage.request_started()
        clock.now += apart
        outage.request_ended(began, why())


@pytest.mark.parametrize("what", [name for name in COUNTED if "501" not in name])
def test_a_minute_of_errors_ends_the_command(what: str) -> None:
    clock = Clock()
    outage = Outage(clock)
    failing(outage, clock, COUNTED[what], MIN_OUTAGE_ERRORS - 1, 20.0)
    outage.raise_if_gone()
    failing(outage, clock, COUNTED[what], 1, 1.0)
    with pytest.raises(ServiceUnreachable, match="does not answer any more") as gone:
        outage.raise_if_gone("https://east.example")
    assert gone.value.exit_code == 5
    assert "GET /x" in gone.value.why
    assert "same command" in gone.value.todo


def test_many_errors_in_less_than_a_minute_do_not() -> None:
    clock = Clock()
    outage = Outage(clock)
    failing(outage, clock, COUNTED["503"], 100, OUTAGE_S / 101)
    outage.raise_if_gone()


@pytest.mark.parametrize("what", ANSWERED)
def test_an_answer_of_any_sort_restarts_the_minute(what: str) -> None:
    clock = Clock()
    outage = Outage(clock)
    failing(outage, clock, COUNTED["503"], 4, 20.0)
    failing(outage, clock, ANSWERED[what], 1, 1.0)
    failing(outage, clock, COUNTED["503"], 4, 1.0)
    outage.raise_if_gone()
    assert outage.status_text() == ""


@pytest.mark.parametrize("what", NEUTRAL)
def test_being_slowed_down_counts_neither_way(what: str) -> None:
    clock = Clock()
    outage = Outage(clock)
    failing(outage, clock, NEUTRAL[what], 100, 60.0)
    outage.raise_if_gone()
    failing(outage, clock, COUNTED["503"], 4, 20.0)
    failing(outage, clock, NEUTRAL[what], 3, 1.0)
    outage.raise_if_gone()
    failing(outage, clock, COUNTED["503"], 1, 1.0)
    with pytest.raises(ServiceUnreachable):
        outage.raise_if_gone()


def test_a_pause_of_ours_is_no_silence_of_the_service() -> None:
    clock = Clock()
    outage = Outage(clock)
    failing(outage, clock, ANSWERED["a good answer"], 1, 1.0)
    clock.now += 3600.0
    failing(outage, clock, COUNTED["503"], MIN_OUTAGE_ERRORS, 1.0)
    outage.raise_if_gone()


def test_silence_is_reported_while_a_request_waits_and_between_attempts() -> None:
    clock = Clock()
    outage = Outage(clock)
    began = outage.request_started()
    clock.now += 4.0
    assert outage.status_text() == ""
    clock.now += 36.0
    assert outage.status_text() == "no answer for 40 s"
    outage.request_ended(began, NoResponse("timed out"))
    clock.now += 5.0
    assert outage.status_text() == "no answer for 45 s"
    failing(outage, clock, COUNTED["503"], 1, 1.0)
    assert outage.status_text() == "no answer but errors for 46 s"
    failing(outage, clock, ANSWERED["a good answer"], 1, 1.0)
    assert outage.status_text() == ""


def test_bytes_that_arrive_are_a_sign_of_life() -> None:
    clock = Clock()
    outage = Outage(clock)
    outage.request_started()
    for _ in range(10):
        clock.now += 4.0
        outage.data_received()
    assert outage.status_text() == ""


class Dead(JsonTransport):
    """Fails every request, and advances the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.asked = clock, 0

    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        self.asked += 1
        self.clock.now += 10.0
        raise NoResponse(f"{method} {path} got no answer")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_channel_gives_up_and_ends_every_wait(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr(RateLimiter, "sleep", lambda *_: None)
    clock = Clock()
    limiter = RateLimiter(2, clock, "https://east.example")
    wire = Dead(clock)
    channel = Channel(wire, limiter)

    def ask_again_and_again() -> None:
        for _ in range(20):
            with suppress(RequestFailed):
                channel.get("/x") if method == "GET" else channel.send("POST", "/x", {})

    with pytest.raises(ServiceUnreachable, match=r"east\.example"):
        ask_again_and_again()
    assert wire.asked == 6
    assert limiter.stop.is_set()
    with pytest.raises(ServiceUnreachable):
        channel.get("/y")
    assert wire.asked == 6
