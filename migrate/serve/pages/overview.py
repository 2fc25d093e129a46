"""The overview of one snapshot: where and when it was read, what it has, what changed, what ends."""

from __future__ import annotations

from starlette.responses import Response

from migrate.archive.snapshots.reader import SnapshotReader
from migrate.model.results.overview import KindChange, Overview
from migrate.model.retirements import today
from migrate.reports.commands.archive import hidden_text, left_out_texts
from migrate.reports.commands.retirements import days_text
from migrate.reports.text_table import number_of
from migrate.serve.connections import ArchiveAccess
from migrate.serve.page_request import PageRequest
from migrate.stages.query.overview import read_overview

# Kinds in the order in which people look for them; those with a page have a link.
SHOWN_KINDS = (
    "thread", "message", "assistant", "file", "vector_store", "vector_store_file", "run", "run_step",
)  # fmt: skip
# Snapshots of the estate that are listed, and objects that end.
MAX_SNAPSHOTS_LISTED, MAX_ENDING_LISTED = 6, 12
# Kind of the members -> how one of them is called.
MEMBER_NOUNS = {"message": "message", "vector_store_file": "file"}


def overview_page(request: PageRequest) -> Response:
    """The overview."""
    overview = remembered_overview(request.access, request.snapshot)
    info = overview.info
    snapshots = request.estate.snapshots
    return request.answer(
        "overview.html.j2",
        "overview",
        overview=overview,
        kinds=[(kind, overview.counts.get(kind, 0)) for kind in SHOWN_KINDS if kind in overview.counts],
        left_out=left_out_texts(info.options),
        hidden=[hidden_text(content) for content in info.hidden],
        ending=overview.retiring.objects[:MAX_ENDING_LISTED],
        ending_total=len(overview.retiring.objects),
        days_text=days_text,
        members_text=members_text,
        recent=snapshots[: -MAX_SNAPSHOTS_LISTED - 1 : -1],
        archive_bytes=request.access.size_bytes(),
    )


def remembered_overview(access: ArchiveAccess, snapshot: SnapshotReader) -> Overview:
    """The facts of a snapshot, which are read once a day, and again when the archive changes."""
    day = today()
    return access.remember(("overview", snapshot.info.id, day), lambda: read_overview(snapshot, day))


def members_text(change: KindChange) -> str:
    """`2 new messages, 1 removed, in 2 threads`, or '' where no members changed."""
    members = change.members
    if members is None or not members.parents:
        return ""
    noun = MEMBER_NOUNS.get(members.kind, members.kind.replace("_", " "))
    where = number_of(members.parents, change.kind.replace("_", " "))
    if members.added is None or members.removed is None or members.changed is None:
        more = members.more
        if not more:
            return f"other {noun}s in {where}"
        word = "new" if more > 0 else "removed"
        return f"at least {number_of(abs(more), f'{word} {noun}')} in {where}"
    numbers = (("new", members.added), ("removed", members.removed), ("changed", members.changed))
    (first, count), *rest = [row for row in numbers if row[1]] or [("", 0)]
    if not count:
        return f"the {noun}s are in another order in {where}"
    others = "".join(f", {number:,} {word}" for word, number in rest)
    return f"{number_of(count, f'{first} {noun}')}{f'{others},' if others else ''} in {where}"
