"""assess: what a move would keep and lose, before anything is planned."""

from typing import Any

import click

from migrate import __version__
from migrate.archive.snapshots.writer import utc_now
from migrate.cli.options import Common, adaptation_options, common_options, environment, exit_with, workers
from migrate.cli.plan_inputs import assess_move, plan_options
from migrate.cli.report_options import DiagramCollector, ReportOptions, report_options, show
from migrate.reports.commands.assess import assess_document, assess_report
from migrate.reports.commands.plan import unaccepted_losses


@click.command("assess")
@click.argument("estate")
@click.option(
    "--to", "target", required=True, metavar="TYPE|ESTATE", help="A type of service, or a live one."
)
@report_options
@adaptation_options
@environment
@workers
@common_options
def assess_command(
    common: Common, estate: str, target: str, wanted: ReportOptions, workers: int, environment: str | None,
    **given: Any,
) -> None:  # fmt: skip
    """Say per object and field of ESTATE what --to would keep, adapt, lose or refuse. Writes nothing.

    Against a type (azure-openai, openai, foundry-classic, foundry) it asks no service; against a live
    estate it also looks for deployments, connections and what is there already. Exit 1 when something
    would be lost or is blocked and was not accepted.
    """

    wanted.check(estate)
    config = common.config.meeting(environment, target)
    camera, chosen = DiagramCollector(wanted.pictures), plan_options(config, estate, **given)
    found = assess_move(estate, target, config, chosen, workers, common.progress(), camera)
    show(
        common, wanted, assess_document(found), assess_report(found, utc_now(), __version__, camera.pictures)
    )
    exit_with(1 if unaccepted_losses(found.losses) else 0)
