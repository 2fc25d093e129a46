"""The tools about whole snapshots: which there are, and what differs between two of them."""

from __future__ import annotations

from itertools import islice

from migrate.archive.snapshots.changes import compare_listings, compare_members
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.errors import BadUsage
from migrate.mcp.answers import QUOTED_NOTE, quote
from migrate.mcp.tools import (
    ArchiveTool,
    ToolParameter,
    ToolRequest,
    WrongToolCall,
    limit_parameter,
    offset_parameter,
)
from migrate.model import JSON, KINDS
from migrate.model.results.archive import MissingObject, SnapshotInfo
from migrate.model.results.diff import Change
from migrate.reports.commands.diff import change_document
from migrate.stages.diff.comparison import EstateComparison
from migrate.stages.diff.comparison_size import check_comparison_size
from migrate.stages.diff.scope import DiffScope
from migrate.stages.estate import Estate
from migrate.stages.match.journal_pairs import open_journals
from migrate.stages.match.pairs import pair_estates

# Maximum number of unread objects of a snapshot that an answer lists.
MAX_MISSING_NAMED = 10
# Changes that `offset` can skip.
MAX_SKIPPED_CHANGES = 2_000
# Lines about what was not compared.
MAX_UNREAD_LINES = 20


def list_snapshots_answer(request: ToolRequest) -> dict[str, JSON]:
    """The snapshots of the archive, newest first."""
    infos = list_snapshots(request.archive.conn)
    head: dict[str, JSON] = {
        "archive": request.path.name,
        "default_snapshot": request.snapshot.info.id,
        "count": len(infos),
        "note": QUOTED_NOTE,
    }
    rows, following = request.rows(infos[::-1], lambda info: _snapshot_row(request, info), head)
    return {**head, "snapshots": rows, "next": following}


def _snapshot_row(request: ToolRequest, info: SnapshotInfo) -> dict[str, JSON]:
    snapshot = SnapshotReader(request.archive.conn, info)
    gaps, expected = snapshot.gaps()
    missing = [_missing_text(row) for row in islice(snapshot.missing(), MAX_MISSING_NAMED)] if gaps else []
    return {
        "number": info.id,
        "tag": info.tag or None,
        "estate": f"{info.type} {info.url}",
        "read_at": info.started_at,
        "state": "interrupted" if info.interrupted else info.state,
        "filtered": info.is_filtered,
        "objects": snapshot.counts(),
        "not_read": gaps,
        "never_returned_by_the_service": expected,
        **quote(not_read=missing),
    }


def _missing_text(gap: MissingObject) -> str:
    name = f"the list of {gap.kind}" if gap.id == "*" else f"{gap.kind} {gap.id}"
    return f"{name}{f' in {gap.parent}' if gap.parent else ''}: {gap.reason}"


def compare_answer(request: ToolRequest) -> dict[str, JSON]:
    """What differs between two snapshots, from the change `offset` on. Nothing behind the last change of an
    answer is read: a comparison of all threads may take a minute."""
    right = request.snapshot_named(request.text("right") or request.which)
    left = request.snapshot_named(request.text("left")) if request.text("left") else _one_before(right)
    kind = request.text("kind")
    if request.number("offset") > MAX_SKIPPED_CHANGES:
        raise WrongToolCall(
            f"at most {MAX_SKIPPED_CHANGES:,} changes can be skipped",
            "each answer compares from the beginning",
            "compare one kind; a person can have all of it: assistants-migrate diff LEFT RIGHT",
        )
    check_comparison_size(left, right, request.path.name)
    estates = Estate(left), Estate(right)
    scope = DiffScope(kinds=frozenset({kind} if kind else ()))
    head: dict[str, JSON] = {
        "left": _side(left),
        "right": _side(right),
        **_numbers(left, right, kind),
        "note": QUOTED_NOTE,
    }
    with open_journals([request.path], *estates) as journals:
        pairs = pair_estates(*estates, journals.objects, guess=True, known_copies=journals.copies)
        comparison = EstateComparison(*estates, pairs, journals, scope)
        rows, following = request.rows(comparison.changes(), _change_row, head)
    if following is None:
        head |= quote(not_compared=comparison.unread[:MAX_UNREAD_LINES])
    else:
        following |= {"left": str(left.info.id), "right": str(right.info.id)}
    return {**head, "changes": rows, "next": following}


def _numbers(left: SnapshotReader, right: SnapshotReader, only: str) -> dict[str, JSON]:
    """How much differs between two snapshots of one estate, by kind; that takes no comparison."""
    if left.endpoint != right.endpoint:
        return {}
    before, after = left.info.id, right.info.id
    numbers: dict[str, JSON] = {}
    for name, form in KINDS.items():
        if only not in ("", name):
            continue
        if form.parent:
            change = compare_members(right.conn, before, after, name)
            if change.parents:
                numbers[name] = {
                    f"{form.parent}s_in_which_they_differ": change.parents,
                    "more_than_before": change.more,
                }
        elif listing := compare_listings(right.conn, before, after, name):
            counts = {"added": listing.added, "removed": listing.removed, "changed": listing.changed}
            if any(number != 0 for number in counts.values()):
                numbers[name] = counts
    return {"numbers": numbers}


def _one_before(right: SnapshotReader) -> SnapshotReader:
    """The snapshot of the same estate before another one. Raises `BadUsage`."""
    info = right.info
    earlier = [
        row
        for row in list_snapshots(right.conn)
        if (row.type, row.url) == (info.type, info.url) and row.id < info.id
    ]
    if not earlier:
        raise BadUsage(
            f"the archive has no snapshot of {info.url} before snapshot {info.id}",
            todo="name the two to compare: left and right; list_snapshots lists them",
        )
    return SnapshotReader(right.conn, earlier[-1])


def _side(snapshot: SnapshotReader) -> dict[str, JSON]:
    info = snapshot.info
    return {"snapshot": info.id, "estate": f"{info.type} {info.url}", "read_at": info.started_at}


def _change_row(change: Change) -> dict[str, JSON]:
    document = change_document(change)
    facts = ("kind", "action", "left_id", "right_id", "left_parent", "right_parent")
    shown = {name: document[name] for name in facts if document[name]}
    shown |= {"paired_by_guess": True} if change.guessed else {}
    return {**shown, **quote(name=change.name, values=document["values"])}


SNAPSHOT_TOOLS = (
    ArchiveTool(
        "list_snapshots",
        "List snapshots",
        "Lists the snapshots of the archive, newest first: number, estate (which service and address), "
        "time, whether it was read completely, and how many objects of each kind it has. 50 snapshots an "
        "answer at most. Other tools read one snapshot: the default one, or the one that their parameter "
        "`snapshot` names.",
        (limit_parameter("snapshots", 20, 50), offset_parameter("snapshots")),
        list_snapshots_answer,
    ),
    ArchiveTool(
        "compare",
        "Compare two snapshots",
        "Lists what differs between two snapshots: objects that were added, removed or changed, with the "
        "values of both sides. Without `left` and `right`: the default snapshot and the one before it of "
        "the same estate. `numbers` has how much differs by kind. At most 50 changes an answer; long "
        "values are cut.",
        (
            ToolParameter("left", "text", "Number or tag of the earlier snapshot."),
            ToolParameter("right", "text", "Number or tag of the later snapshot."),
            ToolParameter("kind", "text", "Only objects of this kind.", choices=tuple(KINDS)),
            limit_parameter("changes", 20, 50),
            offset_parameter("changes"),
        ),
        compare_answer,
    ),
)
