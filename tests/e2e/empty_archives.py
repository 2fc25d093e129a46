"""An empty archive is copied, not created again: the end-to-end tests need thousands of them, and most of the
time to create one is spent on its sixty tables and views. What is copied was created by the program itself;
tests/archive creates each of its archives."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

from migrate.archive import schema

Upgrade = Callable[[sqlite3.Connection, Path, bool], None]


def copying(upgrade: Upgrade, empty: sqlite3.Connection) -> Upgrade:
    """An upgrade of the schema that copies the empty archive into a database without tables."""

    def copy_or_upgrade(conn: sqlite3.Connection, path: Path, write: bool) -> None:
        if write and conn.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            empty.backup(conn)
        else:
            upgrade(conn, path, write)

    return copy_or_upgrade


@contextmanager
def created_in_memory() -> Iterator[sqlite3.Connection]:
    """An archive as the program creates it, in memory."""
    with closing(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)) as empty:
        schema.upgrade_schema(empty, Path("in memory"), True)
        yield empty


@contextmanager
def copied_archives(empty: sqlite3.Connection) -> Iterator[None]:
    """New archives of this process are copies of an empty one."""
    with patch.object(schema, "upgrade_schema", copying(schema.upgrade_schema, empty)):
        yield
