"""Memory that is free goes back to the system, now and then, where the system knows how."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from migrate.stages.concurrency import cpu_affinity as module
from migrate.stages.concurrency.cpu_affinity import TRIM_INTERVAL_S, MemoryTrimmer
from migrate.stages.concurrency.worker_pool import WorkerPool, run_parallel


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that stands still until it is moved."""
    clock = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    module._malloc_trim.cache_clear()
    yield clock
    module._malloc_trim.cache_clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, now: list[float]) -> list[int]:
    """What the C library was asked for."""
    found: list[int] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(malloc_trim=found.append))
    return found


def test_it_is_asked_for_now_and_then(now: list[float], asked: list[int]) -> None:
    freed = MemoryTrimmer()
    for moment in (
        0.0,
        TRIM_INTERVAL_S / 2,
        TRIM_INTERVAL_S,
        TRIM_INTERVAL_S * 1.5,
        TRIM_INTERVAL_S * 2,
        TRIM_INTERVAL_S * 2,
    ):
        now[0] = moment
        freed.trim_if_due()
    assert asked == [0, 0]


def test_whoever_waits_for_threads_asks(now: list[float], asked: list[int]) -> None:
    def later(*_: object) -> None:
        now[0] += TRIM_INTERVAL_S

    run_parallel(2, range(3), later)
    assert asked
    asked.clear()
    with WorkerPool[int](2) as crew:
        for _ in range(3):
            crew.submit(lambda: None)
        for batch in crew.batches(1):
            list(batch)
            later()
    assert asked


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_another_system_does_without(
    monkeypatch: pytest.MonkeyPatch, now: list[float], error: type[Exception]
) -> None:
    def none(name: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", none)
    freed = MemoryTrimmer()
    now[0] = TRIM_INTERVAL_S
    freed.trim_if_due()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has it")
def test_the_real_one_answers(now: list[float]) -> None:
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("another C library")
    assert module._malloc_trim()(0) in (0, 1)
