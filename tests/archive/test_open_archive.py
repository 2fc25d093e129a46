"""Opening an archive: tables are created once, only the owner may read it, other files are refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.schema import migrations
from migrate.archive.schema_check import has_current_schema
from migrate.archive.schema_steps import APPLICATION_ID, MIGRATION_SET, SCHEMA_STEPS
from migrate.errors import ArchiveDamaged, ArchiveTooNew, BadUsage
from tests.archive.filling import filled, reader, rows, write


def schema(path: Path) -> list[tuple[str, ...]]:
    with sqlite3.connect(path) as conn:
        found = conn.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
        found += conn.execute("SELECT name, applied_at FROM _sqlite_migrations ORDER BY 1").fetchall()
    conn.close()
    return found


def test_an_archive_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match=r"none\.db"):
        Archive.open(tmp_path / "none.db")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="cannot create"):
        Archive.open(tmp_path / "no" / "estate.db", write=True, create=True)


def test_the_tables_are_made_once_and_stay_the_same(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    before = schema(path)
    assert {"snapshots", "bodies", "blobs", "journal", "id_map", "messages"} <= {row[1] for row in before}
    for write_ in (True, False, True):
        Archive.open(path, write=write_).close()
    assert schema(path) == before


def test_an_empty_file_becomes_an_archive_when_written(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    path.touch()
    with Archive.open(path, write=True, create=True) as archive:
        write(archive)
    with Archive.open(path) as archive:
        assert reader(archive).counts()["message"] == 2


def test_foreign_keys_hold_on_every_connection(archive: Archive) -> None:
    assert archive.conn.execute("PRAGMA foreign_keys").fetchone() == (1,)
    other = archive.open_read_connection()
    assert other.execute("PRAGMA foreign_keys").fetchone() == (1,)
    other.close()
    with pytest.raises(sqlite3.IntegrityError), archive.transaction() as conn:
        conn.execute("INSERT INTO spans VALUES (1, 0, 99, 0, 1)")


def test_a_transaction_that_fails_leaves_nothing(archive: Archive) -> None:
    def add_and_fail(conn: sqlite3.Connection) -> None:
        conn.execute("INSERT INTO endpoints (type, url) VALUES ('t', 'u')")
        raise KeyError

    with pytest.raises(KeyError), archive.transaction() as conn:
        add_and_fail(conn)
    assert rows(archive, "endpoints") == 0


def test_only_the_owner_may_read_any_of_its_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Archive.open(tmp_path / "estate.db", write=True, create=True) as archive:
            write(archive)
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("estate.db", "estate.db-wal", "estate.db-shm", "estate.db.lock"), 0o600)


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    filled(tmp_path / "estate.db")
    assert [file.name for file in tmp_path.iterdir()] == ["estate.db"]


def test_closing_takes_nothing_of_the_users(tmp_path: Path) -> None:
    folder = tmp_path / "assistants-migrate-backups"
    folder.mkdir()
    filled(folder / "estate.db")
    assert (folder / "estate.db").exists(), "a folder that people named so is not ours to remove"


def test_a_temporary_archive_vanishes() -> None:
    archive = Archive.temporary()
    write(archive)
    folder = archive.path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    archive.close()
    assert not folder.exists()


def test_a_reading_archive_cannot_be_written(tmp_path: Path) -> None:
    filled(tmp_path / "estate.db")
    with Archive.open(tmp_path / "estate.db") as archive, pytest.raises(sqlite3.OperationalError):
        archive.conn.execute("DELETE FROM packs")


def test_a_later_archive_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE later (x)")
        conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, 'now')",
            (migrations.name, "m999_later"),
        )
    conn.close()
    for write_ in (False, True):
        with pytest.raises(ArchiveTooNew) as refused:
            Archive.open(path, write=write_)
        assert "m999_later" in refused.value.why
    assert not path.with_name("estate.db.lock").exists()


@pytest.mark.parametrize("write_", [False, True])
@pytest.mark.parametrize("content", [b"PK\x03\x04 some zip", b"{}", b"SQLite format 3"])
def test_what_is_no_database_is_no_archive(tmp_path: Path, content: bytes, write_: bool) -> None:
    path = tmp_path / "estate.db"
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=r"estate\.db"):
        Archive.open(path, write=write_, create=write_)
    assert path.read_bytes() == content


@pytest.mark.parametrize("write_", [False, True])
def test_another_database_is_no_archive_and_stays_as_it_is(tmp_path: Path, write_: bool) -> None:
    path = tmp_path / "estate.db"
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE invoices (id)")
    conn.close()
    before = path.read_bytes()
    with pytest.raises(ArchiveDamaged, match="not an archive"):
        Archive.open(path, write=write_)
    assert path.read_bytes() == before


def test_a_refused_file_is_closed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def watched(*args: object, **options: object) -> sqlite3.Connection:
        opened.append(connect(*args, **options))  # type: ignore[arg-type]
        return opened[-1]

    (tmp_path / "estate.db").write_bytes(b"")
    monkeypatch.setattr(sqlite3, "connect", watched)
    with pytest.raises(ArchiveDamaged):
        Archive.open(tmp_path / "estate.db")
    for conn in opened or pytest.fail("nothing was opened"):
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            conn.execute("SELECT 1")


@pytest.mark.parametrize("write_", [False, True])
def test_a_database_of_random_bytes_is_reported_as_damaged(tmp_path: Path, write_: bool) -> None:
    path = tmp_path / "estate.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8000)
    with pytest.raises(ArchiveDamaged, match=r"estate\.db"):
        Archive.open(path, write=write_)
    assert not path.with_name("estate.db.lock").exists()


@pytest.mark.parametrize("write_", [False, True])
def test_a_truncated_archive_is_reported_as_damaged(tmp_path: Path, write_: bool) -> None:
    whole, cut = tmp_path / "whole.db", tmp_path / "estate.db"
    filled(whole)
    shutil.copy(whole, cut)
    with cut.open("r+b") as file:
        file.truncate(5000)
    with pytest.raises(ArchiveDamaged):
        Archive.open(cut, write=write_)


def test_a_reader_works_while_a_writer_is_in_a_transaction(tmp_path: Path) -> None:
    filled(tmp_path / "estate.db")
    with Archive.open(tmp_path / "estate.db", write=True) as writer, writer.transaction() as conn:
        conn.execute("DELETE FROM missing")
        conn.execute("UPDATE snapshots SET tag = 'new'")
        with Archive.open(tmp_path / "estate.db") as other:
            assert reader(other).counts()["message"] == 2
            assert reader(other).info.tag == ""
        second = writer.open_read_connection()
        assert second.execute("SELECT count(*) FROM bodies").fetchone() == (9,)
        second.close()


def test_the_steps_asked_for_with_plain_sql_are_those_of_the_migrations(archive: Archive) -> None:
    """Each migration step needs its name in schema_check.py, otherwise an older archive counts as current."""
    assert tuple(migration.name for migration in migrations._migrations) == SCHEMA_STEPS
    assert migrations.name == MIGRATION_SET == "assistants-migrate"
    assert archive.conn.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert has_current_schema(archive.conn)


@pytest.mark.parametrize("change", ["DELETE FROM", "UPDATE", "DROP TABLE"])
def test_other_steps_are_not_the_current_schema(archive: Archive, change: str) -> None:
    rest = {"UPDATE": "SET name = 'm999_later' WHERE id = 1", "DELETE FROM": "WHERE id = 1"}.get(change, "")
    archive.conn.execute(f"{change} _sqlite_migrations {rest}")
    assert not has_current_schema(archive.conn)
