"""rollback: undo a plan."""

from pathlib import Path

import click

from migrate.archive.applies import applied_plan_document
from migrate.archive.database import Archive, translate_damage
from migrate.cli import confirm
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with, workers
from migrate.cli.sides import open_plan
from migrate.endpoints import connect_writer
from migrate.model.results.plan import Plan
from migrate.reports.commands.apply import rollback_document, rollback_text
from migrate.stages.plan.plan_file import from_document, read_plan
from migrate.stages.rollback.run import roll_back


@click.command("rollback")
@click.argument("plan_file", type=FILE_PATH)
@click.option(
    "--apply", "apply_number", type=click.IntRange(1), metavar="N",
    help="PLAN_FILE is an archive: take back its apply N (see `applies`).",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only list what would be taken back.")
@click.option("--force", multiple=True, metavar="ID", help="Take this one back although others changed it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@workers
@common_options
def rollback_command(
    common: Common, plan_file: Path, apply_number: int | None, dry_run: bool, force: tuple[str, ...],
    yes: bool, workers: int,
) -> None:  # fmt: skip
    """Remove exactly what PLAN_FILE created on its target, and restore what it changed.

    With --apply N, PLAN_FILE is the archive, and the plan of that apply is taken from it.

    Refuses (exit 4) when others changed one of these objects since; it names them, and --force ID takes
    one back all the same. Run again after an interruption, it continues. Exit 3 when something could not
    be taken back.
    """
    plan = _applied_plan(plan_file, apply_number) if apply_number else read_plan(plan_file)
    archive_path = plan_file if apply_number else None
    if not (yes or dry_run):
        confirm(f"{plan.target.url}: take back what this plan did?")
    with open_plan(plan, common.config, workers, connect_writer, archive_path) as sides:
        result = roll_back(
            plan, sides.source, sides.archive, sides.service, sides.capabilities, workers,
            common.progress(), force=frozenset(force), dry_run=dry_run,
        )  # fmt: skip
    common.write_result(rollback_document(result), rollback_text(result))
    exit_with(3 if result.failed else 0)


def _applied_plan(path: Path, number: int) -> Plan:
    """The plan of one apply, from the archive that keeps it."""
    with Archive.open(path) as archive, translate_damage(path):
        return from_document(applied_plan_document(archive.conn, number))
