"""What an apply intends and did: the intent before each creating request, the outcome after.

The id map is read from here, and so is what a later plan, a resumed apply or a rollback must know.
Threads share one journal; each entry is committed at once, so a killed program leaves at most intents.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migrate.archive.asking import Asked
from migrate.archive.keys import storable
from migrate.archive.snapshots import now
from migrate.archive.store import Archive
from migrate.model import JSON


@dataclass(frozen=True)
class Side:
    """One side of a plan: type of service and address."""

    type: str
    url: str


@dataclass(frozen=True)
class Entry:
    """One line of the journal. `state`: intended (no outcome known), done, failed."""

    id: int
    action: str
    kind: str
    source_parent: str
    source_id: str
    name: str
    target_parent: str
    target_id: str
    state: str
    before: JSON
    written: str
    error: str
    started_at: str


@dataclass(frozen=True)
class Mapping:
    """One line of the id map."""

    kind: str
    source_id: str
    target_id: str
    name: str
    source_parent: str
    target_parent: str
    written: str = ""
    """Fingerprint of what was left there, where it was noted."""
    action: str = "create"


Job = tuple[str, str, str, str, str]
"""Action, kind, source parent, source id, name."""


class Journal:
    """The journal of one plan."""

    def __init__(self, archive: Archive, plan_digest: str, source: Side, target: Side) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        with archive.transaction() as conn:
            conn.execute(
                "INSERT OR IGNORE INTO plans (digest, source_type, source_url, target_type, target_url, "
                "first_applied_at) VALUES (?, ?, ?, ?, ?, ?)",
                (plan_digest, source.type, source.url, target.type, target.url, now()),
            )
            row = conn.execute("SELECT id FROM plans WHERE digest = ?", (plan_digest,)).fetchone()
        self.plan = int(row[0])

    def intend(self, jobs: Iterable[Job], before: JSON = None) -> list[int]:
        """Note what is about to be tried; the entries' ids, in order."""
        text = None if before is None else json.dumps(before)
        with self._lock, self._archive.transaction() as conn:
            return [self._intend_one(conn, job, text) for job in jobs]

    def _intend_one(self, conn: sqlite3.Connection, job: Job, before: str | None) -> int:
        row = conn.execute(
            "INSERT INTO journal (plan_id, action, kind, source_parent, source_id, name, state, before, "
            "started_at) VALUES (?, ?, ?, ?, ?, ?, 'intended', ?, ?) "
            "ON CONFLICT (plan_id, action, kind, source_parent, source_id) DO UPDATE SET "
            "state = 'intended', error = NULL, before = coalesce(journal.before, excluded.before) "
            "RETURNING id",
            (self.plan, *map(storable, job), before, now()),
        ).fetchone()
        return int(row[0])

    def done(
        self, entry: int, target_id: str | None, target_parent: str = "", written: str | None = None
    ) -> None:
        """It is there: under this id, with this fingerprint of its compared form."""
        self.all_done([(entry, target_id, target_parent, written)])

    def all_done(self, outcomes: Iterable[tuple[int, str | None, str, str | None]]) -> None:
        """Several outcomes in one commit."""
        rows = [(target, parent, written, now(), entry) for entry, target, parent, written in outcomes]
        with self._lock, self._archive.transaction() as conn:
            conn.executemany(
                "UPDATE journal SET state = 'done', target_id = ?, target_parent = ?, written = ?, "
                "finished_at = ?, error = NULL WHERE id = ?",
                rows,
            )

    def noted(self, made: Iterable[tuple[Job, str, str]]) -> None:
        """What was made, and is seen to be there: job, id and parent on the target. Intent and outcome in
        one, for what went with the request of something else."""
        rows = [(self.plan, *map(storable, job), id_, parent, (at := now()), at) for job, id_, parent in made]
        with self._lock, self._archive.transaction() as conn:
            conn.executemany(
                "INSERT INTO journal (plan_id, action, kind, source_parent, source_id, name, state, "
                "target_id, target_parent, started_at, finished_at) "
                "VALUES (?, ?, ?, ?, ?, ?, 'done', ?, ?, ?, ?) "
                "ON CONFLICT (plan_id, action, kind, source_parent, source_id) DO UPDATE SET "
                "state = 'done', target_id = excluded.target_id, target_parent = excluded.target_parent, "
                "finished_at = excluded.finished_at, error = NULL",
                rows,
            )

    def failed(self, entries: Iterable[int], error: str) -> None:
        """It was refused, and why."""
        with self._lock, self._archive.transaction() as conn:
            conn.executemany(
                "UPDATE journal SET state = 'failed', error = ?, finished_at = ? WHERE id = ?",
                [(error, now(), entry) for entry in entries],
            )

    def known(self, kind: str, parent: str) -> frozenset[str]:
        """Source ids below a parent that the id map between these two sides has already."""
        with self._lock:
            rows = self._archive.conn.execute(
                "SELECT j.source_id FROM journal j JOIN plans p ON p.id = j.plan_id JOIN plans mine ON "
                "mine.id = ? AND mine.source_type = p.source_type AND mine.source_url = p.source_url AND "
                "mine.target_type = p.target_type AND mine.target_url = p.target_url "
                f"WHERE j.kind = ? AND j.source_parent = ? AND {STANDING}",
                (self.plan, kind, parent),
            ).fetchall()
        return frozenset(str(row[0]) for row in rows)

    def entries(self) -> Iterator[Entry]:
        """Everything this plan did so far."""
        with self._lock:
            rows = self._archive.conn.execute(
                f"{_ENTRY} WHERE plan_id = ? ORDER BY id", (self.plan,)
            ).fetchall()
        return (_entry(row) for row in rows)


STANDING = """j.state = 'done' AND j.target_id IS NOT NULL AND j.action NOT IN ('delete', 'undo')
             AND NOT EXISTS (SELECT 1 FROM journal u WHERE u.plan_id = j.plan_id AND u.action = 'undo'
               AND u.state = 'done' AND u.kind = j.kind AND u.source_parent = j.source_parent
               AND u.source_id = j.source_id)"""
"""Of the journal `j`: lines that say what is on the target, and were not taken back."""

_ENTRY = (
    "SELECT id, action, kind, source_parent, source_id, coalesce(name, ''), coalesce(target_parent, ''), "
    "coalesce(target_id, ''), state, before, coalesce(written, ''), coalesce(error, ''), started_at "
    "FROM journal"
)


def _entry(row: tuple[JSON, ...]) -> Entry:
    columns = list(row)
    columns[9] = None if row[9] is None else json.loads(row[9])
    return Entry(*columns)


def made(conn: Asked, source: Side, target: Side) -> dict[tuple[str, str], str]:
    """(kind, target id) -> source id of everything that was made between two sides and stands; what was
    only found there is somebody else's."""
    rows = conn.execute(
        "SELECT j.kind, j.target_id, j.source_id FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE {STANDING} AND j.action = 'create' AND p.source_type = ? AND p.source_url = ? "
        "AND p.target_type = ? AND p.target_url = ?",
        (source.type, source.url, target.type, target.url),
    )
    return {(kind, target_id): source_id for kind, target_id, source_id in rows}


def uploads(conn: Asked, source: Side, target: Side) -> dict[tuple[str, str], str]:
    """(source id, target id) -> hash of the bytes that were sent, of every file that was made between two
    sides and stands."""
    rows = conn.execute(
        "SELECT j.source_id, j.target_id, j.before FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE {STANDING} AND j.kind = 'file' AND j.action = 'create' AND j.before IS NOT NULL "
        "AND p.source_type = ? AND p.source_url = ? AND p.target_type = ? AND p.target_url = ?",
        (source.type, source.url, target.type, target.url),
    )
    return {(old, new): str((json.loads(sent) or {}).get("sha256", "")) for old, new, sent in rows}


def id_map(
    conn: Asked, source: Side | None = None, target: Side | None = None, source_id: str = ""
) -> Iterator[Mapping]:
    """The id map, narrowed to a source, a target, or one old id. Of several moves of one object to one
    target, the last counts."""
    where, values = [STANDING], []
    for column, side in (("source", source), ("target", target)):
        if side:
            where.append(f"p.{column}_type = ? AND p.{column}_url = ?")
            values += [side.type, side.url]
    if source_id:
        where.append("j.source_id = ?")
        values.append(source_id)
    rows = conn.execute(
        "SELECT j.kind, j.source_id, j.target_id, coalesce(j.name, ''), j.source_parent, "
        "coalesce(j.target_parent, ''), coalesce(j.written, ''), j.action, max(j.id) "
        "FROM journal j JOIN plans p ON p.id = j.plan_id "
        f"WHERE {' AND '.join(where)} GROUP BY j.kind, j.source_parent, j.source_id, p.source_type, "
        "p.source_url, p.target_type, p.target_url ORDER BY max(j.id)",
        values,
    )
    return (Mapping(*row[:8]) for row in rows)
