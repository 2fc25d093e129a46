"""Create and remove the full-text index of an archive, and check whether it can be used."""

from __future__ import annotations

import contextlib
import sqlite3

from migrate.archive.connections import SqlConnection, first_value
from migrate.archive.text_index.digest import INDEX_STATE_SQL, unseal_index
from migrate.archive.text_index.tables import INDEX_NAMES, INDEX_SQL, VIRTUAL_TABLES
from migrate.errors import BadUsage
from migrate.model.index_words import INDEX_FORMAT

# How FTS5 writes. `hashsize`: bytes of words that it collects in memory before it writes them as a part of
# the index; with its 1 MiB it takes twice the processor time. No parts are merged while others are added
# (`automerge`, `crisismerge`, the highest number that it accepts): `index` does that at its end, once.
WRITE_OPTIONS = {"hashsize": 12 << 20, "automerge": 0, "crisismerge": 1_999}
FORMAT_STATE = "format"
FTS5_SQL = "SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"


def has_text_index(conn: SqlConnection) -> bool:
    """Whether an archive has a full-text index."""
    return conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'text_words'").fetchone() is not None


def check_fts5(conn: SqlConnection) -> None:
    """Raise `BadUsage` where the SQLite of this Python was built without FTS5."""
    if conn.execute(FTS5_SQL).fetchone() is None:
        raise BadUsage(
            "a full-text index is not possible with this Python",
            f"its SQLite ({sqlite3.sqlite_version}) was built without FTS5",
            "use a Python whose SQLite has it; `search ARCHIVE TEXT` works without an index",
        )


def index_format(conn: SqlConnection) -> str:
    """The form in which the index of an archive was written."""
    return first_value(conn, INDEX_STATE_SQL, (FORMAT_STATE,), "")


def is_current_format(conn: SqlConnection) -> bool:
    """Whether this program, with this Python, writes and reads the words of an index in the same form."""
    return index_format(conn) == INDEX_FORMAT


def create_text_index(conn: sqlite3.Connection) -> None:
    """Create an empty index. Called inside a transaction."""
    check_fts5(conn)
    for sql in INDEX_SQL:
        conn.execute(sql)
    set_write_options(conn)
    conn.execute("INSERT INTO text_index_state VALUES (?, ?)", (FORMAT_STATE, INDEX_FORMAT))


def set_write_options(conn: sqlite3.Connection) -> None:
    """Set how FTS5 writes, where it is not set so. Called inside a transaction."""
    stored = dict(conn.execute("SELECT k, v FROM text_words_config").fetchall())
    for name, value in WRITE_OPTIONS.items():
        if stored.get(name) != value:
            unseal_index(conn)  # FTS5 notes in its rows that an option changed
            conn.execute("INSERT INTO text_words (text_words, rank) VALUES (?, ?)", (name, value))


def drop_text_index(conn: sqlite3.Connection) -> bool:
    """Remove the index, also one of which only a part is there. Returns whether there was any. Called inside
    a transaction."""
    found = _index_objects(conn)
    for name in VIRTUAL_TABLES:
        if (name, "table") in found:
            with contextlib.suppress(sqlite3.DatabaseError):  # without its own tables it cannot be opened
                conn.execute(f"DROP TABLE {name}")
    for name, type_ in _index_objects(conn):
        if name not in VIRTUAL_TABLES and type_ in ("table", "view", "trigger"):
            conn.execute(f"DROP {type_.upper()} {name}")
    if rest := _index_objects(conn):
        _drop_from_schema(conn, rest)
    return bool(found)


def _index_objects(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    marks = ",".join("?" * len(INDEX_NAMES))
    rows = conn.execute(f"SELECT name, type FROM sqlite_master WHERE name IN ({marks})", sorted(INDEX_NAMES))
    return rows.fetchall()


def _drop_from_schema(conn: sqlite3.Connection, objects: list[tuple[str, str]]) -> None:
    """Remove the names of virtual tables whose own tables are gone: they have no pages of their own."""
    conn.execute("PRAGMA writable_schema = ON")
    try:
        conn.executemany("DELETE FROM sqlite_master WHERE name = ? AND type = ?", objects)
    finally:
        conn.execute("PRAGMA writable_schema = RESET")
