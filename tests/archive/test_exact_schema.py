"""Only archives with exactly our tables and views are opened: anything else is reported and not read."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from migrate.archive import Archive, schema, schema_check, schema_steps
from migrate.archive.check.integrity import check_archive
from migrate.archive.packs import register_sql_functions
from migrate.archive.schema import migrations
from migrate.archive.schema_check import STEPS_BY_DIGEST, has_current_schema
from migrate.archive.schema_steps import APPLICATION_ID, SCHEMA_STEPS, STEPS_BEFORE_VERSION_1
from migrate.archive.schema_views import READ_ME, read_me_view
from migrate.errors import ArchiveDamaged
from tests.archive.filling import facts, filled, reader

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"

# What was added: its SQL, type and name.
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

# What was changed: two SQL statements, and the name of the object that differs from what this program
# creates.
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
    assert f"has a {sort} that was not created by this program: {name}" in refused.value.what
    assert f"DROP {sort.upper()}" in refused.value.todo
    assert refused.value.exit_code == 2
    assert path.read_bytes() == before
    assert not path.with_name("estate.db.lock").exists()


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(("first", "second", "name"), CHANGED.values(), ids=CHANGED.keys())
def test_what_somebody_changed_is_reported(
    path: Path, first: str, second: str, name: str, write: bool
) -> None:
    run(path, first, second)
    with pytest.raises(ArchiveDamaged) as refused:
        Archive.open(path, write=write)
    assert name in f"{refused.value.what} {refused.value.why}"


def test_a_schema_written_by_hand_with_an_odd_type_is_reported(path: Path) -> None:
    run(path, "CREATE VIEW extra AS SELECT 1 AS x")
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA writable_schema = ON")
        conn.execute(
            "UPDATE sqlite_master SET name = 'sqlite_stat1', tbl_name = 'sqlite_stat1' WHERE name = 'extra'"
        )
    with pytest.raises(ArchiveDamaged):
        Archive.open(path)


def test_thousands_of_tables_are_not_gone_through(path: Path) -> None:
    run(path, *(f"CREATE TABLE t{n} (x)" for n in range(schema_check.MAX_SCHEMA_ENTRIES)))
    with pytest.raises(ArchiveDamaged, match="not an archive of this program"):
        Archive.open(path)


def test_numbers_that_sqlite_itself_keeps_are_no_harm(path: Path) -> None:
    run(path, "ANALYZE")
    with Archive.open(path) as archive:
        assert not check_archive(archive.conn).damage


def test_the_schema_of_each_version_is_recognized_by_its_digest() -> None:
    """Each migration step needs its digest in schema_check.py. Without it, every archive of that version is
    compared entry by entry, which loads sqlite-utils."""
    versions = range(1, len(SCHEMA_STEPS) + 1)
    digests = [schema_check.schema_digest(schema_check._schema_of_version(number)) for number in versions]
    assert digests == list(STEPS_BY_DIGEST)[: len(versions)]
    assert list(versions) == list(STEPS_BY_DIGEST.values())[: len(versions)]


def test_an_archive_with_the_first_text_of_its_read_me_is_opened_checked_and_written(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    first = (
        "links and a search: datasette install assistants-migrate. Where pipx installed Datasette: pipx "
        "inject datasette assistants-migrate. Where uv did: uv tool install datasette --with "
        "assistants-migrate"
    )
    now = next(text for program, text in READ_ME if program == "Datasette")
    then = now[: now.index("links and a search")] + first
    with closing(sqlite3.connect(path)) as conn, conn:
        sql = read_me_view().replace(now, then)
        conn.execute("DROP VIEW read_me")
        conn.execute(sql)
    with Archive.open(path, write=True) as archive:
        assert check_archive(archive.conn).damage == ()


def test_an_archive_is_opened_without_creating_the_schema_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        schema_check, "_schema_of_version", lambda number: pytest.fail("compared entry by entry")
    )
    Archive.open(path).close()


def rename_steps(path: Path) -> None:
    """Record the steps as a program before version 1 did."""
    run(path, "DELETE FROM _sqlite_migrations")
    for name in STEPS_BEFORE_VERSION_1:
        run(
            path,
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            f"VALUES ('assistants-migrate', '{name}', '2026-11-30 20:41:40+00:00')",
        )


def test_an_archive_with_the_earlier_names_of_its_steps_is_read_as_it_is_and_upgraded_when_written(
    tmp_path: Path,
) -> None:
    path = of_version(tmp_path / "estate.db", 1)
    rename_steps(path)
    with closing(sqlite3.connect(path)) as conn:
        before = conn.execute("SELECT * FROM _sqlite_migrations").fetchall()
    with Archive.open(path) as archive:
        assert check_archive(archive.conn).damage == ()
        assert archive.conn.execute("SELECT * FROM _sqlite_migrations").fetchall() == before
    for write in (True, True, False):
        with Archive.open(path, write=write) as archive:
            assert has_current_schema(archive.conn)
            assert check_archive(archive.conn).damage == ()


def test_an_archive_of_version_1_is_read_without_a_step_and_without_sqlite_utils(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = of_version(tmp_path / "estate.db", 1)
    before = path.read_bytes()
    with monkeypatch.context() as patched:
        refused = lambda *_: pytest.fail("the schema was created")  # noqa: E731
        patched.setattr(schema_check, "_schema_of_version", refused)
        with Archive.open(path) as archive:
            assert reader(archive).counts()["message"] == 2
            assert check_archive(archive.conn).damage == ()
    assert path.read_bytes() == before
    Archive.open(path, write=True).close()
    with Archive.open(path) as archive:
        assert archive.conn.execute("SELECT created_at_iso FROM threads").fetchall() == [
            ("1970-01-01T00:00:02Z",)
        ]


def of_version(path: Path, number: int) -> Path:
    """An archive with one snapshot, as written by a program with this number of steps."""
    steps = schema.migrations._migrations
    known = list(steps)
    try:
        del steps[number:]
        filled(path)
    finally:
        steps[:] = known
    return path


@pytest.fixture
def later_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add one more step to the schema, as a later version of the program will have."""
    later = Migrations(migrations.name)
    later._migrations = list(migrations._migrations)

    @later()
    def version_3(db: Database) -> None:
        db.execute("ALTER TABLE snapshots ADD COLUMN note TEXT")
        db.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")

    monkeypatch.setattr(schema, "migrations", later)
    for module in (schema, schema_check, schema_steps):
        monkeypatch.setattr(module, "SCHEMA_STEPS", (*SCHEMA_STEPS, "version_3"))
    schema_check._schema_of_version.cache_clear()
    yield
    schema_check._schema_of_version.cache_clear()


@pytest.mark.parametrize("earlier_names", [False, True])
@pytest.mark.usefixtures("later_step")
def test_a_later_step_is_applied_once_by_a_writer_and_asked_for_by_a_reader(
    path: Path, tmp_path: Path, earlier_names: bool
) -> None:
    if earlier_names:
        path = of_version(tmp_path / "earlier.db", 1)
        rename_steps(path)
    content = facts(path)
    with pytest.raises(ArchiveDamaged, match="earlier version") as refused:
        Archive.open(path)
    assert refused.value.todo == f"run: check --upgrade {path}"
    for write in (True, True, False):
        with Archive.open(path, write=write) as archive:
            assert schema_check.applied_steps(archive.conn) == (*SCHEMA_STEPS, "version_3")
            assert archive.conn.execute("SELECT note FROM snapshots").fetchall() == [(None,)]
            assert check_archive(archive.conn).damage == ()
    assert facts(path) == content


@pytest.mark.usefixtures("later_step")
def test_a_new_archive_gets_every_step(tmp_path: Path) -> None:
    filled(tmp_path / "new.db")
    with Archive.open(tmp_path / "new.db") as archive:
        assert archive.conn.execute("SELECT count(*) FROM notes").fetchone() == (0,)


@pytest.mark.usefixtures("later_step")
def test_a_later_step_is_applied_to_no_schema_that_was_changed(path: Path) -> None:
    run(path, "CREATE TRIGGER gone AFTER INSERT ON _sqlite_migrations BEGIN SELECT 1; END")
    before = path.read_bytes()
    with pytest.raises(ArchiveDamaged, match="trigger that was not created by this program: gone"):
        Archive.open(path, write=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("number", range(len(SCHEMA_STEPS)))
def test_an_archive_of_any_earlier_version_is_upgraded(tmp_path: Path, number: int) -> None:
    path = tmp_path / "estate.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        register_sql_functions(conn)
        conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(Database(conn), stop_before=SCHEMA_STEPS[number])
    foreign = tmp_path / "foreign.db"
    shutil.copy(path, foreign)
    Archive.open(path, write=True).close()
    Archive.open(path).close()
    run(foreign, "CREATE TRIGGER gone AFTER INSERT ON _sqlite_migrations BEGIN SELECT 1; END")
    with pytest.raises(ArchiveDamaged, match="trigger that was not created by this program: gone"):
        Archive.open(foreign, write=True)
