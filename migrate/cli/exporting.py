"""Joins what an export needs: an estate of any sort, read without its threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.cli.config import Config
from migrate.cli.estate_argument import Live, opened, resolve

if TYPE_CHECKING:
    from migrate.stages.estate import Estate
    from migrate.stages.filters import Choice
    from migrate.stages.progress import Progress


@contextmanager
def read_whole(
    estate: str, config: Config, with_bytes: bool, workers: int, progress: Progress
) -> Iterator[Estate]:
    """Any estate; a live one is read into a temporary archive, configuration only."""
    found = resolve(estate, config, workers)
    if not isinstance(found, Live):
        with opened(estate, config, workers, progress) as kept:
            yield kept
        return
    from migrate.endpoints import connect
    from migrate.stages.snapshot.live_estate import configuration, live

    reader = connect(found.settings)
    try:
        reader.probe()
        wanted = replace(configuration(workers, (), False), bytes=with_bytes)
        with live(reader, wanted, progress) as (read, _):
            yield read
    finally:
        reader.close()


def write_terraform(
    estate: Estate, folder: Path, choice: Choice, config: Config
) -> tuple[dict[str, Any], str]:
    """agents.tf in a folder, and what to say about it."""
    from migrate.cli.plan_inputs import against_nothing
    from migrate.reports.commands.terraform import as_dict, as_text
    from migrate.stages.export.run import Exported
    from migrate.stages.export.terraform import FILE, FOUNDRY, as_adapted, as_they_are, must_be_ours
    from migrate.stages.export.write_file import put
    from migrate.stages.plan.options import Choices

    if estate.type == FOUNDRY:
        found = as_they_are(estate, choice)
    else:
        choices = Choices(models=config.models, connections=config.connections, bytes_later=True)
        found = as_adapted(estate, choice, against_nothing(FOUNDRY, estate, choices))
    result = Exported(folder)
    must_be_ours(folder / FILE)
    put(folder, FILE, found.agents.text.encode("utf-8", "replace"), result)
    return as_dict(found, folder / FILE), as_text(found, folder / FILE)
