"""The journal and what is known of plans, looked at row by row: is it what was written.

Everything but messages is looked at whenever it is asked for. There may be a million messages: those of one
plan are looked at before that plan is worked on, others when their thread is read, all of them by `check`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import (
    COUNTED_TABLES,
    HASHED_COLUMNS,
    RowDamaged,
    hashed_columns,
    matches_row_hash,
)
from migrate.model.results.archive import Damage

ROW_CHANGED_REASON = "it is not what was written"
CHECK_BATCH_ROWS = 1_000
# Answered from an index: the rows of a million messages are not read for it.
NOT_MESSAGES_SQL = "id IN (SELECT id FROM journal WHERE kind != 'message')"
LINES_OF_PLAN_SQL = "plan_id IN (SELECT id FROM plans WHERE digest = ?)"


def find_journal_damage(conn: SqlConnection) -> Iterator[Damage]:
    """Everything that is not as it was written, in all tables that have hashes."""
    for which, why in (*_counts(conn), *_rows(conn)):
        yield Damage("journal", which, why)


def check_journal(conn: SqlConnection, plan: str = "", messages: bool = False) -> None:
    """Raises `RowDamaged` where something was changed or is gone. Of messages, only those of the plan of this
    digest are looked at, or all of them."""
    looked = [_counts(conn), _rows(conn, "1" if messages else NOT_MESSAGES_SQL)]
    for found in (*looked, *([_rows(conn, LINES_OF_PLAN_SQL, (plan,))] if plan else [])):
        for which, why in found:
            raise RowDamaged(f"{which}: {why}")


def check_row(table: str, values: tuple[object, ...], stored: object) -> None:
    """Raises `RowDamaged` for a row that has not its hash; `values` are those of `hashed_columns(table)`."""
    if not matches_row_hash(table, values, stored):
        raise RowDamaged(f"{_describe_row(table, values)}: {ROW_CHANGED_REASON}")


def _counts(conn: SqlConnection) -> Iterator[tuple[str, str]]:
    known = dict(conn.execute("SELECT name, number FROM totals").fetchall())
    for table in COUNTED_TABLES:
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


def _rows(
    conn: SqlConnection, of_journal: str = "1", values: tuple[object, ...] = ()
) -> Iterator[tuple[str, str]]:
    for table in HASHED_COLUMNS:
        where, given = (of_journal, values) if table == "journal" else ("1", ())
        rows = conn.execute(f"SELECT {hashed_columns(table)}, hash FROM {table} WHERE {where}", given)
        while some := _next_batch(rows):
            for *row, stored in some:
                if not matches_row_hash(table, row, stored):
                    yield _describe_row(table, tuple(row)), ROW_CHANGED_REASON


def _next_batch(rows: sqlite3.Cursor) -> list[tuple[object, ...]]:
    return rows.fetchmany(CHECK_BATCH_ROWS)


def _describe_row(table: str, values: tuple[object, ...]) -> str:
    """A row in words: by number and by what it says, as far as that can be believed."""
    row = dict(zip(HASHED_COLUMNS[table], values, strict=True))
    if table == "journal":
        return f"line {row['id']} of the journal ({row['action']} {row['kind']} {row['source_id']})"
    if table == "totals":
        return f"the number of rows of {row['name']}"
    return f"row {row['id']} of {table}"
