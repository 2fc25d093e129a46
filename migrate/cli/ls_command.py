"""ls: the objects of a snapshot."""

import click

from migrate.cli.options import Common, common


@click.command("ls")
@click.argument("archive")
@click.option("--kind", help="Only this kind (assistant, thread, file, ...).")
@common
def command(common: Common, archive: str, kind: str | None) -> None:
    """List the objects of ARCHIVE[@SNAPSHOT]: kind, id, name, where it lies. Messages only with --kind."""
    from migrate.cli.archived import snapshot
    from migrate.reports.objects import as_dict, as_text, row
    from migrate.stages.choice import must_be_kinds

    must_be_kinds([kind] if kind else [])
    shown = [kind] if kind else ["assistant", "vector_store", "file", "thread"]
    with snapshot(archive, common.config) as found:
        rows = [row(name, parent, body) for name in shown for parent, body in found.bodies(name, None)]
        counts = found.counts()
    common.answer(as_dict(rows), as_text(rows, counts))
