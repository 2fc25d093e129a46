"""Lets `sqlite-utils` read the bodies in an archive: it loads this by itself where both are installed."""

from __future__ import annotations

import sqlite3

from sqlite_utils import hookimpl

from migrate.archive.packs import register_sql_functions


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Called for every database that is opened."""
    register_sql_functions(conn)
