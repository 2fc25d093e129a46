"""How long to wait before a retry: as the service says, in any form, but never for a day."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from migrate.endpoints.http.rate_limit import MAX_ATTEMPTS, MAX_WAIT_S, retry_after_s, retry_wait_s


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "60"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_the_service_sets_the_delay(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_a_date_is_understood() -> None:
    asked = retry_after_s({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert asked is not None
    assert 25 < asked <= 30


def test_a_date_that_has_passed_is_now() -> None:
    assert retry_after_s({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "86400"},
        {"retry-after-ms": "86400000"},
        {"retry-after": "inf"},
        {"retry-after": str(MAX_WAIT_S + 1)},
    ],
)
def test_a_day_is_not_waited_for(headers: dict[str, str]) -> None:
    assert retry_wait_s(0, headers) is None


def test_the_longest_wait_is_still_waited() -> None:
    assert retry_wait_s(0, {"retry-after": str(MAX_WAIT_S)}) == MAX_WAIT_S


def test_without_a_word_the_pauses_grow_to_a_limit() -> None:
    for attempt in range(MAX_ATTEMPTS + 6):
        middle = min(8.0, 0.25 * 2**attempt)
        for _ in range(20):
            waited = retry_wait_s(attempt, {})
            assert waited is not None
            assert 0.75 * middle <= waited <= 1.25 * middle


def test_two_programs_do_not_wait_the_same() -> None:
    assert len({retry_wait_s(3, {}) for _ in range(20)}) > 1
