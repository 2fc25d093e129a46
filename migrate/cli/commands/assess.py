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
    "--to", "target", required=True, metavar="TYPE|ESTATE", help="A type of service, or a live one."
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
    """List per object and field of ESTATE what --to would keep, adapt, lose or refuse. Writes nothing.

    For a type (azure-openai, openai, foundry-classic, foundry) no service is asked; a live estate is also
    checked for deployments, connections and existing objects. Exit 1 when something would be lost or is
    blocked and was not accepted.
    """
    reports.check(estate)
    config = common.config.for_command(environment, target)
    collector = DiagramCollector(reports.shows_diagrams)
    options = replace(plan_options(config, estate, **adaptation), selection=selection)
    assessment = assess_move(estate, target, config, options, workers, common.progress(), collector)
    write_report(
        common, reports, assess_document(assessment), assess_report(assessment, all_objects), collector
    )
    exit_with(1 if unaccepted_losses(assessment.losses) else 0)
