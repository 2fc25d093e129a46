"""assess: what a move would keep and lose, before anything is planned."""

from dataclasses import replace
from typing import Any

import click

from migrate.cli.options import (
    Common,
    adaptation_options,
    all_objects_option,
    common_options,
    environment,
    exit_with,
    workers,
)
from migrate.cli.plan_inputs import assess_move, plan_options
from migrate.cli.report_options import DiagramCollector, ReportOptions, report_options, write_report
from migrate.cli.selection_options import selection_options
from migrate.model.results.plan import unaccepted_losses
from migrate.model.selection import Selection
from migrate.reports.commands.plan import assess_document, assess_report


@click.command("assess")
@click.argument("estate")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="TYPE|ESTATE",
    help="The target: a type of service, or a live estate.",
)
@report_options
@selection_options
@adaptation_options
@all_objects_option
@environment
@workers
@common_options
def assess_command(
    common: Common, estate: str, target: str, selection: Selection, reports: ReportOptions, workers: int,
    environment: str | None, all_objects: bool, **adaptation: Any,
) -> None:  # fmt: skip
    """List which fields of ESTATE the target (--to) would keep, adapt, lose or refuse. Writes nothing.

    With a type (azure-openai, openai, foundry-classic, foundry) no request is sent to a target. With a live
    estate its deployments, connections and existing objects are checked too.

    Exit 1 when there are losses or blocked objects that --accept-loss does not accept, or when nothing is
    selected; 3 when ESTATE does not have an id that was selected.

    \b
    Examples:
      assistants-migrate assess estate.db --to foundry
      assistants-migrate assess east --to project -o losses.html
    """
    reports.check(estate)
    config = common.config.for_command(environment, target)
    collector = DiagramCollector(reports.shows_diagrams)
    options = replace(plan_options(config, estate, **adaptation), selection=selection)
    assessment = assess_move(estate, target, config, options, workers, common.progress(), collector)
    write_report(
        common, reports, assess_document(assessment), assess_report(assessment, all_objects), collector
    )
    plan = assessment.plan
    exit_with(3 if plan.unknown_ids else 1 if unaccepted_losses(plan.losses) else 0)
