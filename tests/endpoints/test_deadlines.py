"""An answer has a time limit, however slowly its bytes arrive. The clock is the test's."""

from __future__ import annotations

import httpcore2
import pytest

from migrate.endpoints.http.deadlines import (
    ANSWER_TIMEOUT_S,
    MAX_HEADER_BYTES,
    MIN_BYTES_PER_S,
    SLOW_WINDOW_S,
    WHOLE_ANSWER_TIMEOUT_S,
    WRITE_ANSWER_TIMEOUT_S,
    ReadMeter,
    answer_timeout,
    answer_timeout_s,
)


class Line:
    """A connection on which pieces arrive, each after a number of seconds."""

    def __init__(self, piece: bytes, after_s: float) -> None:
        self.now = 0.0
        self.piece, self.after_s = piece, after_s
        self.given: list[float | None] = []

    def clock(self) -> float:
        return self.now

    def receive(self, timeout: float | None) -> bytes:
        self.given.append(timeout)
        if timeout is not None and timeout < self.after_s:
            self.now += timeout
            raise httpcore2.ReadTimeout
        self.now += self.after_s
        return self.piece


def until_it_ends(meter: ReadMeter, line: Line, most: int = 1_000_000) -> Exception | None:
    for _ in range(most):
        try:
            meter.wait(line.receive, ANSWER_TIMEOUT_S)
        except (httpcore2.ReadTimeout, httpcore2.RemoteProtocolError) as error:
            return error
    return None


def test_headers_that_drip_end_when_the_time_for_an_answer_is_over() -> None:
    line = Line(b"x", 7.0)
    error = until_it_ends(ReadMeter(ANSWER_TIMEOUT_S, line.clock), line)
    assert "no answer within 60 s" in str(error)
    assert line.now == ANSWER_TIMEOUT_S


def test_interim_answers_without_end_are_given_up() -> None:
    line = Line(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.0)
    error = until_it_ends(ReadMeter(ANSWER_TIMEOUT_S, line.clock), line)
    assert "does not begin" in str(error)
    assert len(line.given) <= MAX_HEADER_BYTES / len(line.piece) + 2


@pytest.mark.parametrize("whole", [WHOLE_ANSWER_TIMEOUT_S, None])
def test_a_body_that_drips_is_given_up_after_a_window(whole: float | None) -> None:
    line = Line(b"x", 0.5)
    meter = ReadMeter(ANSWER_TIMEOUT_S, line.clock)
    meter.body(whole)
    assert "too slowly" in str(until_it_ends(meter, line))
    assert line.now <= SLOW_WINDOW_S + 1


def test_a_body_of_json_that_takes_for_ever_is_given_up() -> None:
    line = Line(b"x" * MIN_BYTES_PER_S * 2, 1.0)
    meter = ReadMeter(ANSWER_TIMEOUT_S, line.clock)
    meter.body(WHOLE_ANSWER_TIMEOUT_S)
    assert "not whole after 900 s" in str(until_it_ends(meter, line))


def test_a_file_may_take_as_long_as_it_needs() -> None:
    line = Line(b"x" * MIN_BYTES_PER_S * 2, 1.0)
    meter = ReadMeter(ANSWER_TIMEOUT_S, line.clock)
    meter.body(None)
    assert until_it_ends(meter, line, 10_000) is None


def test_time_that_we_take_ourselves_does_not_count() -> None:
    line = Line(b"x", 0.1)
    meter = ReadMeter(ANSWER_TIMEOUT_S, line.clock)
    for _ in range(100):
        line.now += 3600.0
        meter.wait(line.receive, ANSWER_TIMEOUT_S)


@pytest.mark.parametrize(("method", "seconds"), [("GET", ANSWER_TIMEOUT_S), ("POST", WRITE_ANSWER_TIMEOUT_S)])
def test_the_time_limit_is_the_usual_one_unless_given(method: str, seconds: float) -> None:
    seen: list[float] = []

    def look() -> None:
        seen.append(answer_timeout_s(method))

    look()
    with answer_timeout(5.0):
        look()
        with answer_timeout(None):
            look()
        look()
    look()
    assert seen == [seconds, 5.0, seconds, 5.0, seconds]
