"""forget: remove snapshots from an archive, by name or by a policy."""

from dataclasses import replace
from pathlib import Path

import click

from migrate.archive.database import Archive, translate_damage
from migrate.archive.forget import forget_snapshots, vacuum_archive
from migrate.archive.snapshots.reader import list_snapshots
from migrate.cli import confirm
from migrate.cli.options import FILE_PATH, Common, common_options
from migrate.errors import BadUsage
from migrate.reports.commands.archive import forget_document, forget_result_text, forget_text
from migrate.reports.text_table import number_of
from migrate.stages.query.retention import RetentionPolicy, apply_policy, forget_by_name

COUNT = click.IntRange(1)


@click.command("forget")
@click.argument("archive", type=FILE_PATH)
@click.argument("snapshots", nargs=-1)
@click.option("--keep-last", "last", type=COUNT, metavar="N", help="Keep the newest N snapshots.")
@click.option("--keep-daily", "daily", type=COUNT, metavar="N", help="Keep one snapshot for each of N days.")
@click.option(
    "--keep-weekly", "weekly", type=COUNT, metavar="N", help="Keep one snapshot for each of N weeks."
)
@click.option(
    "--keep-monthly", "monthly", type=COUNT, metavar="N", help="Keep one snapshot for each of N months."
)
@click.option(
    "--keep-tag",
    "tags",
    multiple=True,
    metavar="TAG",
    help="Keep the snapshots with this tag; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Only list what would be kept and removed.")
@click.option(
    "--vacuum/--no-vacuum",
    default=True,
    help="Rewrite the archive afterwards, so that its file gets smaller.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@common_options
def forget_command(
    common: Common, archive: Path, snapshots: tuple[str, ...], last: int | None, daily: int | None,
    weekly: int | None, monthly: int | None, tags: tuple[str, ...], dry_run: bool, vacuum: bool, yes: bool,
) -> None:  # fmt: skip
    """Remove snapshots of ARCHIVE, and the objects and bytes that only they contain.

    Give either the snapshots to remove (numbers or tags), or a policy of --keep options. A snapshot stays if
    one of these options keeps it. They are applied to each endpoint separately. Only days, weeks and months
    (UTC) that have a snapshot are counted.

    A policy never removes the last complete snapshot of an endpoint. If an endpoint has no complete snapshot,
    its newest one stays.

    The journal and the id map stay. A plan that was made from a removed snapshot can no longer be applied,
    verified or rolled back.

    \b
    Examples:
      assistants-migrate forget estate.db 1 --dry-run
      assistants-migrate forget estate.db --keep-last 3 --keep-weekly 8 --dry-run
    """
    policy = RetentionPolicy(last or 0, daily or 0, weekly or 0, monthly or 0, tags)
    if bool(policy) == bool(snapshots):
        raise BadUsage(
            "snapshots and a policy cannot both be given"
            if snapshots
            else "neither snapshots nor a policy are given",
            todo=f"give snapshots, or a policy: forget {archive} --keep-last 7 --keep-monthly 12",
        )
    with Archive.open(archive, write=not dry_run) as opened:
        with translate_damage(archive):
            known = list_snapshots(opened.conn)
            decisions = forget_by_name(known, snapshots) if snapshots else apply_policy(known, policy)
        removed = [row.snapshot.id for row in decisions if not row.is_kept]
        if dry_run or not removed:
            common.write_result(forget_document(decisions), forget_text(decisions))
            return
        if not common.as_json:
            common.write_result(None, forget_text(decisions))
        if not yes:
            confirm(f"{archive}: forget {number_of(len(removed), 'snapshot')} for ever?")
        result = forget_snapshots(opened, removed)
        size = vacuum_archive(opened) if vacuum else None
        if result.is_emptied:
            # Loaded here: few archives need it. Afterwards: what was removed is gone even if this fails.
            from migrate.stages.index.run import build_index

            build_index(opened, common.progress())
            size = replace(size, after=opened.size_bytes()) if size else None
        common.write_result(forget_document(decisions, result, size), forget_result_text(result, size))
