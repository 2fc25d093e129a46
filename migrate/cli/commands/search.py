"""search: find a text in a snapshot as it is, or words by the full-text index."""

import sys
from itertools import islice

import click

from migrate.cli import print_message, safe_text
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import Common, common_options, exit_with
from migrate.cli.streams import stdout_is_broken, wrap_for_terminal
from migrate.errors import BadUsage
from migrate.model.results.query import SearchHit
from migrate.model.search_query import parse_search_query
from migrate.reports.commands.objects import hit_line, search_document
from migrate.reports.commands.text_search import search_page_document, search_page_lines
from migrate.stages.query.search import SEARCHED_FIELDS, search
from migrate.stages.query.text_search import search_index


@click.command("search")
@click.argument("archive")
@click.argument("text", default="")
@click.option(
    "--query", metavar="QUERY",
    help="Find words by the full-text index: words, \"phrases\", prefix*, -excluded, and filters such as "
    "kind:message role:user thread:ID assistant:NAME file:NAME after:DATE before:DATE meta.KEY:VALUE.",
)  # fmt: skip
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="Search only objects of this kind; may be repeated.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=100,
    show_default=True,
    help="Show at most this many hits.",
)
@common_options
def search_command(
    common: Common, archive: str, text: str, query: str | None, kinds: tuple[str, ...], limit: int
) -> None:
    """Find TEXT in ARCHIVE[@SNAPSHOT]: in messages, instructions, descriptions, names and file names.

    TEXT is searched literally; upper and lower case are equal. Exit 1 when no object contains it.

    --query finds words in every text: also in metadata, tool calls and their outputs, and files that are
    text. Case and accents do not matter. The best hits come first. It needs the index that `index` builds.
    docs/search.md describes the query.

    \b
    Examples:
      assistants-migrate search estate.db "warranty"
      assistants-migrate search estate.db --query "kettle role:user"
      assistants-migrate search estate.db@1 --query "warrant* kind:file"
    """
    if query is not None:
        if text:
            raise BadUsage("TEXT and --query cannot both be given", todo="give one of them")
        _search_index(common, archive, " ".join([query, *(f"kind:{kind}" for kind in kinds)]), limit)
    else:
        _search_text(common, archive, text, kinds, limit)


def _search_index(common: Common, archive: str, query: str, limit: int) -> None:
    parsed = parse_search_query(query)
    with archived_snapshot(archive, common.config) as snapshot:
        page = search_index(snapshot, parsed, min(limit, sys.maxsize))
    common.write_result(search_page_document(page), "\n\n".join(search_page_lines(page)))
    if not common.quiet:
        if not page.count:
            click.echo("nothing found", err=True)
            for note in page.notes:
                print_message(f"note: {note}")
        elif len(page.hits) < page.count or page.is_bounded:
            click.echo(f"{len(page.hits):,} of {page.count_text} hits; --limit N shows more", err=True)
    exit_with(0 if page.count else 1)


def _search_text(common: Common, archive: str, text: str, kinds: tuple[str, ...], limit: int) -> None:
    if not text:
        raise BadUsage("there is no text to look for", todo="give one: search ARCHIVE TEXT")
    for kind in kinds:
        if kind not in SEARCHED_FIELDS:
            raise BadUsage(f"nothing is searched in kind {kind!r}", f"kinds are {', '.join(SEARCHED_FIELDS)}")
    rows: list[SearchHit] = []
    count = 0
    with archived_snapshot(archive, common.config) as snapshot:
        hits = search(snapshot, text, kinds)
        for hit in islice(hits, min(limit, sys.maxsize)):
            if stdout_is_broken():
                break
            count += 1
            if common.as_json:
                rows.append(hit)
            else:
                click.echo(wrap_for_terminal(safe_text(hit_line(hit)), sys.stdout))
        more = next(hits, None) is not None
    if common.as_json:
        common.write_result(search_document(rows), "")
    if more and not common.quiet:
        click.echo(f"stopped after {limit:,}; --limit N shows more", err=True)
    if not count and not common.quiet:
        click.echo("nothing found", err=True)
    exit_with(0 if count else 1)
