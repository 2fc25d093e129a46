"""verify: prove that everything arrived."""

from pathlib import Path

import click

from migrate.cli.options import FILE_PATH, Common, common_options, exit_with, workers
from migrate.cli.report_options import DiagramCollector, ReportOptions, report_options, write_report
from migrate.cli.sides import open_plan
from migrate.endpoints import connect_reader
from migrate.reports.commands.apply import verify_document, verify_report
from migrate.stages.plan.plan_file import read_plan
from migrate.stages.verify.run import verify_plan


@click.command("verify")
@click.argument("plan_file", type=FILE_PATH)
@report_options
@workers
@common_options
def verify_command(common: Common, plan_file: Path, reports: ReportOptions, workers: int) -> None:
    """Read the target of PLAN_FILE back and compare every object: fields, order, text, references, bytes.

    Exit 1 when an object differs from the plan, or when something was lost that was not accepted with plan
    --accept-loss: blocked objects, and what the target did not take when the plan was applied.

    \b
    Examples:
      assistants-migrate verify plan.json
      assistants-migrate verify plan.json -o verify.html
    """
    reports.check(plan_file)
    plan = read_plan(plan_file)
    source = f"{plan.source.archive}@{plan.source.snapshot}"
    collector = DiagramCollector(reports.shows_diagrams)
    with open_plan(plan, common.config, workers, connect_reader) as sides:
        collector.add(source, sides.source)
        result = verify_plan(plan, sides, workers, common.progress())
    report = verify_report(result, source, plan.target.url)
    write_report(common, reports, verify_document(result), report, collector)
    exit_with(result.exit_code)
