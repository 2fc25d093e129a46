"""sync: one-way replication, again and again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from migrate.cli.options import Common, common, finish, fitting, workers


@click.command("sync")
@click.argument("source")
@click.argument("target")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True,
    help="The archive: keep it, it knows what was moved before.",
)  # fmt: skip
@click.option(
    "--threads", default="auto", show_default=True, help="auto, none, a FILE of ids, or - for stdin."
)
@click.option(
    "--on-conflict", type=click.Choice(["fail", "keep", "overwrite"]), default="fail", show_default=True,
    help="What others changed on the target since the last sync.",
)  # fmt: skip
@fitting
@click.option("--prune", is_flag=True, help="Delete on the target what we made and the source no longer has.")
@click.option("--max-update", metavar="N%", help="Refuse to update more (default: 100% beyond 10 objects).")
@click.option("--max-delete", metavar="N%", help="Refuse to delete more (default: 10% beyond 10 objects).")
@click.option("--full", is_flag=True, help="Read every thread anew, also those that seem unchanged.")
@click.option("--dry-run", is_flag=True, help="Snapshot and plan only; nothing is written to the target.")
@workers
@common
def command(
    common: Common, source: str, target: str, output: Path, threads: str, on_conflict: str, prune: bool,
    max_update: str | None, max_delete: str | None, full: bool, dry_run: bool, workers: int, **given: Any,
) -> None:  # fmt: skip
    """Make TARGET like SOURCE: snapshot, plan, apply, verify; only what changed is written.

    Both are live. The plan lies beside the archive, as FILE.plan.json. Exit 4 when others changed on the
    target what this would write over; nothing is deleted without --prune, and never after an incomplete
    reading. Exit 3 when the snapshot was partial or something could not be written, 1 when verify found
    something or a loss was not accepted.
    """
    from migrate.cli.plan_inputs import choices, percent
    from migrate.cli.syncing import Sync
    from migrate.errors import Unreachable
    from migrate.reports.commands.sync import as_dict, as_text

    config = common.config
    chosen = replace(
        choices(config, source, **given),
        prune=prune,
        on_conflict=on_conflict,  # type: ignore[arg-type]
        max_update=percent(max_update),
        max_delete=percent(max_delete),
    )
    sync = Sync(source, target, output, config, chosen, workers, common.progress())
    sync.run(threads, full, dry_run)
    common.answer(as_dict(sync), as_text(sync))
    if sync.outage:
        raise Unreachable(*sync.outage)
    finish(sync.code())
