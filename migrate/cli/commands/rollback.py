"""rollback: roll back a plan."""

from pathlib import Path

import click

from migrate.archive.applies import applied_plan_document
from migrate.archive.database import Archive, translate_damage
from migrate.cli import confirm
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with, workers
from migrate.cli.sides import open_plan
from migrate.endpoints import connect_writer
from migrate.errors import ServiceUnreachable
from migrate.model.results.plan import Plan
from migrate.reports.commands.apply import rollback_document, rollback_text
from migrate.stages.apply.context import apply_context
from migrate.stages.plan.plan_file import from_document, read_plan
from migrate.stages.rollback.run import RollbackInterrupted, roll_back


@click.command("rollback")
@click.argument("plan_file", type=FILE_PATH)
@click.option(
    "--apply", "apply_number", type=click.IntRange(1), metavar="N",
    help="Roll back apply N of an archive (see `applies`); PLAN_FILE is then the archive.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only list what would be rolled back.")
@click.option(
    "--force",
    multiple=True,
    metavar="ID",
    help="Roll back this object although others changed it; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@workers
@common_options
def rollback_command(
    common: Common, plan_file: Path, apply_number: int | None, dry_run: bool, force: tuple[str, ...],
    yes: bool, workers: int,
) -> None:  # fmt: skip
    """Remove exactly what PLAN_FILE created on its target, and restore what it changed.

    With --apply N, PLAN_FILE is the archive, and the plan of that apply is read from it. If rollback is
    interrupted, it lists what is done and what is left. Run it again: it continues.

    Exit 4, before anything is written, when others changed one of these objects since. The message lists
    them; --force ID rolls back such an object anyway. Exit 3 when some objects could not be rolled back.

    \b
    Examples:
      assistants-migrate rollback plan.json --dry-run
      assistants-migrate rollback plan.json --yes
      assistants-migrate rollback estate.db --apply 2
    """
    plan = _applied_plan(plan_file, apply_number) if apply_number else read_plan(plan_file)
    archive_path = plan_file if apply_number else None
    if not (yes or dry_run):
        confirm(f"{plan.target.url}: roll back what this plan did?")
    with open_plan(plan, common.config, workers, connect_writer, archive_path) as sides:
        try:
            ctx = apply_context(plan, sides, common.progress())
            result = roll_back(plan, ctx, workers, frozenset(force), dry_run)
        except RollbackInterrupted as error:
            common.write_result(rollback_document(error.result), rollback_text(error.result))
            raise
    common.write_result(rollback_document(result), rollback_text(result))
    if result.outage:
        raise ServiceUnreachable(*result.outage)
    exit_with(3 if result.failed else 0)


def _applied_plan(path: Path, number: int) -> Plan:
    """The plan of one apply, from the archive that keeps it."""
    with Archive.open(path) as archive, translate_damage(path):
        return from_document(applied_plan_document(archive.conn, number))
