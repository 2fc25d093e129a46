"""verify: proof that everything arrived."""

from pathlib import Path

import click

from migrate.cli.opened_plan import opened_plan
from migrate.cli.options import Common, common_options, exit_with, workers
from migrate.cli.report_options import DiagramCollector, ReportOptions, report_options, write_report
from migrate.codecs import capabilities_for
from migrate.reports.commands.apply import verify_document, verify_report
from migrate.stages.plan.plan_file import read_plan
from migrate.stages.verify.run import verify_plan


@click.command("verify")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False))
@report_options
@workers
@common_options
def verify_command(common: Common, plan_file: Path, reports: ReportOptions, workers: int) -> None:
    """Read the target of PLAN_FILE back and compare every object: fields, order, text, references, bytes.

    Exit 1 when something differs from the plan, or was blocked and not accepted.
    """

    reports.check(plan_file)
    plan = read_plan(plan_file)
    sides = (f"{plan.source.archive}@{plan.source.snapshot}", plan.target.url)
    collector = DiagramCollector(reports.shows_diagrams)
    with opened_plan(plan, common.config, workers, write=False) as (archive, source, reader):
        capabilities = capabilities_for(reader.type, reader.api_version)
        collector.add(sides[0], source)
        result = verify_plan(plan, source, archive, reader, capabilities, workers, common.progress())
    write_report(common, reports, verify_document(result), verify_report(result, *sides), collector)
    exit_with(1 if result.findings else 0)
