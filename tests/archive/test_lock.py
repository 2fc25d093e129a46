"""One writer at a time: a second one is refused and learns who has the lock; a killed writer has none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive import lock as locking
from migrate.archive.lock import WriterLock
from migrate.errors import ArchiveBusy
from tests.archive.filling import filled, reader

ROOT = Path(__file__).parents[2]
WRITE = """
import sys
from pathlib import Path
from migrate.archive import Archive
from migrate.errors import ArchiveBusy
try:
    archive = Archive.open(Path(sys.argv[1]), write=True)
except ArchiveBusy as busy:
    sys.exit("; ".join(busy.lines()))
print("writing", flush=True)
sys.stdin.read()
"""


def another_writer(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    filled(tmp_path / "estate.db")
    return tmp_path / "estate.db"


def test_a_second_writer_learns_which_process_writes(path: Path) -> None:
    with Archive.open(path, write=True):
        other = another_writer(path)
        _, said = other.communicate(timeout=60)
    assert other.returncode == 1
    assert "estate.db is being written by another program" in said
    assert f"process {os.getpid()} " in said


def test_a_killed_writer_leaves_no_lock(path: Path) -> None:
    with another_writer(path) as other:
        assert other.stdout
        assert other.stdout.readline() == "writing\n"
        with pytest.raises(ArchiveBusy) as busy:
            Archive.open(path, write=True)
        assert f"process {other.pid} " in busy.value.why
        with Archive.open(path) as archive:
            assert reader(archive).counts()["message"] == 2
        other.kill()
    with Archive.open(path, write=True) as archive:
        assert reader(archive).counts()["message"] == 2


def test_the_next_writer_may_write_when_the_first_has_closed(path: Path) -> None:
    for _ in range(3):
        Archive.open(path, write=True).close()


def test_a_stale_lock_file_stops_nobody(path: Path) -> None:
    path.with_name("estate.db.lock").write_text("process 1 on elsewhere, and much more text than a new one")
    with Archive.open(path, write=True):
        said = path.with_name("estate.db.lock").read_text()
    assert said.startswith(f"process {os.getpid()} on ")
    assert "more text" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_a_lock_let_go_while_another_waits_for_it_is_still_one_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = WriterLock.acquire(path)
    really_lock = locking._lock

    def lock_after_the_first_let_go(handle: int) -> None:
        monkeypatch.setattr(locking, "_lock", really_lock)
        first.release()
        really_lock(handle)

    monkeypatch.setattr(locking, "_lock", lock_after_the_first_let_go)
    try:
        second = WriterLock.acquire(path)
    except ArchiveBusy:
        return
    try:
        with pytest.raises(ArchiveBusy):
            WriterLock.acquire(path).release()
    finally:
        second.release()
