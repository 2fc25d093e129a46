"""Lets Datasette read the bodies in an archive: it loads this by itself where both are installed."""

from __future__ import annotations

import sqlite3

from datasette import hookimpl

from migrate.archive.packs.reader import register_sql_functions


@hookimpl  # type: ignore[untyped-decorator]
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Called for every connection that is opened."""
    register_sql_functions(conn)
