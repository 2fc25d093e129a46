"""Read the id map, the pairs of old and new ids, from the journal.

There may be a million messages in it. So callers that need no messages leave them out, and callers that
compare messages ask for those of one thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import HASHED_COLUMNS, storable_text
from migrate.archive.journal_check import check_journal, check_row
from migrate.model.results.archive import IdMapping

# Of the journal `j`: lines that were rolled back, and those that were not.
UNDONE_SQL = (
    "EXISTS (SELECT 1 FROM journal u WHERE u.plan_id = j.plan_id AND u.action = 'undo' AND u.state = 'done' "
    "AND u.kind = j.kind AND u.source_parent = j.source_parent AND u.source_id = j.source_id)"
)
NOT_UNDONE_SQL = f"NOT {UNDONE_SQL}"
# Of the journal `j`: lines of objects on the target that were not rolled back.
IN_EFFECT_SQL = (
    "j.state = 'done' AND j.target_id IS NOT NULL AND j.action IN ('create', 'adopt', 'update') "
    f"AND {NOT_UNDONE_SQL}"
)
# All actions of lines in the journal.
JOURNAL_ACTIONS_SQL = "'create', 'adopt', 'update', 'delete', 'undo'"
# Of the plans `p`: plans from one side to another.
BETWEEN_SIDES_SQL = "p.source_type = ? AND p.source_url = ? AND p.target_type = ? AND p.target_url = ?"
# Of the journal `j`: what `_checked_lines` compares.
_LINE_COLUMNS = ("hash", *HASHED_COLUMNS["journal"])
_LINE_SQL = ", ".join(f"j.{column}" for column in _LINE_COLUMNS)

# Ids of objects that one query asks for.
MAX_IDS_PER_QUERY = 200


@dataclass(frozen=True)
class Side:
    """One side of a plan: type of service and address."""

    type: str
    url: str


def id_map(
    conn: SqlConnection,
    source: Side | None = None,
    target: Side | None = None,
    source_id: str = "",
    messages: bool = True,
    target_id: str = "",
) -> Iterator[IdMapping]:
    """The id map, limited to a source, a target, one old id, one new id, or to everything but messages. Where
    an object was moved to one target several times, the last time counts. Raises `RowDamaged` where the
    journal was changed."""
    check_journal(conn, messages=messages and not source_id and not target_id)
    where, values = [] if messages else ["j.kind != 'message'"], []
    for column, side in (("source", source), ("target", target)):
        if side:
            where.append(f"p.{column}_type = ? AND p.{column}_url = ?")
            values += [side.type, side.url]
    if source_id:
        where.append("j.source_id = ?")
        values.append(source_id)
    if target_id:
        where.append("j.target_id = ?")
        values.append(target_id)
    rows = conn.execute(
        "SELECT j.kind, j.source_id, j.target_id, coalesce(j.name, ''), j.source_parent, "
        "coalesce(j.target_parent, ''), coalesce(j.written, ''), j.action, "
        "p.source_type, p.source_url, p.target_type, p.target_url, max(j.id) "
        "FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE {' AND '.join([*where, IN_EFFECT_SQL])} GROUP BY j.kind, j.source_parent, j.source_id, "
        "p.source_type, p.source_url, p.target_type, p.target_url ORDER BY max(j.id)",
        values,
    )
    return (IdMapping(*row[:12]) for row in rows)


def journal_names(conn: SqlConnection) -> Iterator[tuple[str, str, str]]:
    """Kind, id and name of every object of the id map on both sides, without messages, which have no names,
    and files in vector stores. The name is that of the source, so an id of a target has none."""
    rows = conn.execute(
        "SELECT DISTINCT j.kind, j.source_id, coalesce(j.name, ''), j.target_id FROM journal j "
        f"WHERE j.kind NOT IN ('message', 'vector_store_file') AND {IN_EFFECT_SQL}"
    )
    for kind, source_id, name, target_id in rows:
        yield kind, source_id, name
        yield kind, target_id, ""


@dataclass(frozen=True)
class Derivation:
    """One object that a plan created from another one, or adopted as its counterpart."""

    kind: str
    source: Side
    source_id: str
    target: Side
    target_id: str
    # The fingerprint of the object as it was left on the target, or ''.
    written: str = ""


def derivations(conn: SqlConnection) -> Iterator[Derivation]:
    """The objects of all plans between any two sides that were not rolled back, without messages and files in
    vector stores."""
    rows = conn.execute(
        "SELECT j.kind, p.source_type, p.source_url, j.source_id, p.target_type, p.target_url, j.target_id, "
        "coalesce(j.written, '') "
        "FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE j.kind NOT IN ('message', 'vector_store_file') AND {IN_EFFECT_SQL} ORDER BY j.id"
    )
    for kind, source_type, source_url, source_id, target_type, target_url, target_id, written in rows:
        sides = Side(source_type, source_url), Side(target_type, target_url)
        yield Derivation(kind, sides[0], source_id, sides[1], target_id, written)


def message_id_pairs(
    conn: SqlConnection, source: Side, target: Side, thread: str, target_thread: str = ""
) -> Iterator[tuple[str, str]]:
    """Source id and target id of the messages of one thread of the source, see `arrived_messages`."""
    rows = arrived_messages(conn, source, target, thread, target_thread)
    return ((source_id, target_id) for source_id, target_id, _ in rows)


def arrived_messages(
    conn: SqlConnection, source: Side, target: Side, thread: str, target_thread: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Source id, target id and fingerprint ('' where it was not stored) of the messages of one thread of the
    source that were written to, or found in, one thread of the target, or ('') any. A thread that was lost on
    the target and restored has an earlier counterpart with its own messages. Where a message was moved
    several times, the last one counts. Other messages are not read. Raises `RowDamaged` where one of these
    lines was changed."""
    rows = conn.execute(
        f"SELECT {_LINE_SQL}, j.source_id, j.target_id, coalesce(j.written, ''), {IN_EFFECT_SQL} "
        "FROM plans p CROSS JOIN journal j ON j.plan_id = p.id WHERE j.kind = 'message' "
        f"AND j.action IN ({JOURNAL_ACTIONS_SQL}) AND j.source_parent = ? "
        "AND ? IN ('', coalesce(nullif(j.target_parent, ''), ?)) "
        f"AND {BETWEEN_SIDES_SQL} ORDER BY j.id",
        (thread, target_thread, target_thread, *_side_values(source, target)),
    )
    for source_id, target_id, fingerprint, in_effect in _checked_lines(rows):
        if in_effect:
            yield source_id, target_id, fingerprint


def new_ids_of(
    conn: SqlConnection, source: Side, kind: str, parent: str, ids: Sequence[str]
) -> dict[str, dict[Side, str]]:
    """Id on the source -> target -> id there, of some objects of one kind below one parent. Where an object
    was moved several times, the last one counts. Raises `RowDamaged` where one of these lines was changed."""
    found: dict[str, dict[Side, str]] = {}
    for start in range(0, len(ids), MAX_IDS_PER_QUERY):
        some = [storable_text(id_) for id_ in ids[start : start + MAX_IDS_PER_QUERY]]
        rows = conn.execute(
            f"SELECT {_LINE_SQL}, p.target_type, p.target_url, j.source_id, j.target_id, {IN_EFFECT_SQL} "
            "FROM plans p CROSS JOIN journal j ON j.plan_id = p.id WHERE p.source_type = ? "
            f"AND p.source_url = ? AND j.action IN ({JOURNAL_ACTIONS_SQL}) AND j.kind = ? "
            f"AND j.source_parent = ? AND j.source_id IN ({', '.join('?' * len(some))}) ORDER BY j.id",
            (source.type, source.url, kind, storable_text(parent), *some),
        )
        for type_, url, source_id, target_id, in_effect in _checked_lines(rows):
            if in_effect:
                found.setdefault(source_id, {})[Side(type_, url)] = target_id
    return found


def reverse_message_ids(
    conn: SqlConnection, source: Side, target: Side, source_thread: str, target_thread: str
) -> dict[str, str]:
    """Messages of a thread of the source that an earlier plan created from messages of its counterpart on the
    target: source id -> target id."""
    rows = conn.execute(
        "SELECT j.target_id, j.source_id FROM plans p CROSS JOIN journal j ON j.plan_id = p.id "
        "WHERE j.kind = 'message' AND j.source_parent = ? AND j.target_parent = ? AND j.action = 'create' "
        f"AND {BETWEEN_SIDES_SQL} AND {IN_EFFECT_SQL} ORDER BY j.id",
        (target_thread, source_thread, *_side_values(target, source)),
    )
    return dict(rows)


def counterpart_ids(conn: SqlConnection, kind: str, object_id: str, parent: str = "") -> Iterator[str]:
    """The ids that one object has in other places, by the moves that were not rolled back: its origin and its
    copies, one move away. `parent`: the id of its thread or store before the move. Raises `RowDamaged` where
    one of these lines was changed."""
    before = (
        f"SELECT {_LINE_SQL}, j.source_id FROM plans p CROSS JOIN journal j ON j.plan_id = p.id "
        "WHERE j.kind = ? AND j.source_parent = ? AND j.target_id = ? "
    )
    after = f"SELECT {_LINE_SQL}, j.target_id FROM journal j WHERE j.kind = ? AND j.source_id = ? "
    for sql, values in ((before, (kind, parent, object_id)), (after, (kind, object_id))):
        for (found,) in _checked_lines(conn.execute(f"{sql} AND {IN_EFFECT_SQL}", values).fetchall()):
            yield found


def created_source_ids(conn: SqlConnection, source: Side, target: Side) -> dict[tuple[str, str], str]:
    """(kind, target id) -> source id of every object that a plan created between two sides and that was not
    rolled back. Messages and adopted objects are not in it."""
    rows = _created(conn, source, target, "j.kind, j.target_id, j.source_id", "j.kind != 'message'")
    return {(kind, target_id): source_id for kind, target_id, source_id in rows}


def created_store_file_ids(conn: SqlConnection, source: Side, target: Side) -> dict[tuple[str, str], str]:
    """(store, file) on the target -> id on the source, of every file that a plan put into a vector store and
    that was not rolled back."""
    columns = "j.target_parent, j.target_id, j.source_id"
    rows = _created(conn, source, target, columns, "j.kind = 'vector_store_file'")
    return {(store, file): source_id for store, file, source_id in rows}


def uploaded_hashes(conn: SqlConnection, source: Side, target: Side) -> dict[tuple[str, str], str]:
    """(source id, target id) -> SHA-256 of the uploaded bytes, of every file that a plan created between two
    sides and that was not rolled back."""
    where = "j.kind = 'file' AND j.before IS NOT NULL"
    rows = _created(conn, source, target, "j.source_id, j.target_id, j.before", where)
    return {
        (source_id, target_id): str((json.loads(sent) or {}).get("sha256", ""))
        for source_id, target_id, sent in rows
    }


def _created(
    conn: SqlConnection, source: Side, target: Side, columns: str, where: str
) -> Iterator[tuple[str, str, str]]:
    """Three columns of the lines of objects that plans between two sides created and that were not rolled
    back."""
    return conn.execute(
        f"SELECT {columns} FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE {where} AND j.action = 'create' AND {BETWEEN_SIDES_SQL} AND {IN_EFFECT_SQL}",
        _side_values(source, target),
    )


def _checked_lines(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """What follows the columns of `_LINE_SQL` in each row. Raises `RowDamaged` where a line was changed."""
    end = len(_LINE_COLUMNS)
    for row in rows:
        check_row("journal", tuple(row[1:end]), row[0])
        yield row[end:]


def _side_values(source: Side, target: Side) -> tuple[str, str, str, str]:
    return source.type, source.url, target.type, target.url
