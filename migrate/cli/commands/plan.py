"""plan: what to write where, and every loss told beforehand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from migrate.archive.database import check_not_an_archive
from migrate.cli.options import Common, adaptation_options, common_options, environment, exit_with, workers
from migrate.cli.plan_inputs import make_plan, percent, plan_options
from migrate.cli.report_options import DiagramCollector, ReportOptions, report_options_beside, write_report
from migrate.errors import BadUsage
from migrate.files.output import STDOUT_PATH, resolve_destination
from migrate.model.results.plan import unaccepted_losses
from migrate.reports.commands.plan import plan_document, plan_report
from migrate.stages.plan.plan_file import write_plan


@click.command("plan")
@click.argument("source")
@click.argument("target")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The plan; - is stdout.",
)
@report_options_beside
@adaptation_options
@click.option("--prune", is_flag=True, help="Delete on the target what we made and the source no longer has.")
@click.option("--max-update", metavar="N%", help="Refuse to update more (default: 100% beyond 10 objects).")
@click.option("--max-delete", metavar="N%", help="Refuse to delete more (default: 10% beyond 10 objects).")
@environment
@workers
@common_options
def plan_command(
    common: Common, source: str, target: str, output: Path, prune: bool, max_update: str | None,
    max_delete: str | None, reports: ReportOptions, workers: int, environment: str | None, **given: Any,
) -> None:  # fmt: skip
    """Plan how TARGET becomes like SOURCE, an ARCHIVE[@SNAPSHOT] or a config directory. Nothing is written
    but the plan, and into ARCHIVE that this plan was made: `apply`, `verify` and `rollback` take no other.

    A config directory is kept as it was read in an archive beside the plan, under the plan's name with the
    ending .db; objects on TARGET that are in no file of it are left alone.

    Exit 1 when something would be lost or is blocked and was not accepted; the plan is written all the
    same, and apply moves what is not blocked.
    """

    if output == STDOUT_PATH and (common.as_json or STDOUT_PATH in reports.files):
        other = "the report" if STDOUT_PATH in reports.files else "--json"
        raise BadUsage(f"-o - and {other} both write to standard output", todo="name a file for one of them")
    resolve_destination(output)
    check_not_an_archive(output)  # before the plan is registered in the archive
    reports.check(source, output)
    config = common.config.meeting(environment, target)
    chosen = replace(
        plan_options(config, source, **given),
        prune=prune,
        max_update=percent(max_update),
        max_delete=percent(max_delete),
    )
    collector = DiagramCollector(reports.shows_diagrams)
    plan = make_plan(source, target, config, chosen, workers, common.progress(), output, collector)
    write_plan(plan, output)
    document, report = plan_document(plan, output), plan_report(plan, output)
    write_report(common, reports, document, report, collector, stdout_used=output == STDOUT_PATH)
    exit_with(1 if unaccepted_losses(plan.losses) else 0)
