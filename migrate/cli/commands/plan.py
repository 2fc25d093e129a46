"""plan: what to write to a target, with every loss."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from migrate.archive.database import check_not_an_archive
from migrate.cli.estate_argument import live_estate
from migrate.cli.options import (
    FILE_PATH,
    Common,
    adaptation_options,
    all_objects_option,
    common_options,
    environment,
    exit_with,
    limit_options,
    workers,
)
from migrate.cli.plan_inputs import make_plan, plan_options
from migrate.cli.report_options import DiagramCollector, ReportOptions, report_options_beside, write_report
from migrate.cli.selection_options import selection_options
from migrate.errors import BadUsage
from migrate.files.output import STDOUT_PATH, resolve_destination
from migrate.model.results.plan import unaccepted_losses
from migrate.model.selection import Selection
from migrate.reports.commands.plan import plan_document, plan_report
from migrate.stages.plan.plan_file import write_plan


@click.command("plan")
@click.argument("source")
@click.argument("target")
@click.option("-o", "--output", type=FILE_PATH, required=True, help="File for the plan; - is stdout.")
@report_options_beside
@selection_options
@adaptation_options
@all_objects_option
@limit_options
@environment
@workers
@common_options
def plan_command(
    common: Common, source: str, target: str, output: Path, selection: Selection, reports: ReportOptions,
    workers: int, environment: str | None, all_objects: bool, **given: Any,
) -> None:  # fmt: skip
    """Plan how TARGET becomes like SOURCE, an ARCHIVE[@SNAPSHOT] or a config directory.

    Writes only the plan, and its fingerprint into ARCHIVE. `apply`, `verify` and `rollback` accept only plans
    whose fingerprint the archive has.

    A config directory is stored, as it was read, in an archive next to the plan; its file name is that of the
    plan with the ending .db. Objects on TARGET that no file of the directory describes stay as they are.

    Exit 1 when there are losses or blocked objects that --accept-loss does not accept. The plan is still
    written, and `apply` moves every object that is not blocked. Exit 1 without a plan when no object is
    selected. Exit 3 when SOURCE does not have a selected id.

    \b
    Examples:
      assistants-migrate plan estate.db west -o plan.json --report plan.html
      assistants-migrate plan estate.db project -o new.json --id "Order Desk"
      assistants-migrate plan agents west -o agents.json
    """
    if output == STDOUT_PATH and (common.as_json or STDOUT_PATH in reports.files):
        second = "the report" if STDOUT_PATH in reports.files else "--json"
        raise BadUsage(f"-o - and {second} both write to standard output", todo="name a file for one of them")
    resolve_destination(output)
    check_not_an_archive(output)  # before the plan is registered in the archive
    reports.check(source, output)
    config = common.config.for_command(environment, target)
    options = replace(plan_options(config, source, **given), selection=selection)
    collector = DiagramCollector(reports.shows_diagrams)
    live = live_estate(target, config, workers)
    plan = make_plan(source, live, config, options, workers, common.progress(), output, collector)
    write_plan(plan, output)
    document, report = plan_document(plan, output), plan_report(plan, output, all_objects)
    write_report(common, reports, document, report, collector, stdout_used=output == STDOUT_PATH)
    exit_with(3 if plan.unknown_ids else 1 if unaccepted_losses(plan.losses) else 0)
