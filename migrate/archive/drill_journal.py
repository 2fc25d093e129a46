"""The journal of a drill: a small separate archive beside the archive, without any snapshot.

Ids that a drill creates exist only there, so that no other command treats them as moved objects. The file is
removed when everything in it was rolled back; a killed program leaves it, and the next drill reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.archive.connections import SqlConnection
from migrate.archive.database import Archive
from migrate.archive.id_map import NOT_UNDONE_SQL
from migrate.archive.journal import can_be_undone
from migrate.archive.registered_plans import read_plan_document
from migrate.archive.sqlite_file import resolve_archive_path

# Added to the name of an archive.
DRILL_JOURNAL_ENDING = ".drill"


def drill_journal_path(archive: Path) -> Path:
    """The file that has the journal of a drill of an archive, beside its real name."""
    real_path = resolve_archive_path(archive)
    return real_path.with_name(real_path.name + DRILL_JOURNAL_ENDING)


@contextmanager
def open_drill_journal(archive: Path) -> Iterator[Archive]:
    """The journal of a drill of an archive, created if it does not exist. It is removed at the end, unless
    something in it was not rolled back.

    Raises `ArchiveBusy` where another drill of this archive runs, `BadUsage` where the folder cannot be
    written."""
    journal = Archive.open(drill_journal_path(archive), write=True, create=True)
    try:
        yield journal
    finally:
        if any(True for _ in plans_to_undo(journal.conn)):
            journal.close()
        else:
            journal.delete()


def plans_to_undo(conn: SqlConnection) -> Iterator[bytes]:
    """The plans, as JSON, that may have changed something on their target that was not rolled back."""
    digests = conn.execute("SELECT digest FROM plans ORDER BY id DESC").fetchall()
    for (digest,) in digests:
        document = read_plan_document(conn, digest) if can_be_undone(conn, digest) else None
        if document is not None:
            yield document


def objects_in_place(conn: SqlConnection) -> list[tuple[str, str, str]]:
    """Kind, id on the target, and name of all objects but messages that a drill created and did not remove
    again."""
    rows = conn.execute(
        "SELECT j.kind, j.target_id, coalesce(j.name, '') FROM journal j WHERE j.action = 'create' "
        f"AND j.kind != 'message' AND j.state = 'done' AND {NOT_UNDONE_SQL} ORDER BY j.id"
    )
    return [(kind, id_, name) for kind, id_, name in rows.fetchall()]


def created_ids(conn: SqlConnection) -> dict[str, str]:
    """Id on the target -> kind, of all objects but messages that a journal says were created, also of those
    that were rolled back since."""
    rows = conn.execute(
        "SELECT target_id, kind FROM journal WHERE action IN ('create', 'service') AND kind != 'message' "
        "AND target_id IS NOT NULL"
    )
    return dict(rows.fetchall())
