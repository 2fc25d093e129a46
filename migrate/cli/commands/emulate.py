"""emulate: an emulated service on loopback."""

from dataclasses import replace
from pathlib import Path

import click

from migrate.cli import print_message
from migrate.cli.options import Common, common_options
from migrate.emulator import Emulator, FaultsFileError, Options, serve
from migrate.errors import BadUsage

MAX_SKIPPED_SHOWN = 50


@click.command("emulate")
@click.option(
    "--service",
    type=click.Choice(["azure-openai", "openai", "foundry"]),
    default="azure-openai",
    show_default=True,
    help="The service to emulate.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    default=8001,
    show_default=True,
    help="Port on 127.0.0.1; 0 is any free port.",
)
@click.option(
    "--key", metavar="KEY", default="emulator", show_default=True, help="The key that clients must send."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of saved API answers to serve.",
)
@click.option(
    "--retired", is_flag=True, help="Answer as a service that no longer has assistants or classic agents."
)
@click.option(
    "--latency",
    type=click.FloatRange(0, 3_600),
    metavar="SECONDS",
    default=0.0,
    help="Delay of every answer.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that says which requests fail, and how.",
)
@common_options
def emulate_command(
    common: Common, service: str, port: int, key: str, state: Path | None, retired: bool, latency: float,
    faults: Path | None,
) -> None:  # fmt: skip
    """Serve an emulated Azure OpenAI resource, OpenAI project or Foundry project on 127.0.0.1.

    For rehearsals without an account. A Foundry project serves classic agents and new ones at one address.

    --state DIR serves saved API answers: JSON or JSON lines of objects, lists or dumps; bytes in
    DIR/content/FILE_ID or beside the answers. Every file, row and unfinished list that is not loaded is
    reported on stderr.

    --faults FILE lets requests fail as FILE says, in the same way in each run: docs/emulator.md.

    \b
    Examples:
      assistants-migrate emulate
      assistants-migrate emulate --service foundry --port 8013 --state project
      assistants-migrate emulate --port 8011 --state east --faults faults.toml
    """

    given = Options(service=service, port=port, key=key, state=state, retired=retired, latency=latency)  # type: ignore[arg-type]
    try:
        options = replace(given, faults=faults)
    except FaultsFileError as wrong:
        raise BadUsage(wrong.what, wrong.why, "docs/emulator.md describes faults files") from None

    def ready(cloud: Emulator) -> None:
        url = cloud.url
        skipped = [{"file": row.file, "reason": row.reason} for row in cloud.skipped]
        document = {"url": url, "service": service, "held": cloud.estate.counts(), "skipped": skipped}
        for row in cloud.skipped[:MAX_SKIPPED_SHOWN]:
            print_message(f"not loaded: {row.file}: {row.reason}")
        if (more := len(skipped) - MAX_SKIPPED_SHOWN) > 0:
            click.echo(f"not loaded: {more:,} more; --json lists them all", err=True)
        common.write_result(document, f"{service}+{url}   (key: {key}; Ctrl-C ends it)")

    serve(options, on_started=ready)
