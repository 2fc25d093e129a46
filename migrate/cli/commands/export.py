"""export: an estate's configuration as files that people review."""

from pathlib import Path

import click

from migrate.cli.options import Common, common, environment, finish, workers


@click.command("export")
@click.argument("estate")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(["directory", "azapi"]), default="directory", show_default=True,
    help="Files for git, or agents.tf for Terraform's azapi provider.",
)  # fmt: skip
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(["assistant", "vector_store", "file"]),
    help="Only files about this kind; may be repeated.",
)  # fmt: skip
@click.option("--include", multiple=True, metavar="KIND:GLOB", help="Only objects whose name or id fits.")
@click.option("--exclude", multiple=True, metavar="KIND:GLOB", help="Not objects whose name or id fits.")
@click.option("--bytes", "with_bytes", is_flag=True, help="The bytes of files too.")
@click.option("--partial", is_flag=True, help="Also from what was not read whole; nothing is removed then.")
@environment
@workers
@common
def command(
    common: Common, estate: str, directory: Path, format_: str, kinds: tuple[str, ...],
    include: tuple[str, ...], exclude: tuple[str, ...], with_bytes: bool, partial: bool,
    environment: str | None, workers: int,
) -> None:  # fmt: skip
    """Write the configuration of ESTATE, live or archived, as a config directory.

    One Markdown file for each assistant, YAML for vector stores and files, names instead of ids, no secrets.
    Exporting again changes only what changed; variables.toml and files of your own stay.
    """
    from migrate.cli.exporting import read_whole, write_terraform
    from migrate.model import KINDS
    from migrate.reports.commands.export import as_dict, as_text
    from migrate.reports.commands.snapshot import unmatched as said_of
    from migrate.stages.export.run import Asked, export
    from migrate.stages.filters import Choice

    config = common.config.meeting(environment, estate)
    choice = Choice.of(include, exclude)
    with read_whole(estate, config, with_bytes, workers, common.progress()) as found:
        if format_ == "azapi":
            document, text = write_terraform(found, directory, choice, config)
            unmatched = choice.unfitted(KINDS.keys() - {"assistant"})  # nothing else is written
            common.answer({**document, "unmatched": unmatched}, "\n".join([text, *map(said_of, unmatched)]))
            finish(1 if unmatched else 0)
            return
        asked = Asked(
            directory, config.environment, config.facing, frozenset(kinds), choice, with_bytes, partial
        )
        done = export(found, asked)
    unmatched = choice.unfitted()
    done.notes += map(said_of, unmatched)
    common.answer({**as_dict(done), "unmatched": unmatched}, as_text(done))
    finish(1 if unmatched else 0)
