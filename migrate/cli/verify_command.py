"""verify: proof that everything arrived."""

from pathlib import Path

import click

from migrate.cli.options import Common, common, finish, workers


@click.command("verify")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False))
@workers
@common
def command(common: Common, plan_file: Path, workers: int) -> None:
    """Read the target of PLAN_FILE back and compare every object: fields, order, text, references, bytes.

    Exit 1 when something is not as it should be.
    """
    from migrate.cli.planning import from_plan
    from migrate.codecs import profile_for
    from migrate.reports.verify import as_dict, as_text
    from migrate.stages.comparing.verify import run
    from migrate.stages.planning.planfile import read

    plan = read(plan_file)
    with from_plan(plan, common.config, workers, write=False) as (archive, source, reader):
        profile = profile_for(reader.type, reader.api_version)
        found = run(plan, source, archive, reader, profile, workers, common.progress())
    common.answer(as_dict(found), as_text(found))
    finish(1 if found.findings else 0)
