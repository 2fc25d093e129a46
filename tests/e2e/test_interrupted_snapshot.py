"""An interrupted snapshot: what was read is stored, and the same command continues."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import Any
from unittest.mock import patch

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.program_server import RunningProgram
from tests.e2e.running import World, options


def slow(launch: Launch) -> World:
    """An estate whose answers take long enough to be interrupted between them."""
    source = options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True, latency=0.02)
    return launch(source)


def stopped(world: World, with_signal: signal.Signals, after: int) -> tuple[int, str]:
    """Take a snapshot in its own process and stop it after this number of answered requests."""
    process = world.popen("snapshot", "source", "-o", world.db, "--workers", "2")
    deadline = time.monotonic() + 30
    while len(world.source.requests) < after:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(with_signal)
    _, err = finished(process)
    return process.returncode, err


def finished(process: RunningProgram) -> tuple[str, str]:
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err, err
    return out, err


def pages(world: World, start: int, end: int | None = None) -> Counter[tuple[str, str]]:
    """The requested full pages of listings: path and cursor."""
    asked = [r for r in world.source.requests[start:end] if r.query.get("limit") not in (None, "1")]
    return Counter((r.path, r.query.get("after", "")) for r in asked)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_a_stopped_snapshot_is_continued_by_the_same_command(launch: Launch, how: signal.Signals) -> None:
    world = slow(launch)
    code, err = stopped(world, how, after=24)
    if how is signal.SIGINT:
        assert code == 3, err
        assert "continues" in err
    rows = world("snapshots", world.db).ok()
    assert len(rows) == 1
    assert rows[0]["state"] != "complete"
    assert world("check", world.db).ok()["ok"] is True
    assert world("ls", world.db).code == 0
    with closing(sqlite3.connect(world.db)) as archive:
        assert archive.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    done_before = rows[0]["counts"]
    at = len(world.source.requests)
    answer = world.snapshot("--workers", "2")
    assert answer["state"] == "complete"
    held = {kind: number for kind, number in world.source.estate.counts().items() if number}
    assert answer["counts"] == held
    assert sum(done_before.values()) > 0
    first, second = pages(world, 0, at), pages(world, at)
    again = {asked for asked in second if asked in first}
    # Requests in progress on two workers may be repeated, and steps are read run by run.
    again = {asked for asked in again if not asked[0].endswith("/steps")}
    assert len(again) <= 4, again
    assert len(world("snapshots", world.db).ok()) == 1
    assert world("diff", world.db, "source").ok()["differences"] == 0


def test_files_that_arrived_before_the_stop_are_not_fetched_again(launch: Launch) -> None:
    world = slow(launch)
    stopped(world, signal.SIGINT, after=24)
    with closing(sqlite3.connect(world.db)) as archive:
        (kept,) = archive.execute("SELECT count(*) FROM contents").fetchone()
    at = len(world.source.requests)
    world.snapshot()
    fetched = [r for r in world.source.requests[at:] if r.path.endswith("/content")]
    assert len(fetched) == len(world.source.estate.files) - kept


def test_a_full_disk_leaves_a_usable_archive(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True))
    from migrate.archive import database

    genuine = database.open_for_writing

    def cramped(*arguments: Any) -> sqlite3.Connection:
        conn: sqlite3.Connection = genuine(*arguments)
        conn.execute("PRAGMA max_page_count = 45")
        return conn

    with patch.object(database, "open_for_writing", cramped):
        said = world("snapshot", "source", "-o", world.db)
    said.error(3, "cannot grow", "free some space")
    assert world("check", world.db).ok()["ok"] is True
    assert world("snapshots", world.db).ok()[0]["state"] != "complete"
    answer = world.snapshot()
    assert (answer["snapshot"], answer["state"]) == (1, "complete")
    assert world("diff", world.db, "source").ok()["differences"] == 0


def test_two_writers_do_not_share_an_archive(launch: Launch) -> None:
    world = slow(launch)
    process = world.popen("snapshot", "source", "-o", world.db, "--workers", "2")
    try:
        while len(world.source.requests) < 12:
            time.sleep(0.005)
        world("snapshot", "source", "-o", world.db).error(4, "estate.db")
        assert world("ls", world.db).code == 0, "readers are never blocked"
    finally:
        process.send_signal(signal.SIGINT)
        finished(process)
