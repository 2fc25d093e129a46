"""mcp: an archive as tools of an assistant, over standard input and output."""

from __future__ import annotations

import json

import click

from migrate.archive.database import Archive, translate_damage
from migrate.archive.snapshots.named import find_snapshot_named
from migrate.cli import print_message, safe_text
from migrate.cli.estate_argument import archived_estate
from migrate.cli.options import Common, common_options


@click.command("mcp")
@click.argument("archive")
@common_options
def mcp_command(common: Common, archive: str) -> None:
    """Give an assistant tools that read ARCHIVE[@SNAPSHOT], over the Model Context Protocol on standard input
    and output.

    A client such as Claude Desktop, VS Code or Cursor starts this command: docs/mcp.md has the lines for its
    settings. The tools only read: search, threads, assistants, history, texts of files, snapshots,
    differences. What `show` masks is masked here too.

    Without @SNAPSHOT the newest snapshot is read, also one that is taken later. Standard output is only for
    the protocol: --json prints one line on standard error when the server is ready. The command ends when its
    standard input ends, or with Ctrl-C.

    \b
    Examples:
      assistants-migrate mcp estate.db
      assistants-migrate mcp estate.db@1 --quiet
    """
    from migrate.mcp.package_check import check_mcp_package

    check_mcp_package()
    from migrate.mcp.server import ARCHIVE_TOOLS, ServedArchive, run_server

    estate = archived_estate(archive, common.config)
    path = estate.path.absolute()
    with Archive.open(path) as opened, translate_damage(path):
        info = find_snapshot_named(opened.conn, path, estate.which)

    def ready() -> None:
        document = {
            "archive": str(path),
            "snapshot": info.id,
            "transport": "stdio",
            "tools": list(ARCHIVE_TOOLS),
        }
        if common.as_json:
            click.echo(safe_text(json.dumps(document)), err=True)
        elif not common.quiet:
            print_message(f"{path}, snapshot {info.id}: ready on standard input and output; Ctrl-C ends it")

    run_server(ServedArchive(path, estate.which), ready, lambda text: click.echo(text, err=True))
