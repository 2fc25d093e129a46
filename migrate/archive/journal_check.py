"""Check the rows of the journal and of plans against their hashes.

Rows of messages are not always checked, since there may be a million: those of one plan are checked before
the plan is carried out, those of a thread when the thread is read, and all of them by `check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import (
    COUNTED_TABLES,
    HASHED_COLUMNS,
    RowDamaged,
    hashed_columns,
    matches_row_hash,
)
from migrate.model.results.archive import Damage

ROW_CHANGED_REASON = "it was changed after it was written"
# Answered from an index, without reading the rows of a million messages.
NOT_MESSAGES_SQL = "id IN (SELECT id FROM journal WHERE kind != 'message')"
LINES_OF_PLAN_SQL = "plan_id IN (SELECT id FROM plans WHERE digest = ?)"


def find_journal_damage(conn: SqlConnection) -> Iterator[Damage]:
    """Every changed or missing row, in all tables that have hashes."""
    for which, why in (*_wrong_counts(conn), *_changed_rows(conn)):
        yield Damage("journal", which, why)


def check_journal(conn: SqlConnection, plan: str = "", messages: bool = False) -> None:
    """Raise `RowDamaged` where a row was changed or is missing. `messages`: check rows of messages too.
    `plan`: check all rows of the plan of this digest, messages included."""
    checks = [_wrong_counts(conn), _changed_rows(conn, "1" if messages else NOT_MESSAGES_SQL)]
    if plan:
        checks.append(_changed_rows(conn, LINES_OF_PLAN_SQL, (plan,)))
    for which, why in chain.from_iterable(checks):
        raise RowDamaged(f"{which}: {why}")


def check_row(table: str, values: tuple[object, ...], stored: object) -> None:
    """Raise `RowDamaged` for a row that does not match its hash. `values` are those of
    `hashed_columns(table)`."""
    if not matches_row_hash(table, values, stored):
        raise RowDamaged(f"{_describe_row(table, values)}: {ROW_CHANGED_REASON}")


def _wrong_counts(conn: SqlConnection) -> Iterator[tuple[str, str]]:
    expected_counts = dict(conn.execute("SELECT name, number FROM totals").fetchall())
    for table in COUNTED_TABLES:
        count = conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        if expected_counts.get(table) != count:
            expected = expected_counts.get(table, "an unknown number of")
            yield table, f"it has {count} rows and had {expected}"
    lines = dict(conn.execute("SELECT plan_id, count(*) FROM journal GROUP BY plan_id").fetchall())
    for plan, expected in conn.execute("SELECT id, lines FROM plans").fetchall():
        count = lines.pop(plan, 0)
        if count != expected:
            yield f"lines of apply {plan}", f"there are {count} and there were {expected}"
    for plan, count in lines.items():
        yield f"lines of apply {plan}", f"there are {count}, and the archive has no apply of that number"


def _changed_rows(
    conn: SqlConnection, journal_where: str = "1", journal_values: tuple[object, ...] = ()
) -> Iterator[tuple[str, str]]:
    for table in HASHED_COLUMNS:
        where, values = (journal_where, journal_values) if table == "journal" else ("1", ())
        rows = conn.execute(f"SELECT {hashed_columns(table)}, hash FROM {table} WHERE {where}", values)
        for *row, stored in rows:
            if not matches_row_hash(table, row, stored):
                yield _describe_row(table, tuple(row)), ROW_CHANGED_REASON


def _describe_row(table: str, values: tuple[object, ...]) -> str:
    """A description of a row, with its number and its values, which may be damaged too."""
    row = dict(zip(HASHED_COLUMNS[table], values, strict=True))
    if table == "journal":
        return f"line {row['id']} of the journal ({row['action']} {row['kind']} {row['source_id']})"
    if table == "totals":
        return f"the number of rows of {row['name']}"
    return f"row {row['id']} of {table}"
