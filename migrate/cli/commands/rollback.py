"""rollback: take a plan back."""

from functools import partial
from pathlib import Path

import click

from migrate.cli import ask
from migrate.cli.opened_plan import opened_plan
from migrate.cli.options import Common, common_options, exit_with, workers
from migrate.codecs import capabilities_for
from migrate.reports.commands.apply import rollback_document, rollback_text
from migrate.stages.plan.plan_file import read_plan
from migrate.stages.rollback.run import roll_back


@click.command("rollback")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would be taken back.")
@click.option("--force", multiple=True, metavar="ID", help="Take this one back although others changed it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@workers
@common_options
def rollback_command(
    common: Common, plan_file: Path, dry_run: bool, force: tuple[str, ...], yes: bool, workers: int
) -> None:
    """Remove exactly what PLAN_FILE created on its target, and restore what it changed.

    Refuses (exit 4) when others changed one of these objects since; it names them, and --force ID takes
    one back all the same. Run again after an interruption, it continues. Exit 3 when something could not
    be taken back.
    """

    plan = read_plan(plan_file)
    if not (yes or dry_run):
        ask(f"{plan.target.url}: take back what this plan did?")
    with opened_plan(plan, common.config, workers, write=True) as (archive, source, writer):
        capabilities = capabilities_for(writer.type, writer.api_version)
        back = partial(roll_back, force=frozenset(force), dry_run=dry_run)
        done = back(plan, source, archive, writer, capabilities, workers, common.progress())  # type: ignore[arg-type]
    common.answer(rollback_document(done), rollback_text(done))
    exit_with(3 if done.failed else 0)
