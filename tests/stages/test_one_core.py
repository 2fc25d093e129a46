"""Threads work side by side on one processor, and afterwards everything is as before."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from migrate.stages.concurrency import cpu_affinity as module
from migrate.stages.concurrency.cpu_affinity import pin_to_one_cpu

ALLOWED = getattr(os, "sched_getaffinity", lambda _: {0})(0)


def seen() -> set[int]:
    return set(getattr(os, "sched_getaffinity", lambda _: {0})(0))


def test_threads_share_one_processor_and_only_meanwhile() -> None:
    with pin_to_one_cpu(), ThreadPoolExecutor(4) as pool:
        inside = [pool.submit(seen).result() for _ in range(8)]
    assert len(set(map(frozenset, inside))) == 1
    assert len(inside[0]) == 1
    assert inside[0] <= ALLOWED
    assert seen() == ALLOWED


def test_threads_do_not_interrupt_each_other_and_only_meanwhile() -> None:
    if not hasattr(os, "sched_setscheduler"):  # not Linux: there is nothing to set
        with pin_to_one_cpu():
            return
    with pin_to_one_cpu(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(os.sched_getscheduler, 0).result() == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_policy_that_somebody_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: 1, raising=False)
    monkeypatch.setattr(os, "sched_setscheduler", lambda *given: asked.append(given), raising=False)
    with pin_to_one_cpu():
        pass
    assert not asked


def test_where_the_policy_may_not_be_set_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused, raising=False)
    with pin_to_one_cpu():
        assert len(seen()) == 1
    assert seen() == ALLOWED


def test_it_is_undone_when_the_work_fails() -> None:
    with pytest.raises(KeyError), pin_to_one_cpu():
        raise KeyError
    assert seen() == ALLOWED


@pytest.mark.parametrize("text", [None, "", "1 (python) R", "1 (a) b) " + "x " * 60])
def test_where_it_cannot_be_told_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    stat = tmp_path / "stat"
    if text is not None:
        stat.write_text(text)
    monkeypatch.setattr(module, "THREAD_STAT_FILE", stat)
    with pin_to_one_cpu():
        assert seen() == ALLOWED


def test_a_failure_of_the_work_is_not_taken_for_that(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of the work"), pin_to_one_cpu():
        raise OSError("of the work")
    assert seen() == ALLOWED
