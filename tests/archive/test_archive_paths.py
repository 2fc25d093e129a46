"""Paths of archives: in folders without write permission, through links, and where no regular file is."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.lock import WriterLock
from migrate.errors import ArchiveBusy, ArchiveDamaged, BadUsage, MigrateError
from tests.archive.filling import filled, reader
from tests.unprivileged import enforce_file_modes

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="made with what Linux has")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    folder.mkdir()
    filled(folder / "estate.db")
    return folder / "estate.db"


@pytest.fixture(params=["a folder", "a file", "both", "a disk"])
def locked(path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """An archive that may only be read."""
    folder, sort = path.parent, request.param
    if sort == "a disk":
        if sys.platform != "linux" or os.geteuid() != 0 or _mount("--bind", folder, folder):
            pytest.skip("only root can mount")
        try:
            if _mount("-o", "remount,bind,ro", folder):
                pytest.skip("a mount cannot be made read-only here")
            yield path
        finally:
            subprocess.run(["umount", folder], check=True)
        return
    path.chmod(0o400 if sort != "a folder" else 0o600)
    folder.chmod(0o500 if sort != "a file" else 0o700)
    with enforce_file_modes():
        yield path
    folder.chmod(0o700)


def _mount(*options: object) -> int:
    return subprocess.run(["mount", *map(str, options)], capture_output=True, check=False).returncode


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_an_archive_that_may_only_be_read_is_read(locked: Path) -> None:
    with Archive.open(locked) as archive:
        assert reader(archive).counts()["message"] == 2
        with closing(archive.open_read_connection()) as other:
            assert other.execute("SELECT count(*) FROM bodies").fetchone() == (9,)
    assert names(locked.parent) == ["estate.db"]


def test_an_archive_that_may_only_be_read_is_not_written(locked: Path) -> None:
    with pytest.raises(BadUsage, match="cannot write") as refused:
        Archive.open(locked, write=True)
    assert refused.value.exit_code == 2
    assert refused.value.todo
    assert names(locked.parent) == ["estate.db"]


@pytest.mark.parametrize("said", ["attempt to write a readonly database", "unable to open database file"])
def test_a_disk_that_turns_out_to_be_read_only_is_read_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """File modes do not show it: a file system that is mounted read-only."""
    from migrate.archive import sqlite_file

    class Stopped(sqlite3.Connection):
        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
            if "sqlite_master" in sql and not self.immutable:  # type: ignore[attr-defined]
                raise sqlite3.OperationalError(said)
            return super().execute(sql, *values)  # type: ignore[arg-type]

    really = sqlite3.connect

    def connect(name: object, **options: object) -> sqlite3.Connection:
        conn: sqlite3.Connection = really(name, factory=Stopped, **options)  # type: ignore[call-overload]
        conn.immutable = "immutable" in str(name)  # type: ignore[attr-defined]
        return conn

    monkeypatch.setattr(sqlite_file.sqlite3, "connect", connect)
    with Archive.open(path) as archive:
        assert reader(archive).counts()["message"] == 2


def left_log(path: Path) -> None:
    """A log with content beside the archive, as a killed writer leaves it."""
    kept = path.parent / "kept.db"
    kept.write_bytes(path.read_bytes())
    with Archive.open(kept, write=True) as archive:
        with archive.transaction() as conn:
            conn.execute("UPDATE snapshots SET tag = 'new'")
        log = kept.with_name("kept.db-wal").read_bytes()
        path.write_bytes(kept.read_bytes())
    assert log
    path.with_name("estate.db-wal").write_bytes(log)
    kept.unlink()


def test_a_log_left_in_a_folder_that_cannot_be_written_is_reported(path: Path) -> None:
    left_log(path)
    path.parent.chmod(0o500)
    try:
        with enforce_file_modes(), pytest.raises(BadUsage, match="cannot be read where it is") as refused:
            Archive.open(path)
    finally:
        path.parent.chmod(0o700)
    assert "estate.db-wal" in refused.value.why
    assert "copy both files" in refused.value.todo
    with Archive.open(path) as archive:
        assert reader(archive).info.tag == "new", (
            "with both files, in a folder that can be written, all is there"
        )


def test_an_archive_copied_without_the_log_of_a_writer_is_read_as_it_was_folded_in(path: Path) -> None:
    with Archive.open(path, write=True) as archive:
        with archive.transaction() as conn:
            conn.execute("UPDATE snapshots SET tag = 'new'")
        copy = path.with_name("copy.db")
        copy.write_bytes(path.read_bytes())
    with Archive.open(copy) as found:
        assert reader(found).info.tag in ("", "new")


def test_an_archive_behind_a_link_is_read_and_written(path: Path) -> None:
    link = path.parent.parent / "link.db"
    link.symlink_to(path)
    with Archive.open(link, write=True) as archive:
        assert archive.path == path
        assert names(path.parent) == ["estate.db", "estate.db-shm", "estate.db-wal", "estate.db.lock"]
    assert link.is_symlink()
    with Archive.open(link) as archive:
        assert reader(archive).counts()["message"] == 2


def test_a_link_to_an_archive_that_is_not_there_yet_is_written_through(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "estate.db")
    filled(link)
    assert link.is_symlink()
    assert names(tmp_path) == ["estate.db", "link.db"]


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(link)
    for options in ({}, {"write": True, "create": True}):
        with pytest.raises(BadUsage):
            Archive.open(link, **options)


@pytest.mark.parametrize(
    "how", ["itself", "a link", "a link to its folder", "a link to a link", "a hard link"]
)
def test_a_second_writer_by_any_name_is_refused(path: Path, how: str) -> None:
    other = path.parent.parent / "other.db"
    if how == "itself":
        other = path
    elif how == "a link":
        other.symlink_to(path)
    elif how == "a link to its folder":
        other.symlink_to(path.parent)
        other = other / path.name
    elif how == "a link to a link":
        other.symlink_to(path)
        other = path.parent.parent / "more.db"
        other.symlink_to(path.parent.parent / "other.db")
    elif sys.platform != "linux":
        pytest.skip("the file itself is locked on Linux only")
    else:
        other.hardlink_to(path)
    with Archive.open(path, write=True), pytest.raises(ArchiveBusy, match="being written by another program"):
        Archive.open(other, write=True)
    Archive.open(other, write=True).close()


@LINUX
def test_readers_pass_the_lock_of_a_writer(path: Path) -> None:
    with Archive.open(path, write=True) as writer:
        with writer.transaction() as conn:
            conn.execute("UPDATE snapshots SET tag = 'new'")
        with Archive.open(path) as archive:
            assert reader(archive).info.tag == "new"


def fifo(place: Path) -> None:
    os.mkfifo(place)


IN_THE_WAY: dict[str, Callable[[Path], object]] = {
    "a link to a file": lambda place: place.symlink_to(place.parent / "victim"),
    "a link to nothing": lambda place: place.symlink_to(place.parent / "nothing"),
    "a hard link": lambda place: place.hardlink_to(place.parent / "victim"),
    "a named pipe": fifo,
    "a folder": lambda place: place.mkdir(),
}


@LINUX
@pytest.mark.parametrize("lay", IN_THE_WAY.values(), ids=IN_THE_WAY.keys())
def test_another_file_at_the_path_of_the_lock_is_not_written(
    path: Path, lay: Callable[[Path], object]
) -> None:
    victim = path.parent / "victim"
    victim.write_text("somebody's")
    lay(path.with_name("estate.db.lock"))
    with pytest.raises(BadUsage, match=r"estate\.db\.lock is in the way"):
        Archive.open(path, write=True)
    assert victim.read_text() == "somebody's"
    assert not (path.parent / "nothing").exists()


def test_a_lock_file_is_for_its_owner_only(path: Path) -> None:
    lock = path.with_name("estate.db.lock")
    lock.touch(mode=0o666)
    lock.chmod(0o666)
    with Archive.open(path, write=True):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600


@LINUX
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("write", [False, True])
def test_a_link_in_the_place_of_a_file_of_sqlite_is_not_followed(
    path: Path, ending: str, write: bool
) -> None:
    victim = path.parent / "victim"
    victim.write_text("somebody's")
    path.with_name(f"estate.db{ending}").symlink_to(victim)
    with pytest.raises(BadUsage, match="is in the way"):
        Archive.open(path, write=write)
    assert victim.read_text() == "somebody's"


def sparse(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(1 << 40)


NO_ARCHIVE: dict[str, tuple[Callable[[Path], object], type[MigrateError]]] = {
    "a folder": (lambda place: place.mkdir(), BadUsage),
    "a named pipe": (fifo, BadUsage),
    "a device": (lambda place: place.symlink_to("/dev/null"), BadUsage),
    "an endless device": (lambda place: place.symlink_to("/dev/zero"), BadUsage),
    "a huge file of nothing": (sparse, ArchiveDamaged),
    "an empty file": (lambda place: place.touch(), ArchiveDamaged),
}


@LINUX
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(("make", "error"), NO_ARCHIVE.values(), ids=NO_ARCHIVE.keys())
def test_a_special_file_is_refused_at_once(
    tmp_path: Path, make: Callable[[Path], object], error: type[MigrateError], write: bool
) -> None:
    place = tmp_path / "estate.db"
    make(place)
    if write and place.is_file() and not place.stat().st_size:
        Archive.open(place, write=True).close()  # an empty file becomes an archive
        return
    with pytest.raises(error) as refused:
        Archive.open(place, write=write, create=write)
    assert refused.value.exit_code == 2
    assert names(tmp_path) == ["estate.db"]


def test_a_lock_is_let_go_where_the_archive_cannot_be_opened(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8000)
    with pytest.raises(ArchiveDamaged):
        Archive.open(path, write=True)
    WriterLock.acquire(path).release()


@pytest.mark.parametrize("name", ["a b.db", "a?b.db", "a#b.db", "a%41.db", "ä.db", "a\nb.db"])
def test_any_file_name_is_read_where_nothing_can_be_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    filled(path)
    path.chmod(0o400)
    with enforce_file_modes(), Archive.open(path) as archive:
        assert reader(archive).counts()["message"] == 2
