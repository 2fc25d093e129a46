"""How long the last apply to a target took, from the times in the journal."""

from __future__ import annotations

from migrate.archive.connections import SqlConnection
from migrate.archive.id_map import Side

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
