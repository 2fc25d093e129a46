"""The applies of an archive, from the journal: what each plan changed on its target, and how long the
last one took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from migrate.archive.connections import SqlConnection, first_value
from migrate.archive.id_map import BETWEEN_SIDES_SQL, UNDONE_SQL, Side
from migrate.archive.journal import FINISHED_ACTION, UNDO_ACTION
from migrate.archive.journal_check import check_journal
from migrate.archive.registered_plans import has_plan_document, read_plan_document
from migrate.errors import BadUsage
from migrate.model.results.apply import ApplySummary

# Of a line of the journal: its action and state.
LineState = tuple[str, str]

CHANGING_ACTIONS = ("create", "update", "delete")
MAX_APPLIES_SHOWN = 5


def list_applies(conn: SqlConnection) -> list[ApplySummary]:
    """Every apply, oldest first. A plan that was applied again to continue is one apply.

    Raises `RowDamaged` where the journal is not what was written."""
    check_journal(conn)
    counts: dict[int, Counter[LineState]] = {}
    # A line that rolls back another one is counted with it, so that the count shows what is in effect.
    rows = conn.execute(
        "SELECT plan_id, action, state, count(*) FROM journal GROUP BY plan_id, action, state"
    ).fetchall()
    for plan, action, state, number in rows:
        counts.setdefault(plan, Counter())[action, state] += number
    plans = conn.execute(
        "SELECT id, digest, first_applied_at, source_type, source_url, target_type, target_url "
        "FROM plans ORDER BY id"
    ).fetchall()
    return [
        ApplySummary(
            apply=number,
            plan=digest,
            at=at,
            source=Side(*sides[:2]).url,
            source_type=sides[0],
            target=Side(*sides[2:]).url,
            target_type=sides[2],
            created=counts[number]["create", "done"],
            updated=counts[number]["update", "done"],
            deleted=counts[number]["delete", "done"],
            adopted=counts[number]["adopt", "done"],
            failed=sum(counts[number][action, "failed"] for action in CHANGING_ACTIONS),
            undone=_undone(conn, number) if counts[number][UNDO_ACTION, "done"] else 0,
            state=_state(conn, number, digest, counts[number]),
        )
        for number, digest, at, *sides in plans
        if any(action != FINISHED_ACTION for action, _ in counts.get(number, ()))
    ]


def _undone(conn: SqlConnection, plan: int) -> int:
    """How many objects that a plan created or updated were removed or restored since."""
    return first_value(
        conn,
        "SELECT count(*) FROM journal j WHERE plan_id = ? AND action IN ('create', 'update') "
        f"AND state = 'done' AND {UNDONE_SQL}",
        (plan,),
        0,
    )


def _state(conn: SqlConnection, plan: int, digest: str, counts: Counter[LineState]) -> str:
    """The state of a plan from its lines: done, incomplete, rolled back, partly rolled back. An apply of an
    earlier version stored no plan and did not record its end: there only its lines count."""
    changed = counts["create", "done"] + counts["update", "done"]
    if counts[UNDO_ACTION, "done"] or counts[UNDO_ACTION, "failed"] or counts[UNDO_ACTION, "intended"]:
        return "rolled back" if _undone(conn, plan) == changed else "partly rolled back"
    is_open = any(counts[action, state] for action in CHANGING_ACTIONS for state in ("intended", "failed"))
    is_open = is_open or (not counts[FINISHED_ACTION, "done"] and has_plan_document(conn, digest))
    return "incomplete" if is_open else "done"


def stored_plans(conn: SqlConnection, source: Side, target: Side) -> Iterator[tuple[str, bytes]]:
    """Digest and JSON of the plans that were applied from one side to another, the newest first. Those that
    an earlier version applied are not stored. Raises `RowDamaged` where a plan was changed."""
    rows = conn.execute(
        f"SELECT p.digest FROM plans p WHERE {BETWEEN_SIDES_SQL} ORDER BY p.id DESC",
        (source.type, source.url, target.type, target.url),
    ).fetchall()
    for (digest,) in rows:
        if (document := read_plan_document(conn, digest)) is not None:
            yield digest, document


def applied_plan_document(conn: SqlConnection, number: int) -> bytes:
    """The plan of an apply, as JSON. Raises `BadUsage` where there is no apply of this number, or where an
    earlier version, which stored no plan, applied it; `RowDamaged` where the plan was changed."""
    row = conn.execute("SELECT digest FROM plans WHERE id = ?", (number,)).fetchone()
    if row is None:
        every = [str(id_) for (id_,) in conn.execute("SELECT id FROM plans ORDER BY id DESC").fetchall()]
        shown = ", ".join(every[:MAX_APPLIES_SHOWN])
        raise BadUsage(
            f"there is no apply {number} in this archive",
            f"the newest are {shown}" if every else "nothing was applied from it",
            "list them: applies ARCHIVE",
        )
    document = read_plan_document(conn, row[0])
    if document is None:
        raise BadUsage(
            f"the archive has no plan for apply {number}",
            "an earlier version of this program carried it out, and did not keep the plan",
            "use the plan's file: rollback PLAN.json",
        )
    return document


# Without a line of the journal for longer than this, an apply counts as interrupted, and its time proves
# nothing. Waiting for the ingestion of files ends after ten minutes by default.
MAX_PAUSE_S = 600
# Times in the journal are whole seconds, so a shorter apply would be measured too inexactly.
MIN_DURATION_S = 10

_TIMES_SQL = """
WITH lines AS (
    SELECT started_at, finished_at FROM journal
    WHERE plan_id = ? AND action IN ('create', 'update', 'delete')
), times AS (
    SELECT CAST(strftime('%s', started_at) AS INTEGER) AS at FROM lines
    UNION SELECT CAST(strftime('%s', finished_at) AS INTEGER) FROM lines
), pauses AS (SELECT at, at - lag(at, 1, at) OVER (ORDER BY at) AS pause FROM times WHERE at IS NOT NULL)
SELECT max(at) - min(at), max(pause),
       (SELECT count(*) FROM journal WHERE plan_id = ? AND state != 'done'),
       EXISTS (SELECT 1 FROM journal WHERE plan_id = ? AND action = 'finished')
FROM pauses
"""


def last_apply_duration(conn: SqlConnection, target: Side) -> tuple[str, float] | None:
    """Digest of the plan of the newest apply to a target that was not stopped, and ended without failures and
    without a pause, and its seconds; None where there is no such apply."""
    plans = conn.execute(
        "SELECT id, digest FROM plans WHERE target_type = ? AND target_url = ? ORDER BY id DESC",
        (target.type, target.url),
    ).fetchall()
    for plan, digest in plans:
        seconds, pause, not_done, is_finished = conn.execute(_TIMES_SQL, (plan, plan, plan)).fetchone()
        if seconds is None or not_done or not is_finished:
            continue
        if pause <= MAX_PAUSE_S and seconds >= MIN_DURATION_S:
            return str(digest), float(seconds)
    return None
