"""Lets Datasette read the bodies in an archive: it loads this by itself where both are installed."""

from __future__ import annotations

import sqlite3

from pluggy import HookimplMarker

from migrate.archive.packs import register_sql_functions

# The same marker as `datasette.hookimpl`. Datasette itself is not installed with this program. It brings
# pluggy, so this module can be imported and checked where only pluggy is installed.
hookimpl = HookimplMarker("datasette")


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Called for every connection that is opened."""
    register_sql_functions(conn)
