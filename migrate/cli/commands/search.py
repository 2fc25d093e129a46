"""search: where a text stands in a snapshot."""

import sys
from itertools import islice

import click

from migrate.cli import clean
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.line_wrap import fitted
from migrate.cli.options import Common, common_options, exit_with
from migrate.cli.streams import broken
from migrate.errors import BadUsage
from migrate.reports.commands.objects import hit_line, search_document
from migrate.stages.query.search import SEARCHED_FIELDS, search


@click.command("search")
@click.argument("archive")
@click.argument("text")
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be repeated.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="Stop after so many hits."
)
@common_options
def search_command(common: Common, archive: str, text: str, kinds: tuple[str, ...], limit: int) -> None:
    """Find TEXT in ARCHIVE[@SNAPSHOT]: in messages, instructions, descriptions, names and file names.

    TEXT is taken as it is, upper and lower case alike. Exit 1 when it is nowhere.
    """

    if not text:
        raise BadUsage("there is no text to look for", todo="give one: search ARCHIVE TEXT")
    for kind in kinds:
        if kind not in SEARCHED_FIELDS:
            raise BadUsage(f"nothing is searched in kind {kind!r}", f"kinds are {', '.join(SEARCHED_FIELDS)}")
    kept, found = [], 0
    with archived_snapshot(archive, common.config) as there:
        hits = search(there, text, kinds)
        for hit in islice(hits, min(limit, sys.maxsize)):
            if broken():
                break
            found += 1
            if common.as_json:
                kept.append(hit)
            else:
                click.echo(fitted(clean(hit_line(hit)), sys.stdout))
        more = next(hits, None) is not None
    if common.as_json:
        common.answer(search_document(kept), "")
    if more and not common.quiet:
        click.echo(f"stopped after {limit:,}; --limit N shows more", err=True)
    if not found and not common.quiet:
        click.echo("nothing found", err=True)
    exit_with(0 if found else 1)
