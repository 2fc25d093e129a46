"""apply: carry out a plan."""

from pathlib import Path

import click

from migrate.cli import confirm
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with, workers
from migrate.cli.sides import open_plan
from migrate.endpoints import connect_writer
from migrate.errors import ServiceUnreachable
from migrate.reports.commands.apply import apply_document, apply_text
from migrate.reports.commands.plan import confirmation_question
from migrate.stages.apply.context import apply_context
from migrate.stages.apply.run import ApplyInterrupted, apply_plan, nothing_applied
from migrate.stages.plan.plan_file import read_plan


@click.command("apply")
@click.argument("plan_file", type=FILE_PATH)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option(
    "--wait",
    type=float,
    metavar="SECONDS",
    default=600,
    show_default=True,
    help="How long to wait for the ingestion of a vector store.",
)
@workers
@common_options
def apply_command(common: Common, plan_file: Path, yes: bool, wait: float, workers: int) -> None:
    """Carry out PLAN_FILE.

    Every step is written to a journal. If apply is interrupted, it lists what is done and what is left. Run
    it again: it continues and creates nothing twice.

    Exit 4, before anything is written, when the plan was edited, when its archive does not know it, or when
    source or target changed after it was made. Exit 3 when some objects could not be written. Exit 1 when the
    target did not take something that the plan tries, such as citations, and the plan was not made with
    --accept-loss for it. Exit 5 when the target does not answer, or stops answering. The result lists every
    object that was not written.

    \b
    Examples:
      assistants-migrate apply plan.json
      assistants-migrate apply plan.json --yes
    """
    plan = read_plan(plan_file)
    if not yes:
        confirm(confirmation_question(plan))
    with open_plan(plan, common.config, workers, connect_writer) as sides:
        ctx = apply_context(plan, sides, common.progress())
        try:
            result = apply_plan(plan, ctx, workers, wait)
        except ApplyInterrupted as error:
            common.write_result(apply_document(error.result), apply_text(error.result))
            raise
        except ServiceUnreachable as error:  # before anything was done
            result = nothing_applied(plan, ctx, error)
    common.write_result(apply_document(result), apply_text(result))
    if result.outage:
        raise ServiceUnreachable(*result.outage)
    exit_with(result.exit_code)
