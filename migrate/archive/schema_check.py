"""Check which schema an archive has, and that it has nothing else.

A view or a trigger that others added is a program that runs when a table is read or written: it may never
end, or change the journal while an archive is merged. So nothing is read from a file before its schema was
compared with that of this program, text by text. The current schema is recognized by its digest; another
version is created in memory.

All of this is plain SQL: importing sqlite-utils takes longer than listing a small archive.
"""

from __future__ import annotations

import hashlib
import sqlite3
from functools import cache
from pathlib import Path

from migrate.archive.packs import register_sql_functions
from migrate.archive.schema_steps import (
    MAX_SCHEMA_ENTRIES,
    MIGRATIONS_TABLE,
    SCHEMA_STEPS,
    applied_steps,
)
from migrate.archive.text_index.tables import INDEX_ENTRIES, INDEX_NAMES, normalized_index_sql
from migrate.errors import ArchiveDamaged

# `schema_digest` of the tables and views -> how many steps create them. An archive with one of these is
# opened without sqlite-utils. A step that is added needs its row, which tests/archive/test_exact_schema.py
# prints.
STEPS_BY_DIGEST = {
    "a5bc8c6f018280a7e0ed0d7164beda12728e87c37ecc06e90e025bf1e269d7f5": 1,
    "6f828adcfab963768ceabf30953f311575816103955bcabf4dab35bff980662b": 2,
    # `read_me` with other commands for Datasette: only its text differs
    "326bd65b49fed38ba999ee0f4c77b2f19dd00e67236ad5e8b535b1214b928cff": 2,
}

# Characters of a name that this program did not choose.
MAX_NAME_CHARS_SHOWN = 80
# Created by SQLite when ANALYZE is run: numbers for choosing an index. They run nothing.
SQLITE_STATISTICS_TABLES = {
    ("table", "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    ("table", "sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
}
RESTORE_HINT = "restore it from a copy"

# Type and name of an entry of a schema.
SchemaEntry = tuple[str, str]


def has_current_schema(conn: sqlite3.Connection) -> bool:
    """Whether exactly the steps that this program knows were applied."""
    return applied_steps(conn) == SCHEMA_STEPS


def check_schema(conn: sqlite3.Connection, path: Path, ignore_index: bool = False) -> None:
    """Raise `ArchiveDamaged` with the name of a table, view, trigger or index that this program did not
    create, or that is missing. Reads only the schema and the list of applied steps. The full-text index is
    there as a whole or not at all; with `ignore_index` also a part of it."""
    entries = _read_entries(conn, path)
    index = {entry: entries.pop(entry) for entry in list(entries) if entry[1] in INDEX_NAMES}
    _check_tables(conn, path, entries)
    if index and index != INDEX_ENTRIES and not ignore_index:
        wrong = {name for (_, name), _ in index.items() ^ INDEX_ENTRIES.items()}
        raise ArchiveDamaged(
            f"the full-text index of {path} is damaged",
            f"of its tables these are missing or changed: {', '.join(sorted(wrong))}",
            f"build it again: index --rebuild {path}",
        )


def _check_tables(conn: sqlite3.Connection, path: Path, entries: dict[SchemaEntry, str]) -> None:
    """Check everything but the full-text index."""
    if not entries:
        return
    known_steps = STEPS_BY_DIGEST.get(schema_digest(entries), 0)
    if known_steps == len(SCHEMA_STEPS):
        return
    steps_table = ("table", MIGRATIONS_TABLE)
    can_read_steps = bool(known_steps) or entries.get(steps_table) == _schema_of_version(0)[steps_table]
    applied = applied_steps(conn) if can_read_steps else ()
    if not set(applied) <= set(SCHEMA_STEPS):
        return  # `upgrade_schema` reports it before anything else is read
    in_order = can_read_steps and applied == SCHEMA_STEPS[: len(applied)]
    # A writer may have upgraded it after the schema was read here.
    if in_order and known_steps and known_steps <= len(applied):
        return
    expected = _schema_of_version(len(applied) if in_order else len(SCHEMA_STEPS))
    for entry, text in entries.items():
        if expected.get(entry) != text:
            raise (_changed if _is_in_any_version(entry) else _foreign)(path, *entry)
    for type_, name in (entry for entry in expected if entry not in entries):
        raise _damaged(path, f"its {_type_in_words(type_)} {name} is missing")


def schema_digest(entries: dict[SchemaEntry, str]) -> str:
    """SHA-256 of a whole schema, independent of the order in which it was created."""
    text = "\n".join(f"{type_} {name}: {sql}" for (type_, name), sql in sorted(entries.items()))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read_entries(conn: sqlite3.Connection, path: Path) -> dict[SchemaEntry, str]:
    rows = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchmany(
        MAX_SCHEMA_ENTRIES + 1
    )
    if len(rows) > MAX_SCHEMA_ENTRIES:
        raise ArchiveDamaged(
            f"{path} is not an archive of this program",
            f"it has more than {MAX_SCHEMA_ENTRIES} tables, views and indexes",
            RESTORE_HINT,
        )
    entries: dict[SchemaEntry, str] = {}
    for type_, name, table, sql in rows:
        entry = (str(type_), str(name))
        if type_ == "index" and sql is None and entry[1].startswith("sqlite_autoindex_"):
            continue  # belongs to a PRIMARY KEY or UNIQUE, which is in the text of its table
        if (type_, name, sql) in SQLITE_STATISTICS_TABLES:
            continue
        if entry in entries:
            raise _foreign(path, *entry)
        entries[entry] = f"{table}: {_normalize_sql(entry, str(sql))}"
    return entries


def _normalize_sql(entry: SchemaEntry, sql: str) -> str:
    if entry[1] in INDEX_NAMES:
        return normalized_index_sql(sql)
    text = " ".join(sql.split())
    if MIGRATIONS_TABLE in entry[1]:
        text = "".join(char for char in text.lower() if char not in ' "[]`')
    return text


@cache
def _schema_of_version(number: int) -> dict[SchemaEntry, str]:
    """The schema after so many steps."""
    # Only another schema than the current one needs sqlite-utils.
    from sqlite_utils import Database

    from migrate.archive.schema import migrations

    conn = sqlite3.connect(":memory:", isolation_level=None)
    try:
        register_sql_functions(conn)
        stop = SCHEMA_STEPS[number] if number < len(SCHEMA_STEPS) else None
        migrations.apply(Database(conn), stop_before=stop)
        return _read_entries(conn, Path(":memory:"))
    finally:
        conn.close()


def _is_in_any_version(entry: SchemaEntry) -> bool:
    """Whether this program creates something of that name: then the message does not advise to remove it."""
    versions = range(len(SCHEMA_STEPS) + 1)
    return any(entry[1] == name for number in versions for _, name in _schema_of_version(number))


def _foreign(path: Path, type_: str, name: str) -> ArchiveDamaged:
    sort, shown = _type_in_words(type_), name[:MAX_NAME_CHARS_SHOWN]
    return ArchiveDamaged(
        f"{path} has a {sort} that was not created by this program: {shown}",
        "only tables and views of this program are opened; another one may change or hide what is read",
        "if it is yours, remove it, and keep it in a database of its own: "
        f"sqlite3 FILE 'DROP {sort.upper()} \"{shown}\"'; if not, restore the archive from a copy",
    )


def _changed(path: Path, type_: str, name: str) -> ArchiveDamaged:
    shown = f"{_type_in_words(type_)} {name[:MAX_NAME_CHARS_SHOWN]}"
    return _damaged(path, f"its {shown} is not the one that this program creates")


def _damaged(path: Path, why: str) -> ArchiveDamaged:
    return ArchiveDamaged(f"{path} is damaged", why, RESTORE_HINT)


def _type_in_words(type_: str) -> str:
    return type_ if type_ in ("table", "view", "trigger", "index") else "entry"
