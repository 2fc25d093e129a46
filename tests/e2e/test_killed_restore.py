"""SIGKILL at any write of a restore: the same command, run again, ends in the same state."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.fork_server import ForkServer, KillPoint
from tests.e2e.restore_judge import lose
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world
from tests.e2e.small_estate import restore_state, saved_state
from tests.e2e.test_restore_command import restored
from tests.sample import sample


def reset(made: World, backup: Path) -> None:
    """Put the archive of the snapshot back, without any journal."""
    for left in made.folder.glob("estate.db*"):
        left.unlink()
    shutil.copy(backup, made.db)


def journal(made: World) -> list[tuple[object, ...]]:
    """What the archive knows of applies: every plan and every line."""
    with closing(sqlite3.connect(made.db)) as conn:
        rows = conn.execute("SELECT digest, '' FROM registered_plans").fetchall()
        return [*rows, *conn.execute("SELECT id, action, kind, source_id, target_id, state FROM journal")]


@pytest.mark.slow
@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES)
def test_a_restore_killed_at_any_write_goes_on(type_: str, tmp_path: Path) -> None:
    moment = KillPoint(lambda method, path, query: method == "POST")
    one = service("SOURCE_KEY", type_)
    with (
        world(tmp_path, one, one, wrap_target=moment, types=(type_, type_)) as made,
        ForkServer(made.env, tmp_path / "killed.log") as spare,
    ):
        furnish(made.source, type_)
        made.snapshot()
        backup = Path(shutil.copy(made.db, tmp_path / "backup"))
        lose(made, type_)
        before = saved_state(made.target.estate)
        moment.set(0)
        command = ("restore", made.db, "--accept-loss", "all", "--yes", "--workers", "1")
        made(*command).ok()
        writes = list(moment.asked)
        expected = dict(made.target.estate.counts())
        assert len(writes) >= 5
        wrong = []
        for at, asked in sample(enumerate(writes, 1), 2):
            for is_done in (True, False):
                restore_state(made.target.estate, before)
                reset(made, backup)
                moment.set(at, is_done)
                spare.killed(moment, *command, "--config", str(made.config))
                moment.set(0)
                noted, asked_before = journal(made), len(made.target.requests)
                dry = made(*command, "--dry-run").json
                assert (journal(made), made.writes(asked_before)) == (noted, [])
                assert bool(dry["notes"]) == any(
                    row[1] == "create" and row[-1] == "intended" for row in noted
                )
                result = restored(made)
                counts = dict(made.target.estate.counts())
                if counts != expected or result["findings"] or result["failed"]:
                    differing = {k: (expected[k], counts[k]) for k in counts if counts[k] != expected[k]}
                    wrong.append((at, asked, is_done, differing, result["findings"], result["failed"]))
        assert not wrong, expected
