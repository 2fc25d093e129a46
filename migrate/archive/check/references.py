"""Check every reference inside an archive: the row that another one refers to must exist and match.

A foreign key only shows that a row exists. Here each broken reference is reported with its object and the
snapshots that it affects, and rules that no foreign key can express are checked too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from migrate.model.results.archive import Damage


@dataclass(frozen=True)
class ReferenceRule:
    """Rows that must not exist. The SQL returns the name of each, and a snapshot that it affects or NULL."""

    between: str
    why: str
    sql: str


# Names of a row of `scopes` and of `journal` with the alias `t`.
LISTING_NAME_SQL = "t.kind || ' ' || t.parent_id"
LINE_NAME_SQL = "t.action || ' ' || t.kind || ' ' || t.source_id"


def _missing_row(
    table: str, column: str, referred: str, name: str, why: str, snapshot: str = "NULL"
) -> ReferenceRule:
    """The rule that each value of a column is the id of a row of another table. `name` and `snapshot` are SQL
    on the alias `t` of the table."""
    return ReferenceRule(
        f"{table} -> {referred}",
        why,
        f"SELECT {name}, {snapshot} FROM {table} t LEFT JOIN {referred} r ON r.id = t.{column} "
        "WHERE r.id IS NULL",
    )


# None of these statements may return a row.
REFERENCE_RULES = (
    ReferenceRule(
        "spans -> packs",
        "its bodies are missing",
        "SELECT 'rows from ' || r.ordinal || ' of listing ' || s.kind || ' ' || s.parent_id, s.snapshot_id "
        "FROM spans r LEFT JOIN packs p ON p.id = r.pack_id "
        "LEFT JOIN scopes s ON s.manifest_id = r.manifest_id "
        "WHERE p.id IS NULL OR r.place < 0 OR r.count < 1 OR r.place + r.count > p.count",
    ),
    ReferenceRule(
        "spans -> packs",
        "its bodies are of another kind",
        "SELECT 'listing ' || s.kind || ' ' || s.parent_id || ' has a ' || p.kind, s.snapshot_id "
        "FROM scopes s JOIN spans r ON r.manifest_id = s.manifest_id JOIN packs p ON p.id = r.pack_id "
        "WHERE p.kind != s.kind",
    ),
    _missing_row(
        "spans", "manifest_id", "manifests",
        "'rows from ' || t.ordinal || ' of listing number ' || t.manifest_id", "its listing is missing",
    ),
    ReferenceRule(
        "known -> packs",
        "its body is missing",
        "SELECT 'body number ' || n.body, NULL FROM known n LEFT JOIN packs p ON p.id = n.body >> 10 "
        "WHERE p.id IS NULL OR n.body & 1023 >= p.count",
    ),
    ReferenceRule(
        "packs -> known",
        "fewer or more of its bodies are in the index of ids than it has",
        "SELECT 'pack ' || pack, NULL FROM (SELECT body >> 10 AS pack, count(*) AS more FROM known "
        "GROUP BY 1 UNION ALL SELECT id, -held FROM packs) WHERE pack IN (SELECT id FROM packs) "
        "GROUP BY pack HAVING sum(more) != 0",
    ),
    _missing_row(
        "listed", "kind_id", "kinds",
        "'number ' || t.manifest_id", "the kind of its listing is missing", "t.snapshot_id",
    ),
    _missing_row(
        "listed", "parent_id", "parents",
        "'number ' || t.manifest_id", "the parent of its listing is missing", "t.snapshot_id",
    ),
    _missing_row(
        "scopes", "manifest_id", "manifests",
        LISTING_NAME_SQL, "its content is missing", "t.snapshot_id",
    ),
    ReferenceRule(
        "scopes -> manifests",
        "it was read to its end and has no hash",
        "SELECT s.kind || ' ' || s.parent_id, s.snapshot_id FROM scopes s "
        "JOIN manifests m ON m.id = s.manifest_id WHERE m.sha IS NULL AND s.state != 'reading'",
    ),
    _missing_row(
        "scopes", "snapshot_id", "snapshots",
        LISTING_NAME_SQL, "its snapshot is missing", "t.snapshot_id",
    ),
    _missing_row(
        "snapshots", "endpoint_id", "endpoints",
        "'number ' || t.id", "its estate is missing", "t.id",
    ),
    ReferenceRule(
        "snapshots -> digest",
        "it is finished and has no fingerprint",
        "SELECT 'number ' || id, id FROM snapshots WHERE digest IS NULL AND state != 'reading'",
    ),
    _missing_row(
        "missing", "snapshot_id", "snapshots",
        "t.kind || ' ' || t.object_id", "its snapshot is missing", "t.snapshot_id",
    ),
    ReferenceRule(
        "contents -> blobs",
        "its bytes are missing, or were never complete",
        "SELECT 'bytes of ' || c.file_id, NULL FROM contents c LEFT JOIN blobs b ON b.id = c.blob_id "
        "WHERE b.sha IS NULL",
    ),
    _missing_row(
        "contents", "endpoint_id", "endpoints",
        "'bytes of ' || t.file_id", "the estate of its file is missing",
    ),
    _missing_row(
        "chunks", "blob_id", "blobs",
        "'part ' || t.ordinal || ' of bytes number ' || t.blob_id", "the bytes of this part are missing",
    ),
    _missing_row("journal", "plan_id", "plans", LINE_NAME_SQL, "its plan is missing"),
    ReferenceRule(
        "journal -> plans",
        "its state is none of those that a line can have",
        f"SELECT {LINE_NAME_SQL}, NULL FROM journal t WHERE t.state NOT IN ('intended', 'done', 'failed')",
    ),
)  # fmt: skip

# The references that are checked, as `check` reports them.
CHECKED_REFERENCES = tuple(dict.fromkeys(rule.between for rule in REFERENCE_RULES))


def find_broken_references(conn: sqlite3.Connection) -> Iterator[Damage]:
    """Every reference to a row that is missing or does not match, once, with all snapshots that it
    affects."""
    for rule in REFERENCE_RULES:
        rows: dict[str, list[int]] = {}
        for which, snapshot in conn.execute(rule.sql):
            rows.setdefault(str(which).strip(), []).extend([] if snapshot is None else [snapshot])
        for which, affected in rows.items():
            yield Damage("reference", f"{rule.between}: {which}", rule.why, tuple(sorted(set(affected))))
