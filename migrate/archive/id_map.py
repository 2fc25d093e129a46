"""Read the id map, the pairs of old and new ids, from the journal.

There may be a million messages among its lines, and nothing names one: who needs none leaves them out, who
compares them asks for those of one thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import HASHED_COLUMNS
from migrate.archive.journal_check import check_journal, check_row
from migrate.model.results.archive import IdMapping

# Of the journal `j`: lines that say what is on the target, and were not taken back.
IN_EFFECT_SQL = """j.state = 'done' AND j.target_id IS NOT NULL AND j.action IN ('create', 'adopt', 'update')
             AND NOT EXISTS (SELECT 1 FROM journal u WHERE u.plan_id = j.plan_id AND u.action = 'undo'
               AND u.state = 'done' AND u.kind = j.kind AND u.source_parent = j.source_parent
               AND u.source_id = j.source_id)"""
# All that a line of the journal can say.
JOURNAL_ACTIONS_SQL = "'create', 'adopt', 'update', 'delete', 'undo'"
# Of the plans `p`: those from one side to another.
BETWEEN_SIDES_SQL = "p.source_type = ? AND p.source_url = ? AND p.target_type = ? AND p.target_url = ?"


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
) -> Iterator[IdMapping]:
    """The id map, narrowed to a source, a target, one old id, or to all but messages. Of several moves of one
    object to one target, the last counts. Raises `RowDamaged` where the journal is not what was written."""
    check_journal(conn, messages=messages and not source_id)
    where, values = [] if messages else ["j.kind != 'message'"], []
    for column, side in (("source", source), ("target", target)):
        if side:
            where.append(f"p.{column}_type = ? AND p.{column}_url = ?")
            values += [side.type, side.url]
    if source_id:
        where.append("j.source_id = ?")
        values.append(source_id)
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


@dataclass(frozen=True)
class Derivation:
    """One object that a plan made from another, or found to be its counterpart."""

    kind: str
    source: Side
    source_id: str
    target: Side
    target_id: str


def derivations(conn: SqlConnection) -> Iterator[Derivation]:
    """What stands of every plan between any two sides, but for messages and the files of stores."""
    rows = conn.execute(
        "SELECT j.kind, p.source_type, p.source_url, j.source_id, p.target_type, p.target_url, j.target_id "
        "FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE j.kind NOT IN ('message', 'vector_store_file') AND {IN_EFFECT_SQL} ORDER BY j.id"
    )
    for kind, type_, url, old, type_there, url_there, new in rows:
        yield Derivation(kind, Side(type_, url), old, Side(type_there, url_there), new)


def message_id_pairs(
    conn: SqlConnection, source: Side, target: Side, thread: str
) -> Iterator[tuple[str, str]]:
    """Old id and new id of the messages of one thread of the source: see `arrived_messages`."""
    return ((old, new) for old, new, _ in arrived_messages(conn, source, target, thread))


def arrived_messages(
    conn: SqlConnection, source: Side, target: Side, thread: str
) -> Iterator[tuple[str, str, str]]:
    """Old id, new id and fingerprint ('' where it was not noted) of the messages of one thread of the source,
    the last of each counts; what else was moved costs nothing. Raises `RowDamaged` where one of these lines
    is not what was written."""
    lines = ", ".join(f"j.{column}" for column in HASHED_COLUMNS["journal"])
    rows = conn.execute(
        f"SELECT j.source_id, j.target_id, coalesce(j.written, ''), {IN_EFFECT_SQL}, j.hash, {lines} "
        "FROM plans p CROSS JOIN journal j ON j.plan_id = p.id WHERE j.kind = 'message' "
        f"AND j.action IN ({JOURNAL_ACTIONS_SQL}) AND j.source_parent = ? "
        f"AND {BETWEEN_SIDES_SQL} ORDER BY j.id",
        (thread, *_side_values(source, target)),
    )
    for old, new, mark, standing, stored, *line in rows:
        check_row("journal", tuple(line), stored)
        if standing:
            yield old, new, mark


def reverse_message_ids(
    conn: SqlConnection, source: Side, target: Side, thread: str, there: str
) -> dict[str, str]:
    """Messages of a thread of the source that were made from messages of its counterpart on the target: id
    here -> id there."""
    rows = conn.execute(
        "SELECT j.target_id, j.source_id FROM plans p CROSS JOIN journal j ON j.plan_id = p.id "
        "WHERE j.kind = 'message' AND j.source_parent = ? AND j.target_parent = ? AND j.action = 'create' "
        f"AND {BETWEEN_SIDES_SQL} AND {IN_EFFECT_SQL} ORDER BY j.id",
        (there, thread, *_side_values(target, source)),
    )
    return dict(rows)


def created_source_ids(conn: SqlConnection, source: Side, target: Side) -> dict[tuple[str, str], str]:
    """(kind, target id) -> source id of everything but messages that was made between two sides and stands;
    what was only found there is somebody else's."""
    rows = conn.execute(
        "SELECT j.kind, j.target_id, j.source_id FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE j.kind != 'message' AND j.action = 'create' AND {BETWEEN_SIDES_SQL} AND {IN_EFFECT_SQL}",
        _side_values(source, target),
    )
    return {(kind, target_id): source_id for kind, target_id, source_id in rows}


def created_store_file_ids(conn: SqlConnection, source: Side, target: Side) -> dict[tuple[str, str], str]:
    """(store, file) on the target -> id on the source, of every row of a store that was made between two
    sides and stands."""
    rows = conn.execute(
        "SELECT j.target_parent, j.target_id, j.source_id FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE j.kind = 'vector_store_file' AND j.action = 'create' "
        f"AND {BETWEEN_SIDES_SQL} AND {IN_EFFECT_SQL}",
        _side_values(source, target),
    )
    return {(store, file): old for store, file, old in rows}


def uploaded_hashes(conn: SqlConnection, source: Side, target: Side) -> dict[tuple[str, str], str]:
    """(source id, target id) -> hash of the bytes that were sent, of every file that was made between two
    sides and stands."""
    rows = conn.execute(
        "SELECT j.source_id, j.target_id, j.before FROM journal j JOIN plans p ON p.id = j.plan_id "
        "WHERE j.kind = 'file' AND j.action = 'create' AND j.before IS NOT NULL "
        f"AND {BETWEEN_SIDES_SQL} AND {IN_EFFECT_SQL}",
        _side_values(source, target),
    )
    return {(old, new): str((json.loads(sent) or {}).get("sha256", "")) for old, new, sent in rows}


def _side_values(source: Side, target: Side) -> tuple[str, str, str, str]:
    return source.type, source.url, target.type, target.url
