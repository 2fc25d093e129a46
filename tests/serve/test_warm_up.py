"""What is done before the first visitor comes ends before the program does."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from migrate.serve import warm_up as module
from migrate.serve.connections import ArchiveAccess
from migrate.serve.warm_up import warm_up_in_background
from tests.archive.filling import filled


def test_the_end_waits_for_the_step_that_has_begun_and_begins_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "estate.db")
    is_importing, goes_on, done = threading.Event(), threading.Event(), list[str]()

    def import_slowly(name: str) -> None:
        is_importing.set()
        goes_on.wait(10)
        done.append(name)

    monkeypatch.setattr(module, "SLOW_LIBRARIES", ("first", "second"))
    monkeypatch.setattr(module, "import_module", import_slowly)
    monkeypatch.setattr(module, "remembered_overview", lambda *_: done.append("overview"))
    with ArchiveAccess(tmp_path / "estate.db") as access:
        with warm_up_in_background(access):
            is_importing.wait(10)
            threading.Timer(0.05, goes_on.set).start()
        assert done == ["first"]


def test_the_overview_of_each_estate_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "estate.db")
    read: list[int] = []
    monkeypatch.setattr(module, "remembered_overview", lambda _, snapshot: read.append(snapshot.info.id))
    with ArchiveAccess(tmp_path / "estate.db") as access:
        module.warm_up(access, threading.Event())
    assert read == [1]
