"""Only our own schema is read: every table, view, trigger and index of an archive is one that we made.

A view or a trigger of somebody else's is a program that runs when a table is read or written: it may never
end, or change the journal while an archive is merged. So nothing is read through a file before its schema was
compared with ours, text by text. The newest schema is known by its digest; an older one is created in
memory.
"""

from __future__ import annotations

import hashlib
import sqlite3
from functools import cache
from pathlib import Path

from migrate.archive.schema_version import MIGRATION_NAMES, SCHEMA_DIGEST
from migrate.errors import ArchiveDamaged

# Entries of a schema that are looked at: ours has some sixty.
MAX_SCHEMA_ENTRIES = 500
# Characters of a foreign name.
MAX_NAME_CHARS_SHOWN = 80
# What SQLite itself makes when somebody runs ANALYZE: numbers for choosing an index, never run.
SQLITE_STATISTICS_TABLES = {
    ("table", "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    ("table", "sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
}
# Made by sqlite-utils, whose versions quote names in other ways.
MIGRATIONS_TABLE = "_sqlite_migrations"
# The migration before which views for people had texts of several versions. It drops them before it reads
# anything, and no command reads an archive of an earlier version.
VIEWS_RECREATED_BY = "m007_packs"

# Type and name of an entry of a schema.
SchemaEntry = tuple[str, str]


def check_schema(conn: sqlite3.Connection, path: Path) -> None:
    """Raises `ArchiveDamaged` and names what this program did not create. Reads the schema only."""
    there = _entries(conn, path)
    if not there or schema_digest(there) == SCHEMA_DIGEST:
        return
    history = ("table", MIGRATIONS_TABLE)
    plain = there.get(history) == _schema_after(0)[history]
    applied = _applied_migrations(conn) if plain else []
    if any(name not in MIGRATION_NAMES for name in applied):
        return  # the check of pending migrations reports it, before anything else is read
    in_order = plain and tuple(applied) == MIGRATION_NAMES[: len(applied)]
    ours = _schema_after(len(applied) if in_order else len(MIGRATION_NAMES))
    before = VIEWS_RECREATED_BY not in applied
    for entry, text in there.items():
        if ours.get(entry) != text and not (before and _is_view_for_people(entry)):
            raise (_changed if _is_of_any_version(entry) else _foreign)(path, *entry)
    for entry in ours:
        if entry not in there:
            raise _gone(path, *entry)


def schema_digest(entries: dict[SchemaEntry, str]) -> str:
    """Of a whole schema, whatever the order in which it was made."""
    text = "\n".join(f"{type_} {name}: {sql}" for (type_, name), sql in sorted(entries.items()))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _entries(conn: sqlite3.Connection, path: Path) -> dict[SchemaEntry, str]:
    rows = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchmany(
        MAX_SCHEMA_ENTRIES + 1
    )
    if len(rows) > MAX_SCHEMA_ENTRIES:
        raise ArchiveDamaged(
            f"{path} is not an archive of this program",
            f"it has more than {MAX_SCHEMA_ENTRIES} tables, views and indexes",
            RESTORE_HINT,
        )
    found: dict[SchemaEntry, str] = {}
    for type_, name, table, sql in rows:
        entry = (str(type_), str(name))
        if type_ == "index" and sql is None and entry[1].startswith("sqlite_autoindex_"):
            continue  # of a PRIMARY KEY or UNIQUE in the text of its table
        if (type_, name, sql) in SQLITE_STATISTICS_TABLES:
            continue
        if entry in found:
            raise _foreign(path, *entry)
        found[entry] = f"{table}: {_normalize_sql(entry, str(sql))}"
    return found


def _normalize_sql(entry: SchemaEntry, sql: str) -> str:
    text = " ".join(sql.split())
    if MIGRATIONS_TABLE in entry[1]:
        text = "".join(sign for sign in text.lower() if sign not in ' "[]`')
    return text


def _applied_migrations(conn: sqlite3.Connection) -> list[str]:
    """The names of the migrations that were applied. Their table was seen to be the plain one we know."""
    rows = conn.execute(
        f"SELECT name FROM {MIGRATIONS_TABLE} WHERE migration_set = 'assistants-migrate' "
        f"ORDER BY rowid LIMIT {MAX_SCHEMA_ENTRIES}"
    )
    return [str(name) for (name,) in rows]


@cache
def _schema_after(number: int) -> dict[SchemaEntry, str]:
    """The schema after so many migrations."""
    from sqlite_utils import Database

    from migrate.archive.packs.reader import register_sql_functions
    from migrate.archive.schema import migrations

    conn = sqlite3.connect(":memory:", isolation_level=None)
    try:
        register_sql_functions(conn)
        stop = MIGRATION_NAMES[number] if number < len(MIGRATION_NAMES) else None
        migrations.apply(Database(conn), stop_before=stop)
        return _entries(conn, Path(":memory:"))
    finally:
        conn.close()


def _is_of_any_version(entry: SchemaEntry) -> bool:
    """Nobody is told to take out what this program made."""
    return any(entry[1] in {name for _, name in _schema_after(n)} for n in range(len(MIGRATION_NAMES) + 1))


def _is_view_for_people(entry: SchemaEntry) -> bool:
    from migrate.archive.schema import VIEW_COLUMNS

    return entry[0] == "view" and entry[1] in VIEW_COLUMNS


RESTORE_HINT = "restore it from a copy"


def _foreign(path: Path, type_: str, name: str) -> ArchiveDamaged:
    sort, shown = _type_in_words(type_), name[:MAX_NAME_CHARS_SHOWN]
    return ArchiveDamaged(
        f"{path} holds a {sort} that is not ours: {shown}",
        "only the tables and views that this program makes are opened; what somebody else adds may change or "
        "hide what is read",
        "if it is yours, take it out, and keep it in a database of its own: "
        f"sqlite3 FILE 'DROP {sort.upper()} \"{shown}\"'; if not, restore the archive from a copy",
    )


def _changed(path: Path, type_: str, name: str) -> ArchiveDamaged:
    sort = _type_in_words(type_)
    return ArchiveDamaged(
        f"{path} is damaged",
        f"its {sort} {name[:MAX_NAME_CHARS_SHOWN]} is not the one that this program makes",
        RESTORE_HINT,
    )


def _gone(path: Path, type_: str, name: str) -> ArchiveDamaged:
    return ArchiveDamaged(
        f"{path} is damaged",
        f"its {_type_in_words(type_)} {name[:MAX_NAME_CHARS_SHOWN]} is gone",
        RESTORE_HINT,
    )


def _type_in_words(type_: str) -> str:
    return type_ if type_ in ("table", "view", "trigger", "index") else "thing"
