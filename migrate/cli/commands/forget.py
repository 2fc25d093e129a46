"""forget: snapshots out of an archive, by name or by a policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.archive.database import Archive, translate_damage
from migrate.archive.forget import forget_snapshots, vacuum_archive
from migrate.cli import ask
from migrate.cli.options import Common, common_options
from migrate.errors import BadUsage
from migrate.reports.commands.archive import forget_document, forget_result_text, forget_text
from migrate.reports.text_table import number_of
from migrate.stages.query.retention import RetentionPolicy, apply_policy, forget_by_name

if TYPE_CHECKING:
    from migrate.archive.database import Archive
    from migrate.model.results.archive import RetentionDecision
    from migrate.stages.query.retention import RetentionPolicy

SOME = click.IntRange(1)


@click.command("forget")
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("snapshots", nargs=-1)
@click.option("--keep-last", "last", type=SOME, metavar="N", help="Keep the newest N.")
@click.option("--keep-daily", "daily", type=SOME, metavar="N", help="Keep one for each of N days.")
@click.option("--keep-weekly", "weekly", type=SOME, metavar="N", help="Keep one for each of N weeks.")
@click.option("--keep-monthly", "monthly", type=SOME, metavar="N", help="Keep one for each of N months.")
@click.option("--keep-tag", "tags", multiple=True, metavar="TAG", help="Keep those of this tag.")
@click.option("--dry-run", is_flag=True, help="Only say what would stay and what would go.")
@click.option("--vacuum/--no-vacuum", default=True, help="Write the archive anew, smaller.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def forget_command(
    common: Common, archive: Path, snapshots: tuple[str, ...], last: int | None, daily: int | None,
    weekly: int | None, monthly: int | None, tags: tuple[str, ...], dry_run: bool, vacuum: bool, yes: bool,
) -> None:  # fmt: skip
    """Remove snapshots of ARCHIVE, and the objects and bytes that only they held.

    Either the named ones go (numbers or tags), or a policy says which ones stay; --keep options add up and
    are applied to each endpoint by itself, counting only days, weeks and months (UTC) that have a snapshot.
    A policy never removes the last complete snapshot of an endpoint, nor the newest where none is
    complete. The journal and the id map stay; a plan that was made from a forgotten snapshot cannot be
    applied, verified or taken back any more.
    """

    policy = RetentionPolicy(last or 0, daily or 0, weekly or 0, monthly or 0, tags)
    if bool(policy) == bool(snapshots):
        raise BadUsage(
            "snapshots and a policy cannot both be given" if snapshots else "nothing says what may go",
            todo=f"name snapshots, or give a policy: forget {archive} --keep-last 7 --keep-monthly 12",
        )
    with Archive.open(archive, write=not dry_run) as opened:
        verdicts = _verdicts(opened, policy, snapshots)
        going = [one.snapshot.id for one in verdicts if not one.is_kept]
        if dry_run or not going:
            common.answer(forget_document(verdicts), forget_text(verdicts))
            return
        if not common.as_json:
            common.answer(None, forget_text(verdicts))
        if not yes:
            ask(f"{archive}: forget {number_of(len(going), 'snapshot')} for ever?")
        _forget(common, opened, verdicts, going, vacuum)


def _verdicts(archive: Archive, policy: RetentionPolicy, names: tuple[str, ...]) -> list[RetentionDecision]:
    from migrate.archive.snapshots.reader import list_snapshots

    with translate_damage(archive.path):
        known = list_snapshots(archive.conn)
        return forget_by_name(known, names) if names else apply_policy(known, policy)


def _forget(
    common: Common, archive: Archive, verdicts: list[RetentionDecision], going: list[int], vacuum: bool
) -> None:

    forgotten = forget_snapshots(archive, going)
    shrunk = vacuum_archive(archive) if vacuum else None
    common.answer(forget_document(verdicts, forgotten, shrunk), forget_result_text(forgotten, shrunk))
