"""apply: carry out a plan."""

from pathlib import Path

import click

from migrate.cli import ask
from migrate.cli.opened_plan import opened_plan
from migrate.cli.options import Common, common_options, exit_with, workers
from migrate.codecs import capabilities_for
from migrate.errors import ServiceUnreachable
from migrate.reports.commands.apply import apply_document, apply_text
from migrate.reports.commands.plan import confirmation_question
from migrate.stages.apply.run import apply_plan, nothing_applied
from migrate.stages.plan.plan_file import read_plan


@click.command("apply")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--wait", type=float, default=600, show_default=True, help="Seconds to wait for ingestion of a store."
)
@workers
@common_options
def apply_command(common: Common, plan_file: Path, yes: bool, wait: float, workers: int) -> None:
    """Carry out PLAN_FILE, journalled: run again after an interruption, it continues and makes nothing twice.

    Refuses (exit 4) when the plan was edited or is not one that its archive knows, or when either side moved
    since. Exit 3 when something could not be written; it is named. Exit 5 when the target does not answer, or
    stops answering; all that was not done is named.
    """

    plan = read_plan(plan_file)
    if not yes:
        ask(confirmation_question(plan))
    with opened_plan(plan, common.config, workers, write=True) as (archive, source, writer):
        try:
            capabilities = capabilities_for(writer.type, writer.api_version)
            done = apply_plan(plan, source, archive, writer, capabilities, workers, common.progress(), wait)  # type: ignore[arg-type]
        except ServiceUnreachable as gone:  # before anything was done
            done = nothing_applied(plan, source, archive, writer, gone)  # type: ignore[arg-type]
    common.answer(apply_document(done), apply_text(done))
    if done.outage:
        raise ServiceUnreachable(*done.outage)
    exit_with(3 if done.failed else 0)
