"""The SQL functions of an archive, for any connection: one reads what is compressed, one gives the hash of a
row (row_hash.py).

The first is SQLite's own: its shell has it built in (https://sqlite.org/sqlar.html). Elsewhere it is one
line.
"""

from __future__ import annotations

import sqlite3

from migrate.archive.packs.reader import inflated
from migrate.archive.row_hash import register as register_row_hash

NAME = "sqlar_uncompress"


def register(conn: sqlite3.Connection) -> None:
    """Let this connection read bodies, the bytes of files, and hashes of rows in SQL."""
    conn.create_function(NAME, 2, inflated, deterministic=True)
    register_row_hash(conn)
