"""verify: proof that everything arrived."""

from pathlib import Path

import click

from migrate import __version__
from migrate.archive.snapshots.writer import utc_now
from migrate.cli.opened_plan import opened_plan
from migrate.cli.options import Common, common_options, exit_with, workers
from migrate.cli.report_options import DiagramCollector, ReportOptions, report_options, show
from migrate.codecs import capabilities_for
from migrate.reports.commands.verify import verify_document, verify_report
from migrate.stages.plan.plan_file import read_plan
from migrate.stages.verify.run import verify_plan


@click.command("verify")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False))
@report_options
@workers
@common_options
def verify_command(common: Common, plan_file: Path, wanted: ReportOptions, workers: int) -> None:
    """Read the target of PLAN_FILE back and compare every object: fields, order, text, references, bytes.

    Exit 1 when something is not as it should be, or was blocked and not accepted.
    """

    wanted.check(plan_file)
    plan = read_plan(plan_file)
    sides = (f"{plan.source.archive}@{plan.source.snapshot}", plan.target.url)
    camera = DiagramCollector(wanted.pictures)
    with opened_plan(plan, common.config, workers, write=False) as (archive, source, reader):
        capabilities = capabilities_for(reader.type, reader.api_version)
        camera.take(sides[0], source)
        found = verify_plan(plan, source, archive, reader, capabilities, workers, common.progress())
    show(
        common,
        wanted,
        verify_document(found),
        verify_report(found, *sides, utc_now(), __version__, camera.pictures),
    )
    exit_with(1 if found.findings else 0)
