"""diff: what differs between two estates."""

from pathlib import Path

import click

from migrate import __version__
from migrate.cli.options import Common, common, environment, finish, workers
from migrate.cli.report_options import Wanted, reporting, show

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("diff")
@click.argument("left")
@click.argument("right")
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be repeated.")
@click.option("--include", multiple=True, metavar="KIND:GLOB", help="Only objects whose name or id fits.")
@click.option("--exclude", multiple=True, metavar="KIND:GLOB", help="Not objects whose name or id fits.")
@click.option("--ignore", "ignore", multiple=True, type=FILE, help="A file of rules: what may differ.")
@click.option("--since", metavar="SNAPSHOT", help="Only objects that are no longer as they were there.")
@click.option("--journal", type=FILE, help="An archive whose id map says which object is which.")
@reporting
@environment
@workers
@common
def command(
    common: Common, left: str, right: str, kinds: tuple[str, ...], include: tuple[str, ...],
    exclude: tuple[str, ...], ignore: tuple[Path, ...], since: str | None, journal: Path | None,
    wanted: Wanted, environment: str | None, workers: int,
) -> None:  # fmt: skip
    """Compare any two estates: live, archived, or a config directory. Read only.

    Beside a config directory only configuration is compared: assistants, the vector stores and files that
    they use, and named stores.

    Exit 0 when nothing differs, 1 when something does, 3 when a side could not be read whole.
    """
    from contextlib import ExitStack

    from migrate.archive.snapshots.writer import now
    from migrate.cli.comparing import baseline, compared
    from migrate.cli.picturing import Camera
    from migrate.reports.commands.diff import as_dict, as_report
    from migrate.stages.diff.ignore_rules import read_rules
    from migrate.stages.diff.scope import Focus
    from migrate.stages.filters import Choice, must_be_kinds

    must_be_kinds(kinds)
    wanted.check(left, right, *ignore, *([journal] if journal else []))
    camera = Camera(wanted.pictures)
    config, progress = common.config.meeting(environment, ""), common.progress()
    with ExitStack() as stack:
        focus = Focus(
            kinds=frozenset(kinds),
            choice=Choice.of(include, exclude),
            rules=tuple(rule for file in ignore for rule in read_rules(file)),
            since=stack.enter_context(baseline(since, left, right, config)) if since else None,
            models=config.models,
            connections=config.connections,
        )
        found = compared(left, right, config, focus, journal, workers, progress, camera)
    report = as_report(found, left, right, now(), __version__, camera.pictures)
    show(common, wanted, as_dict(found), report)
    finish(found.exit_code)
