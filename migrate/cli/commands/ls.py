"""ls: the objects of a snapshot, or those that could be cleaned up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from migrate.archive.snapshots.reader import SnapshotReader, newest_snapshot
from migrate.cli import print_message
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import Common, common_options, exit_with
from migrate.cli.selection_options import listing_selection_options
from migrate.errors import BadUsage, NothingSelected
from migrate.model.selection import Selection
from migrate.reports.commands.archive import unknown_id_text, unmatched_text
from migrate.reports.commands.objects import cleanup_document, cleanup_text, object_row, objects_text
from migrate.stages.filters import must_be_kinds

if TYPE_CHECKING:  # `ls` without a selection works without the codecs
    from migrate.stages.selection import SelectedObjects

# --within takes at most so many digits.
MAX_DAY_DIGITS = 6
DEFAULT_KINDS = ("assistant", "vector_store", "file", "thread")


@click.command("ls")
@click.argument("archive")
@click.option("--kind", metavar="KIND", help="Only this kind (assistant, thread, file, ...).")
@click.option("--orphans", is_flag=True, help="List objects that refer to objects that do not exist.")
@click.option("--unused", is_flag=True, help="List objects that no object refers to and no run used.")
@click.option("--expired", is_flag=True, help="List objects that are expired according to their service.")
@click.option("--duplicates", is_flag=True, help="List objects with the same content as an older object.")
@click.option("--retiring", is_flag=True, help="List assistants whose model ends, and the date.")
@click.option(
    "--within", metavar="DAYS", help="With --retiring: only models that end within this time, as in 90d."
)
@listing_selection_options
@common_options
def ls_command(
    common: Common, archive: str, kind: str | None, orphans: bool, unused: bool, expired: bool,
    duplicates: bool, retiring: bool, within: str | None, selection: Selection,
) -> None:  # fmt: skip
    """List the objects of ARCHIVE[@SNAPSHOT]: kind, id, name, parent. Messages only with --kind.

    With a selection only the selected objects are listed. --kind limits the list to one kind; --kind message
    lists the messages of the selected threads. Exit 1 when no object matches, 3 when the snapshot does not
    have a selected id.

    --orphans, --unused, --expired and --duplicates list objects that could be deleted, each with the reason
    and its size in bytes. The options can be combined. If the snapshot lacks a listing that is needed to
    decide this, the output says which listing, and the exit code is 3.

    --retiring lists assistants whose model or service has an announced end date. The date is the one that the
    service gave when the snapshot was taken, else the one that this program knows. Each row has the source of
    its date, and the line for [models] that maps the model to another one.

    \b
    Examples:
      assistants-migrate ls estate.db --kind assistant
      assistants-migrate ls estate.db --unused --duplicates
      assistants-migrate ls estate.db --retiring --within 90d
    """
    days = _days_within(within, retiring)
    must_be_kinds([kind] if kind else [])
    flags = {"orphan": orphans, "unused": unused, "expired": expired, "duplicate": duplicates}
    marks = frozenset(mark for mark, given in flags.items() if given)
    if retiring:
        if marks or kind:
            raise BadUsage(
                "--retiring lists assistants only", "other options choose other objects", "run ls twice"
            )
        _list_retiring(common, archive, days, selection)
    elif marks:
        _list_cleanup(common, archive, marks, kind, selection)
    else:
        _list_objects(common, archive, kind, selection)


def _list_objects(common: Common, archive: str, kind: str | None, selection: Selection) -> None:
    with archived_snapshot(archive, common.config) as snapshot:
        selected = _selected(snapshot, selection)
        kinds = [kind] if kind else DEFAULT_KINDS
        rows = [
            object_row(name, parent, body)
            for name in kinds
            for parent, body in snapshot.bodies(name, None)
            if selected is None or selected.holds(name, str(body.get("id")), parent)
        ]
        counts = snapshot.counts()
        expected = {(gap.kind, gap.id) for gap in snapshot.missing() if gap.expected}
    rows = [{**row, "expected_gap": True} if (row["kind"], row["id"]) in expected else row for row in rows]
    if selected is None:
        common.write_result(rows, objects_text(rows, counts, len(expected)))
        return
    if not rows:
        raise NothingSelected(f"the selection has no {kind}", todo="leave --kind out, or name another")
    listed = Counter(row["kind"] for row in rows)
    rows = [
        {**row, "needed_by": owner} if (owner := selected.owner(row["kind"], row["id"])) else row
        for row in rows
    ]
    common.write_result(rows, objects_text(rows, listed, len(expected)))
    _warn(selected)
    exit_with(3 if selected.unknown_ids else 0)


def _selected(snapshot: SnapshotReader, selection: Selection) -> SelectedObjects | None:
    """What a selection means; None where it means everything, which needs no codecs."""
    if selection.is_whole:
        return None
    from migrate.stages.estate import Estate
    from migrate.stages.selection import select_objects

    return select_objects(Estate(snapshot), selection)


def _warn(selected: SelectedObjects) -> None:
    """Name the ids and rules that fit nothing."""
    for text in (
        *(unknown_id_text(id_, dict(selected.other_snapshots).get(id_)) for id_ in selected.unknown_ids),
        *(unmatched_text(rule) for rule in selected.unmatched_rules),
        *selected.notes,
    ):
        print_message(f"note: {text}")


def _list_cleanup(
    common: Common, archive: str, marks: frozenset[str], kind: str | None, selection: Selection
) -> None:
    # Loaded here: listing the objects of a small archive must not wait for the codecs.
    from migrate.stages.estate import Estate
    from migrate.stages.query.cleanup import OTHER_GENERATION, find_cleanup

    with archived_snapshot(archive, common.config) as snapshot:
        info = newest_snapshot(snapshot.conn, OTHER_GENERATION.get(snapshot.info.type, ""), snapshot.info.url)
        sibling = Estate(SnapshotReader(snapshot.conn, info)) if info else None
        result = find_cleanup(Estate(snapshot), marks, sibling)
        if selected := _selected(snapshot, selection):
            found = [row for row in result.findings if selected.holds(row.kind, row.id, row.parent)]
            result = replace(result, findings=tuple(found))
            _warn(selected)
    common.write_result(cleanup_document(result, kind), cleanup_text(result, kind))
    exit_with(3 if result.unproven or (selected and selected.unknown_ids) else 0)


def _days_within(text: str | None, retiring: bool) -> int | None:
    """The days of --within: `90d` or `90`. Raises `BadUsage`."""
    if text is None:
        return None
    if not retiring:
        raise BadUsage("--within needs --retiring", "it says how soon a model ends", "add --retiring")
    number = text.strip().lower().removesuffix("d")
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_DAY_DIGITS):
        raise BadUsage(f"--within {text!r} is no number of days", todo="write it as in --within 90d")
    return int(number)


def _list_retiring(common: Common, archive: str, within_days: int | None, selection: Selection) -> None:
    from migrate.model import retirements
    from migrate.reports.commands.retirements import retiring_document, retiring_text
    from migrate.stages.estate import Estate
    from migrate.stages.retirements import retiring_in_snapshot

    with archived_snapshot(archive, common.config) as snapshot:
        selected = _selected(snapshot, selection)
        retiring = retiring_in_snapshot(
            Estate(snapshot),
            retirements.today(),
            within_days,
            (lambda id_: selected.holds("assistant", id_, "")) if selected else None,
        )
        state, reason = snapshot.listing_state("assistant")
    unread = state not in ("complete", "gone")
    unsaid = [f"whose model ends: the list of assistants was not read ({reason or state})"] if unread else []
    document = {"day": retiring.day, **retiring_document(retiring), "unsaid": unsaid}
    common.write_result(document, retiring_text(retiring, unsaid))
    if selected:
        _warn(selected)
    exit_with(3 if unsaid or (selected and selected.unknown_ids) else 0)
