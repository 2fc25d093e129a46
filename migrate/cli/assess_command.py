"""assess: what a move would keep and lose, before anything is planned."""

from typing import Any

import click

from migrate.cli.options import Common, common, environment, finish, fitting, workers


@click.command("assess")
@click.argument("estate")
@click.option(
    "--to", "target", required=True, metavar="TYPE|ESTATE", help="A type of service, or a live one."
)
@fitting
@environment
@workers
@common
def command(
    common: Common, estate: str, target: str, workers: int, environment: str | None, **given: Any
) -> None:
    """Say per object and field of ESTATE what --to would keep, adapt, lose or refuse. Writes nothing.

    Against a type (azure-openai, openai, foundry-classic, foundry) it asks no service; against a live
    estate it also looks for deployments, connections and what is there already. Exit 1 when something
    would be lost or is blocked and was not accepted.
    """
    from migrate.cli.planning import assessed, choices
    from migrate.reports.assess import as_dict, as_text
    from migrate.reports.losses import unaccepted

    config = common.config.meeting(environment, target)
    found = assessed(estate, target, config, choices(config, **given), workers, common.progress())
    common.answer(as_dict(found), as_text(found))
    finish(1 if unaccepted(found.losses) else 0)
