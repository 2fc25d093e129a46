"""The SQL function that reads what is compressed in an archive, for any connection.

It is SQLite's own: its shell has it built in (https://sqlite.org/sqlar.html). Elsewhere it is one line.
"""

from __future__ import annotations

import sqlite3

from migrate.archive.packs import inflated

NAME = "sqlar_uncompress"


def register(conn: sqlite3.Connection) -> None:
    """Let this connection read bodies and the bytes of files in SQL."""
    conn.create_function(NAME, 2, inflated, deterministic=True)
