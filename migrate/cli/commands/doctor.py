"""doctor: what works at an estate."""

from contextlib import closing

import click

from migrate.cli.estate_argument import live_estate
from migrate.cli.options import Common, common_options, exit_with
from migrate.endpoints import connect_reader
from migrate.reports.commands.doctor import doctor_document, doctor_text
from migrate.stages.doctor import diagnose


@click.command("doctor")
@click.argument("estate")
@common_options
def doctor_command(common: Common, estate: str) -> None:
    """Report what works at ESTATE: sign-in, API version, routes, listing of threads.

    Exit 5 when the service cannot be reached, or no longer has assistants.

    \b
    Examples:
      assistants-migrate doctor east
      assistants-migrate doctor east --json
      assistants-migrate doctor https://acme.openai.azure.com
    """
    with closing(connect_reader(live_estate(estate, common.config).settings)) as reader:
        progress = common.progress()
        progress.watch(reader.limiter.waiting)
        diagnosis = diagnose(reader, progress)
    common.write_result(doctor_document(diagnosis), doctor_text(diagnosis))
    exit_with(5 if diagnosis.retired else 0 if diagnosis.whole else 3)
