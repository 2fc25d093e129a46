"""Only our own tables and views are opened: what somebody else added is named, and not read."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from migrate.archive import Archive
from migrate.archive import schema_check as exact
from migrate.archive.check.integrity import check_archive
from migrate.archive.packs.reader import register_sql_functions
from migrate.archive.schema import migrations
from migrate.archive.schema_version import APPLICATION_ID, MIGRATION_NAMES, SCHEMA_DIGEST
from migrate.errors import ArchiveDamaged
from tests.archive.filling import filled

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"

FOREIGN = {
    "a view that never ends": (f"CREATE VIEW more AS {ENDLESS} i FROM n", "view", "more"),
    "a view like ours in another case": ("CREATE VIEW Extra AS SELECT 1 AS x", "view", "Extra"),
    "a table": ("CREATE TABLE invoices (x)", "table", "invoices"),
    "a table with a generated column": (
        "CREATE TABLE made (x, y AS (abs(x)) VIRTUAL)",
        "table",
        "made",
    ),
    "a full-text index": ("CREATE VIRTUAL TABLE words USING fts5(body)", "table", "words"),
    "a trigger that empties the journal": (
        "CREATE TRIGGER gone AFTER INSERT ON plans BEGIN DELETE FROM journal; END",
        "trigger",
        "gone",
    ),
    "a trigger on a view of ours": (
        "CREATE TRIGGER instead INSTEAD OF INSERT ON id_map BEGIN SELECT 1; END",
        "trigger",
        "instead",
    ),
    "an index": ("CREATE INDEX mine ON journal (name)", "index", "mine"),
    "an index over an expression": ("CREATE INDEX mine ON journal (abs(id))", "index", "mine"),
    "a name with a line end": ('CREATE VIEW "a\nb" AS SELECT 1 AS x', "view", "a"),
}
"""What was added -> SQL, sort and name."""

CHANGED = {
    "a view of ours that never ends": (
        "DROP VIEW scopes",
        f"CREATE VIEW scopes AS {ENDLESS} i FROM n",
        "scopes",
    ),
    "an id map that hides": ("DROP VIEW id_map", "CREATE VIEW id_map AS SELECT 1 AS kind", "id_map"),
    "a view in the place of a table": (
        "DROP TABLE missing",
        f"CREATE VIEW missing AS {ENDLESS} i AS snapshot_id FROM n",
        "missing",
    ),
    "a table with a column more": ("ALTER TABLE journal ADD COLUMN more TEXT", "", "journal"),
    "a table with a default": (
        "DROP TABLE missing",
        "CREATE TABLE missing (snapshot_id, kind, parent_id, object_id, name DEFAULT (abs(1)), reason)",
        "missing",
    ),
    "the list of migrations as a view": (
        "DROP TABLE _sqlite_migrations",
        f"CREATE VIEW _sqlite_migrations AS {ENDLESS} 'm' || i AS name, "
        "'assistants-migrate' AS migration_set FROM n",
        "_sqlite_migrations",
    ),
    "a table that is gone": ("DROP TABLE totals", "", "totals"),
    "an index that is gone": ("DROP INDEX journal_source", "", "journal_source"),
}
"""What was changed -> SQL, more SQL, and the name of what is not as we made it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    filled(tmp_path / "estate.db")
    return tmp_path / "estate.db"


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys = OFF")
        for sql in statements:
            conn.execute(sql) if sql else None


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(("sql", "sort", "name"), FOREIGN.values(), ids=FOREIGN.keys())
def test_what_somebody_added_is_named_and_how_to_take_it_out(
    path: Path, sql: str, sort: str, name: str, write: bool
) -> None:
    run(path, sql)
    before = path.read_bytes()
    with pytest.raises(ArchiveDamaged) as refused:
        Archive.open(path, write=write)
    assert f"holds a {sort} that is not ours: {name}" in refused.value.what
    assert f"DROP {sort.upper()}" in refused.value.todo
    assert refused.value.exit_code == 2
    assert path.read_bytes() == before
    assert not path.with_name("estate.db.lock").exists()


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(("first", "second", "name"), CHANGED.values(), ids=CHANGED.keys())
def test_what_somebody_changed_is_named(path: Path, first: str, second: str, name: str, write: bool) -> None:
    run(path, first, second)
    with pytest.raises(ArchiveDamaged) as refused:
        Archive.open(path, write=write)
    assert name in f"{refused.value.what} {refused.value.why}"


def test_a_schema_written_by_hand_with_an_odd_type_is_named(path: Path) -> None:
    run(path, "CREATE VIEW extra AS SELECT 1 AS x")
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA writable_schema = ON")
        conn.execute(
            "UPDATE sqlite_master SET name = 'sqlite_stat1', tbl_name = 'sqlite_stat1' WHERE name = 'extra'"
        )
    with pytest.raises(ArchiveDamaged):
        Archive.open(path)


def test_thousands_of_tables_are_not_gone_through(path: Path) -> None:
    run(path, *(f"CREATE TABLE t{n} (x)" for n in range(exact.MAX_SCHEMA_ENTRIES)))
    with pytest.raises(ArchiveDamaged, match="not an archive of this program"):
        Archive.open(path)


def test_numbers_that_sqlite_itself_keeps_are_no_harm(path: Path) -> None:
    run(path, "ANALYZE")
    with Archive.open(path) as archive:
        assert not check_archive(archive.conn).damage


def test_the_newest_schema_is_known_by_its_digest() -> None:
    """A migration that is added changes it: the new one belongs into newest.py. Until then every archive is
    compared the long way, which loads sqlite-utils."""
    assert exact.schema_digest(exact._schema_after(len(MIGRATION_NAMES))) == SCHEMA_DIGEST


def test_an_archive_is_opened_without_making_our_schema_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "_schema_after", lambda number: pytest.fail("compared the long way"))
    Archive.open(path).close()


@pytest.mark.parametrize("number", range(len(MIGRATION_NAMES)))
def test_an_archive_of_any_earlier_version_is_brought_up_to_date(tmp_path: Path, number: int) -> None:
    path = tmp_path / "estate.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        register_sql_functions(conn)
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(Database(conn), stop_before=MIGRATION_NAMES[number])
    foreign = tmp_path / "foreign.db"
    shutil.copy(path, foreign)
    Archive.open(path, write=True).close()
    Archive.open(path).close()
    run(foreign, "CREATE TRIGGER gone AFTER INSERT ON _sqlite_migrations BEGIN SELECT 1; END")
    with pytest.raises(ArchiveDamaged, match="trigger that is not ours: gone"):
        Archive.open(foreign, write=True)
