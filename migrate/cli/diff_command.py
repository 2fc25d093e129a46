"""diff: what differs between two estates."""

from pathlib import Path

import click

from migrate.cli.options import Common, common, finish, workers


@click.command("diff")
@click.argument("left")
@click.argument("right")
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be repeated.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@workers
@common
def command(
    common: Common,
    left: str,
    right: str,
    kinds: tuple[str, ...],
    format_: str,
    output: Path | None,
    workers: int,
) -> None:
    """Compare any two estates, live or archived. Read only.

    Exit 0 when nothing differs, 1 when something does, 3 when a side could not be read whole.
    """
    import json

    from migrate.archive.store import must_not_be_archive
    from migrate.cli import clean
    from migrate.cli.estates import opened
    from migrate.cli.journals import known_pairs
    from migrate.errors import BadUsage
    from migrate.model import KINDS
    from migrate.reports.diff import as_dict, as_text
    from migrate.stages.comparing.diff import diff

    for kind in kinds:
        if kind not in KINDS:
            raise BadUsage(f"there is no kind {kind!r}", f"kinds are {', '.join(KINDS)}")
    if output:
        must_not_be_archive(output)
    config, progress = common.config, common.progress()
    with opened(left, config, workers, progress) as one, opened(right, config, workers, progress) as other:
        journal = known_pairs([(left, one), (right, other)], config)
        found = diff(one, other, journal, frozenset(kinds))
    document, text = as_dict(found), as_text(found, left, right)
    if output:
        content = (
            json.dumps(document, indent=1, default=str)
            if format_ == "json" or common.as_json
            else clean(text)
        )
        output.write_text(content + "\n", encoding="utf-8")
    elif format_ == "json":
        common.answer(document, json.dumps(document, indent=1, default=str))
    else:
        common.answer(document, text)
    finish(3 if found.unread else 1 if found.changes else 0)
