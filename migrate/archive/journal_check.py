"""The journal and what is known of plans, looked at row by row: is it what was written.

Everything but messages is looked at whenever it is asked for. There may be a million messages: those of one
plan are looked at before that plan is worked on, others when their thread is read, all of them by `check`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from migrate.archive.check.references import Damage
from migrate.archive.hashing import COUNTED, HASHED, BrokenRow, columns, is_whole
from migrate.archive.query import Asked

CHANGED = "it is not what was written"
AT_ONCE = 1_000
NO_MESSAGE = "id IN (SELECT id FROM journal WHERE kind != 'message')"
"""Found in an index: the rows of a million messages are not read for it."""
OF_PLAN = "plan_id IN (SELECT id FROM plans WHERE digest = ?)"


def damage(conn: Asked) -> Iterator[Damage]:
    """Everything that is not as it was written, in all tables that have hashes."""
    for which, why in (*_counts(conn), *_rows(conn)):
        yield Damage("journal", which, why)


def must_be_whole(conn: Asked, plan: str = "", messages: bool = False) -> None:
    """Raises `BrokenRow` where something was changed or is gone. Of messages, only those of the plan of this
    digest are looked at, or all of them."""
    looked = [_counts(conn), _rows(conn, "1" if messages else NO_MESSAGE)]
    for found in (*looked, *([_rows(conn, OF_PLAN, (plan,))] if plan else [])):
        for which, why in found:
            raise BrokenRow(f"{which}: {why}")


def must_be_as_written(table: str, values: tuple[object, ...], stored: object) -> None:
    """Raises `BrokenRow` for a row that has not its hash; `values` are those of `columns(table)`."""
    if not is_whole(table, values, stored):
        raise BrokenRow(f"{_named(table, values)}: {CHANGED}")


def _counts(conn: Asked) -> Iterator[tuple[str, str]]:
    known = dict(conn.execute("SELECT name, number FROM totals").fetchall())
    for table in COUNTED:
        there = conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        if known.get(table) != there:
            yield table, f"it has {there} rows and had {known.get(table, 'an unknown number of')}"
    lines = dict(conn.execute("SELECT plan_id, count(*) FROM journal GROUP BY plan_id").fetchall())
    for plan, expected in conn.execute("SELECT id, lines FROM plans").fetchall():
        there = lines.pop(plan, 0)
        if there != expected:
            yield f"lines of apply {plan}", f"there are {there} and there were {expected}"
    for plan, there in lines.items():
        yield f"lines of apply {plan}", f"there are {there}, and nothing is known of that apply"


def _rows(conn: Asked, of_journal: str = "1", values: tuple[object, ...] = ()) -> Iterator[tuple[str, str]]:
    for table in HASHED:
        where, given = (of_journal, values) if table == "journal" else ("1", ())
        rows = conn.execute(f"SELECT {columns(table)}, hash FROM {table} WHERE {where}", given)
        while some := _some(rows):
            for *row, stored in some:
                if not is_whole(table, row, stored):
                    yield _named(table, tuple(row)), CHANGED


def _some(rows: sqlite3.Cursor) -> list[tuple[object, ...]]:
    return rows.fetchmany(AT_ONCE)


def _named(table: str, values: tuple[object, ...]) -> str:
    """A row in words: by number and by what it says, as far as that can be believed."""
    row = dict(zip(HASHED[table], values, strict=True))
    if table == "journal":
        return f"line {row['id']} of the journal ({row['action']} {row['kind']} {row['source_id']})"
    if table == "totals":
        return f"the number of rows of {row['name']}"
    return f"row {row['id']} of {table}"
