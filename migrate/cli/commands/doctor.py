"""doctor: what works at an estate."""

import click

from migrate.cli.estate_argument import live_estate
from migrate.cli.options import Common, common_options, exit_with
from migrate.endpoints import connect_reader
from migrate.reports.commands.objects import doctor_document, doctor_text
from migrate.stages.doctor import diagnose


@click.command("doctor")
@click.argument("estate")
@common_options
def doctor_command(common: Common, estate: str) -> None:
    """Reach ESTATE and name what works: sign-in, API version, routes, listing of threads.

    Exit 5 when nothing can be reached or assistants are retired.
    """

    reader = connect_reader(live_estate(estate, common.config).settings)
    progress = common.progress()
    progress.watch(reader.limiter.waiting)
    try:
        found = diagnose(reader, progress)
    finally:
        reader.close()
    common.answer(doctor_document(found), doctor_text(found))
    exit_with(5 if found.retired else 0 if found.whole else 3)
