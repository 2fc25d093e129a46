"""export: an estate's configuration as files that people review."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrate.cli.config import Config
from migrate.cli.estate_argument import LiveEstate, opened_estate, resolve_estate
from migrate.cli.options import Common, common_options, environment, exit_with, workers
from migrate.endpoints import connect_reader
from migrate.model import KINDS
from migrate.model.results.export import ExportResult
from migrate.reports.commands.archive import unmatched_text as said_of
from migrate.reports.commands.export import export_document, export_text, terraform_document, terraform_text
from migrate.stages.export.run import ExportOptions, export
from migrate.stages.export.terraform import (
    FOUNDRY_SERVICE,
    TERRAFORM_FILE,
    export_adapted_assistants,
    export_agents,
    must_be_terraform_export,
)
from migrate.stages.export.write_file import write_file
from migrate.stages.filters import ObjectFilter
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.run import plan_without_target
from migrate.stages.snapshot.live_estate import configuration_options, temporary_snapshot

if TYPE_CHECKING:
    from migrate.stages.estate import Estate
    from migrate.stages.filters import ObjectFilter
    from migrate.stages.progress import Progress


@contextmanager
def read_whole(
    estate: str, config: Config, with_bytes: bool, workers: int, progress: Progress
) -> Iterator[Estate]:
    """Any estate; a live one is read into a temporary archive, configuration only."""
    found = resolve_estate(estate, config, workers)
    if not isinstance(found, LiveEstate):
        with opened_estate(estate, config, workers, progress) as kept:
            yield kept
        return

    reader = connect_reader(found.settings)
    try:
        reader.probe()
        wanted = replace(configuration_options(workers, (), False), bytes=with_bytes)
        with temporary_snapshot(reader, wanted, progress) as (read, _):
            yield read
    finally:
        reader.close()


def write_terraform(
    estate: Estate, folder: Path, choice: ObjectFilter, config: Config
) -> tuple[dict[str, Any], str]:
    """agents.tf in a folder, and what to say about it."""

    if estate.type == FOUNDRY_SERVICE:
        found = export_agents(estate, choice)
    else:
        choices = PlanOptions(models=config.models, connections=config.connections, bytes_later=True)
        found = export_adapted_assistants(
            estate, choice, plan_without_target(FOUNDRY_SERVICE, estate, choices)
        )
    result = ExportResult(folder)
    must_be_terraform_export(folder / TERRAFORM_FILE)
    write_file(folder, TERRAFORM_FILE, found.agents.text.encode("utf-8", "replace"), result)
    return terraform_document(found, folder / TERRAFORM_FILE), terraform_text(found, folder / TERRAFORM_FILE)


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
@common_options
def export_command(
    common: Common, estate: str, directory: Path, format_: str, kinds: tuple[str, ...],
    include: tuple[str, ...], exclude: tuple[str, ...], with_bytes: bool, partial: bool,
    environment: str | None, workers: int,
) -> None:  # fmt: skip
    """Write the configuration of ESTATE, live or archived, as a config directory.

    One Markdown file for each assistant, YAML for vector stores and files, names instead of ids, no secrets.
    Exporting again changes only what changed; variables.toml and files of your own stay.
    """

    config = common.config.meeting(environment, estate)
    choice = ObjectFilter.parse(include, exclude)
    with read_whole(estate, config, with_bytes, workers, common.progress()) as found:
        if format_ == "azapi":
            document, text = write_terraform(found, directory, choice, config)
            unmatched = choice.unmatched_rules(KINDS.keys() - {"assistant"})  # nothing else is written
            common.answer({**document, "unmatched": unmatched}, "\n".join([text, *map(said_of, unmatched)]))
            exit_with(1 if unmatched else 0)
            return
        asked = ExportOptions(
            directory, config.environment, config.facing, frozenset(kinds), choice, with_bytes, partial
        )
        done = export(found, asked)
    unmatched = choice.unmatched_rules()
    done.notes += map(said_of, unmatched)
    common.answer({**export_document(done), "unmatched": unmatched}, export_text(done))
    exit_with(1 if unmatched else 0)
