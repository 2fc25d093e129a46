"""export: write an estate's configuration as files that people review."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from migrate.cli.config import Config
from migrate.cli.estate_argument import LiveEstate, resolve_estate
from migrate.cli.options import Common, common_options, environment, exit_with, workers
from migrate.cli.selection_options import selection_and_filter_options
from migrate.cli.sides import open_estate
from migrate.endpoints import connect_reader
from migrate.errors import BadUsage, NothingSelected
from migrate.model import KINDS
from migrate.model.entity import JSON
from migrate.model.results.export import ExportResult
from migrate.model.selection import Selection
from migrate.reports.commands.archive import unknown_id_text, unmatched_text
from migrate.reports.commands.export import export_document, export_text, terraform_document, terraform_text
from migrate.stages.estate import Estate
from migrate.stages.export.run import EXPORTED_KINDS, ExportOptions, export
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
from migrate.stages.progress import Progress
from migrate.stages.selection import SelectedObjects, select_objects
from migrate.stages.snapshot.live_estate import configuration_options, temporary_snapshot


@contextmanager
def _open_configuration(
    text: str, config: Config, with_bytes: bool, workers: int, progress: Progress
) -> Iterator[Estate]:
    """Any estate; of a live one only the configuration is read, into a temporary archive."""
    estate = resolve_estate(text, config, workers)
    if not isinstance(estate, LiveEstate):
        with open_estate(text, config, workers, progress) as archived:
            yield archived
        return
    with closing(connect_reader(estate.settings)) as reader:
        reader.probe()
        options = replace(configuration_options(workers, (), False), bytes=with_bytes)
        with temporary_snapshot(reader, options, progress) as (live, _):
            yield live


def _select(estate: Estate, selection: Selection) -> SelectedObjects | None:
    """The selected objects; None where only rules select, which need no other objects. Raises `BadUsage` for
    dates where the threads were not read, and `NothingSelected`."""
    if selection.has_only_rules:
        return None
    if estate.is_live and selection.has_dates:
        raise BadUsage(
            "dates select threads, and an export of a live estate reads none",
            "",
            "take a snapshot and export it: export FILE.db DIR",
        )
    selected = select_objects(estate, selection)
    if selected is not None and not any(map(selected.ids, EXPORTED_KINDS)):
        raise NothingSelected(
            "the selection has no assistant, vector store or file",
            "a config directory holds nothing else",
            "select one of them",
        )
    return selected


def _export_terraform(
    estate: Estate, folder: Path, choice: ObjectFilter, config: Config
) -> tuple[dict[str, JSON], str]:
    """Write agents.tf into a folder; returns the JSON document and the text of the result."""
    if estate.type == FOUNDRY_SERVICE:
        result = export_agents(estate, choice)
    else:
        options = PlanOptions(models=config.models, connections=config.connections, bytes_later=True)
        plan = plan_without_target(FOUNDRY_SERVICE, estate, options)
        result = export_adapted_assistants(estate, choice, plan)
    path = folder / TERRAFORM_FILE
    must_be_terraform_export(path)
    write_file(folder, TERRAFORM_FILE, result.agents.text.encode("utf-8", "replace"), ExportResult(folder))
    return terraform_document(result, path), terraform_text(result, path)


@click.command("export")
@click.argument("estate")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(["directory", "azapi"]), default="directory", show_default=True,
    help="Files for git, or agents.tf for Terraform's azapi provider.",
)  # fmt: skip
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(["assistant", "vector_store", "file"]),
    help="Write only files of this kind; may be repeated.",
)  # fmt: skip
@selection_and_filter_options
@click.option("--bytes", "with_bytes", is_flag=True, help="Write the bytes of files too.")
@click.option(
    "--partial",
    is_flag=True,
    help="Accept a source that could not be read completely; then no file is removed.",
)
@environment
@workers
@common_options
def export_command(
    common: Common, estate: str, directory: Path, format_: str, kinds: tuple[str, ...],
    selection: Selection, object_filter: ObjectFilter, with_bytes: bool, partial: bool,
    environment: str | None, workers: int,
) -> None:  # fmt: skip
    """Write the configuration of ESTATE, live or archived, as a config directory.

    One Markdown file for each assistant, YAML for vector stores and files, names instead of ids, no secrets.
    Exporting again changes only what changed; variables.toml and files of your own stay.

    --include and --exclude concern only the kinds that they name: objects of other kinds are all written. If
    --id, --ids, --after, --before or --meta is given, only selected objects are written, as with plan. A
    config directory has no threads: select threads, in an archive only, to get the files and vector stores
    that they need. Exit 3 when ESTATE does not have an id that was selected.

    \b
    Examples:
      assistants-migrate export east agents
      assistants-migrate export estate.db support --id "Product Support"
    """
    config = common.config.for_command(environment, estate)
    with _open_configuration(estate, config, with_bytes, workers, common.progress()) as opened:
        selected = _select(opened, selection)
        choice = object_filter.limited_to(selected) if selected else object_filter
        if format_ == "azapi":
            document, text = _export_terraform(opened, directory, choice, config)
            unmatched = choice.unmatched_rules(KINDS.keys() - {"assistant"})  # nothing else is written
            text = "\n".join([text, *map(unmatched_text, unmatched)])
        else:
            options = ExportOptions(
                directory,
                config.environment,
                config.other_side,
                frozenset(kinds),
                choice,
                with_bytes,
                partial,
            )
            result = export(opened, options)
            unmatched = choice.unmatched_rules()
            result.notes += map(unmatched_text, unmatched)
            document, text = export_document(result), export_text(result)
    unknown = list(selected.unknown_ids) if selected else []
    if selected:
        unmatched += selected.unmatched_rules
        numbers = dict(selected.other_snapshots)
        remarks = [
            *map(unmatched_text, selected.unmatched_rules),
            *(unknown_id_text(id_, numbers.get(id_), "estate") for id_ in unknown),
        ]
        text = "\n".join([text, *remarks, *selected.notes])
    common.write_result({**document, "unmatched": unmatched, "unknown_ids": unknown}, text)
    exit_with(3 if unknown else 1 if unmatched else 0)
