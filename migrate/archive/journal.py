"""The journal of an apply: the intent before each creating request, and the outcome after it.

The id map (`id_map`) is read from it, and everything that a later plan, a continued apply or a rollback
needs. Worker threads share one journal. Each entry is committed at once, so a killed program leaves intents
without an outcome at most.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from migrate.archive.connections import SqlConnection
from migrate.archive.database import Archive
from migrate.archive.hashes import count_rows, hash_rows, storable_text
from migrate.archive.id_map import (
    IN_EFFECT_SQL,
    NOT_UNDONE_SQL,
    Side,
    created_source_ids,
    created_store_file_ids,
    message_id_pairs,
    reverse_message_ids,
)
from migrate.archive.registered_plans import store_plan_document
from migrate.archive.snapshots.writer import utc_now
from migrate.model import JSON
from migrate.model.known_secrets import redact
from migrate.model.results.archive import LaterChange

log = logging.getLogger(__name__)

# Values of the column `action`.
# An object that the service created as a side effect of a request of this program.
SERVICE_ACTION = "service"
# The state of a thread before messages with files were appended to it.
THREAD_STATE_ACTION = "stood"
# How the service treated the first citations of an apply. The fingerprint of the line is one of the three
# answers below.
CITATIONS_ACTION = "citations"
CITATIONS_TAKEN, CITATIONS_REFUSED, CITATIONS_DROPPED = "taken", "refused", "dropped"
CITATIONS_NOT_TAKEN = frozenset({CITATIONS_REFUSED, CITATIONS_DROPPED})
# An apply reported that the service refused something that was tried. The id of the line is the field.
NOT_TAKEN_ACTION = "not taken"
# An apply carried out all of its plan.
FINISHED_ACTION = "finished"
# The rollback of another line.
UNDO_ACTION = "undo"


@dataclass(frozen=True)
class JournalEntry:
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


# Action, kind, source parent, source id, name.
JournalJob = tuple[str, str, str, str, str]


# The columns that identify a line.
LINE_KEY_SQL = "plan_id = ? AND action = ? AND kind = ? AND source_parent = ? AND source_id = ?"
# Lines that are read at once.
JOURNAL_BATCH_ROWS = 1_000


class Journal:
    """The journal of one plan."""

    def __init__(
        self, archive: Archive, plan_digest: str, source: Side, target: Side, document: bytes = b""
    ) -> None:
        """`document`: the plan as JSON, stored with its journal."""
        self._archive = archive
        self._lock = archive.lock
        self._sides = source, target
        with archive.transaction() as conn:
            conn.execute(
                "INSERT OR IGNORE INTO plans (digest, source_type, source_url, target_type, target_url, "
                "first_applied_at, lines) VALUES (?, ?, ?, ?, ?, ?, 0)",
                (plan_digest, source.type, source.url, target.type, target.url, utc_now()),
            )
            hash_rows(conn, "plans", "digest = ?", [(plan_digest,)])
            count_rows(conn)
            if document:
                store_plan_document(conn, plan_digest, document)
            row = conn.execute("SELECT id FROM plans WHERE digest = ?", (plan_digest,)).fetchone()
        self.plan = int(row[0])

    def record_intent(self, jobs: Iterable[JournalJob], before: JSON = None) -> list[int]:
        """Store the intended actions before the request is sent. Returns the ids of the entries, in order."""
        text, jobs = None if before is None else json.dumps(before), list(jobs)
        with self._line_transaction() as conn:
            entries = [self._insert_intent(conn, job, text) for job in jobs]
            hash_rows(conn, "journal", "id = ?", [(entry,) for entry in entries])
        _log(jobs)
        return entries

    @contextmanager
    def _line_transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that may add lines. At its end, the number of lines of this plan is stored."""
        with self._lock, self._archive.transaction() as conn:
            last = conn.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0]
            yield conn
            conn.execute(
                "UPDATE plans SET lines = lines + (SELECT count(*) FROM journal WHERE id > ?) WHERE id = ?",
                (last, self.plan),
            )
            hash_rows(conn, "plans", "id = ?", [(self.plan,)])

    def _insert_intent(self, conn: sqlite3.Connection, job: JournalJob, before: str | None) -> int:
        row = conn.execute(
            "INSERT INTO journal (plan_id, action, kind, source_parent, source_id, name, state, before, "
            "started_at) VALUES (?, ?, ?, ?, ?, ?, 'intended', ?, ?) "
            "ON CONFLICT (plan_id, action, kind, source_parent, source_id) DO UPDATE SET "
            "state = 'intended', error = NULL, before = coalesce(journal.before, excluded.before) "
            "RETURNING id",
            (self.plan, *map(storable_text, job), before, utc_now()),
        ).fetchone()
        return int(row[0])

    def record_done(
        self, entry: int, target_id: str | None, target_parent: str = "", written: str | None = None
    ) -> None:
        """Record that the object exists on the target, with this id. `written`: the fingerprint of its
        compared form."""
        self.record_all_done([(entry, target_id, target_parent, written)])

    def record_all_done(self, outcomes: Iterable[tuple[int, str | None, str, str | None]]) -> None:
        """As `record_done`, for several objects in one commit."""
        rows = [
            (
                None if target is None else storable_text(target),
                storable_text(parent),
                written,
                utc_now(),
                entry,
            )
            for entry, target, parent, written in outcomes
        ]
        with self._lock, self._archive.transaction() as conn:
            conn.executemany(
                "UPDATE journal SET state = 'done', target_id = ?, target_parent = ?, written = ?, "
                "finished_at = ?, error = NULL WHERE id = ?",
                rows,
            )
            hash_rows(conn, "journal", "id = ?", [(row[-1],) for row in rows])

    def record_created(self, created: Iterable[tuple[JournalJob, str, str, str]]) -> None:
        """Record intent and outcome at once, for objects that the request for another object created.
        `created`: job, and id, parent and fingerprint on the target."""
        created = list(created)
        rows = [
            (self.plan, *map(storable_text, (*job, id_, parent)), fingerprint or None, (at := utc_now()), at)
            for job, id_, parent, fingerprint in created
        ]
        with self._line_transaction() as conn:
            conn.executemany(
                "INSERT INTO journal (plan_id, action, kind, source_parent, source_id, name, state, "
                "target_id, target_parent, written, started_at, finished_at) "
                "VALUES (?, ?, ?, ?, ?, ?, 'done', ?, ?, ?, ?, ?) "
                "ON CONFLICT (plan_id, action, kind, source_parent, source_id) DO UPDATE SET "
                "state = 'done', target_id = excluded.target_id, target_parent = excluded.target_parent, "
                "written = excluded.written, finished_at = excluded.finished_at, error = NULL",
                rows,
            )
            hash_rows(conn, "journal", LINE_KEY_SQL, [row[:5] for row in rows])
        _log([job for job, *_ in created])

    def record_failed(self, entries: Iterable[int], error: str) -> None:
        """Record that the requests failed; `error` is the reason."""
        rows = [(storable_text(redact(error)), utc_now(), entry) for entry in entries]
        log.info("failed: %s", error)
        with self._lock, self._archive.transaction() as conn:
            conn.executemany(
                "UPDATE journal SET state = 'failed', error = ?, finished_at = ? WHERE id = ?", rows
            )
            hash_rows(conn, "journal", "id = ?", [(row[-1],) for row in rows])

    def _query(self, sql: str, *values: object) -> list[Any]:
        with self._lock:  # the worker threads share one connection
            return self._archive.conn.execute(sql, values).fetchall()

    def created_source_ids(self) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
        """`created_source_ids` and `created_store_file_ids` between the two sides."""
        with self._lock:
            conn = self._archive.conn
            return created_source_ids(conn, *self._sides), created_store_file_ids(conn, *self._sides)

    def mapped_message_ids(self, thread: str) -> frozenset[str]:
        """Ids on the target of the messages of a thread that the id map between the two sides has already."""
        with self._lock:
            pairs = message_id_pairs(self._archive.conn, *self._sides, thread)
            return frozenset(target_id for _, target_id in pairs)

    def message_origins(
        self, source: Side, target: Side, source_thread: str, target_thread: str
    ) -> dict[str, str]:
        """`reverse_message_ids`, for a worker thread."""
        with self._lock:
            return reverse_message_ids(self._archive.conn, source, target, source_thread, target_thread)

    def first_applied_at(self) -> float:
        """When this plan was first applied, in seconds since 1970."""
        ((time,),) = self._query("SELECT first_applied_at FROM plans WHERE id = ?", self.plan)
        return datetime.fromisoformat(time).timestamp()

    def has_action(self, action: str = "") -> bool:
        """Whether this plan did, or tried, an action of this type, or any action."""
        return bool(
            self._query(
                "SELECT 1 FROM journal WHERE plan_id = ? AND ? IN (action, '') LIMIT 1", self.plan, action
            )
        )

    def threads_with_messages(self) -> list[tuple[str, str, int]]:
        """Threads with messages in the journal of this plan: id on the source and on the target, and how many
        messages the plan created."""
        return self._query(
            "SELECT source_parent, target_parent, sum(action = 'create') FROM journal "
            f"WHERE plan_id = ? AND {FINISHED_MESSAGE_SQL} AND action != 'undo' "
            "GROUP BY source_parent, target_parent",
            self.plan,
        )

    def created_messages(self, thread: str) -> list[JournalEntry]:
        """Messages of a thread of the source that this plan created and did not roll back, in order."""
        rows = self._query(
            f"{_SELECT_ENTRY} j WHERE plan_id = ? AND action = 'create' AND kind = 'message' "
            f"AND source_parent = ? AND {IN_EFFECT_SQL} ORDER BY id",
            self.plan, thread,
        )  # fmt: skip
        return [_entry(row) for row in rows]

    def later_change(self, after: int, kind: str, parent: str, id_: str) -> LaterChange | None:
        """The last apply of another plan that changed an object of the target after a line of this journal,
        and that was not rolled back."""
        rows = self._query(
            "SELECT p.id, p.first_applied_at, p.digest, coalesce(j.written, '') FROM journal j "
            "JOIN plans p ON p.id = j.plan_id JOIN plans this ON this.id = ? WHERE p.id != this.id "
            "AND p.target_type = this.target_type AND p.target_url = this.target_url AND j.id > ? "
            "AND j.kind = ? AND j.target_id = ? AND (j.target_parent = ? OR ? = '') "
            f"AND j.action IN ('create', 'update') AND {IN_EFFECT_SQL} ORDER BY j.id DESC LIMIT 1",
            self.plan, after, kind, id_, parent, parent,
        )  # fmt: skip
        return LaterChange(*rows[0]) if rows else None

    def entries(self, messages: bool = True) -> Iterator[JournalEntry]:
        """Everything that this plan did so far, in order. Without `messages`, messages whose outcome is known
        are left out. Lines are read in batches, since there may be a million."""
        where = "" if messages else f"AND NOT ({FINISHED_MESSAGE_SQL}) "
        last = 0
        while True:
            rows = self._query(
                f"{_SELECT_ENTRY} WHERE plan_id = ? AND id > ? {where}ORDER BY id LIMIT ?",
                self.plan, last, JOURNAL_BATCH_ROWS,
            )  # fmt: skip
            if not rows:
                return
            yield from map(_entry, rows)
            last = rows[-1][0]


def _log(jobs: Sequence[JournalJob]) -> None:
    """Write one log line for each object, and one for all messages of a thread."""
    if not log.isEnabledFor(logging.INFO):
        return
    for action, kind, parent, id_, name in jobs:
        if kind != "message":
            log.info("%s %s %s %s", action, kind, id_ or parent, name)
    messages = Counter((job[0], job[2]) for job in jobs if job[1] == "message")
    for (action, thread), number in messages.items():
        log.info("%s %d message(s) of thread %s", action, number, thread)


def can_be_undone(conn: SqlConnection, plan_digest: str) -> bool:
    """Whether a plan changed something on its target, or may have done so, that was not rolled back since."""
    row = conn.execute(
        "SELECT 1 FROM plans p JOIN journal j ON j.plan_id = p.id WHERE p.digest = ? "
        "AND j.action IN ('create', 'update') AND j.state IN ('done', 'intended') "
        f"AND {NOT_UNDONE_SQL} LIMIT 1",
        (plan_digest,),
    ).fetchone()
    return row is not None


def citations_answer(conn: SqlConnection, plan_digest: str) -> str:
    """How the service treated the citations of a plan: `CITATIONS_TAKEN`, `CITATIONS_REFUSED` or
    `CITATIONS_DROPPED`; '' where the plan was not applied, or has none."""
    row = conn.execute(
        "SELECT j.written FROM plans p JOIN journal j ON j.plan_id = p.id WHERE p.digest = ? "
        "AND j.action = ? AND j.state = 'done' ORDER BY j.id LIMIT 1",
        (plan_digest, CITATIONS_ACTION),
    ).fetchone()
    return row[0] if row else ""


def fields_not_taken(conn: SqlConnection, plan_digest: str) -> frozenset[str]:
    """Fields of messages that the service refused, as an apply of this plan reported."""
    rows = conn.execute(
        "SELECT j.source_id FROM plans p JOIN journal j ON j.plan_id = p.id WHERE p.digest = ? "
        "AND j.action = ? AND j.state = 'done'",
        (plan_digest, NOT_TAKEN_ACTION),
    ).fetchall()
    return frozenset(field for (field,) in rows)


# A message that exists on the target, or that was rolled back.
FINISHED_MESSAGE_SQL = "kind = 'message' AND state = 'done' AND action IN ('create', 'adopt', 'undo')"
_SELECT_ENTRY = (
    "SELECT id, action, kind, source_parent, source_id, coalesce(name, ''), coalesce(target_parent, ''), "
    "coalesce(target_id, ''), state, before, coalesce(written, ''), coalesce(error, ''), started_at "
    "FROM journal"
)


def _entry(row: tuple[JSON, ...]) -> JournalEntry:
    columns = list(row)
    columns[9] = None if row[9] is None else json.loads(row[9])
    return JournalEntry(*columns)
