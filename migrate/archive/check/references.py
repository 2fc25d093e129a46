"""Check every reference inside an archive: the row that another one refers to must exist and match.

A foreign key only shows that a row exists. Here each broken reference is reported by the name of its object,
with the snapshots that it affects, and rules that no foreign key can express are checked too.
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
    ReferenceRule(
        "spans -> manifests",
        "its listing is missing",
        "SELECT 'rows from ' || r.ordinal || ' of listing number ' || r.manifest_id, NULL FROM spans r "
        "LEFT JOIN manifests m ON m.id = r.manifest_id WHERE m.id IS NULL",
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
    ReferenceRule(
        "listed -> kinds",
        "the kind of its listing is missing",
        "SELECT 'number ' || l.manifest_id, l.snapshot_id FROM listed l "
        "LEFT JOIN kinds k ON k.id = l.kind_id WHERE k.id IS NULL",
    ),
    ReferenceRule(
        "listed -> parents",
        "the parent of its listing is missing",
        "SELECT 'number ' || l.manifest_id, l.snapshot_id FROM listed l "
        "LEFT JOIN parents p ON p.id = l.parent_id WHERE p.id IS NULL",
    ),
    ReferenceRule(
        "scopes -> manifests",
        "its content is missing",
        "SELECT s.kind || ' ' || s.parent_id, s.snapshot_id FROM scopes s "
        "LEFT JOIN manifests m ON m.id = s.manifest_id WHERE m.id IS NULL",
    ),
    ReferenceRule(
        "scopes -> manifests",
        "it was read to its end and has no hash",
        "SELECT s.kind || ' ' || s.parent_id, s.snapshot_id FROM scopes s "
        "JOIN manifests m ON m.id = s.manifest_id WHERE m.sha IS NULL AND s.state != 'reading'",
    ),
    ReferenceRule(
        "scopes -> snapshots",
        "its snapshot is missing",
        "SELECT s.kind || ' ' || s.parent_id, s.snapshot_id FROM scopes s "
        "LEFT JOIN snapshots n ON n.id = s.snapshot_id WHERE n.id IS NULL",
    ),
    ReferenceRule(
        "snapshots -> endpoints",
        "its estate is missing",
        "SELECT 'number ' || n.id, n.id FROM snapshots n LEFT JOIN endpoints e ON e.id = n.endpoint_id "
        "WHERE e.id IS NULL",
    ),
    ReferenceRule(
        "snapshots -> digest",
        "it is finished and has no fingerprint",
        "SELECT 'number ' || id, id FROM snapshots WHERE digest IS NULL AND state != 'reading'",
    ),
    ReferenceRule(
        "missing -> snapshots",
        "its snapshot is missing",
        "SELECT m.kind || ' ' || m.object_id, m.snapshot_id FROM missing m "
        "LEFT JOIN snapshots n ON n.id = m.snapshot_id WHERE n.id IS NULL",
    ),
    ReferenceRule(
        "contents -> blobs",
        "its bytes are missing, or were never complete",
        "SELECT 'bytes of ' || c.file_id, NULL FROM contents c LEFT JOIN blobs b ON b.id = c.blob_id "
        "WHERE b.sha IS NULL",
    ),
    ReferenceRule(
        "contents -> endpoints",
        "the estate of its file is missing",
        "SELECT 'bytes of ' || c.file_id, NULL FROM contents c "
        "LEFT JOIN endpoints e ON e.id = c.endpoint_id WHERE e.id IS NULL",
    ),
    ReferenceRule(
        "chunks -> blobs",
        "the bytes that it is a part of are missing",
        "SELECT 'part ' || k.ordinal || ' of bytes number ' || k.blob_id, NULL FROM chunks k "
        "LEFT JOIN blobs b ON b.id = k.blob_id WHERE b.id IS NULL",
    ),
    ReferenceRule(
        "journal -> plans",
        "its plan is missing",
        "SELECT j.action || ' ' || j.kind || ' ' || j.source_id, NULL FROM journal j "
        "LEFT JOIN plans p ON p.id = j.plan_id WHERE p.id IS NULL",
    ),
    ReferenceRule(
        "journal -> plans",
        "its state is none of those that a line can have",
        "SELECT j.action || ' ' || j.kind || ' ' || j.source_id, NULL FROM journal j "
        "WHERE j.state NOT IN ('intended', 'done', 'failed')",
    ),
)

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
