"""A config directory as the SOURCE of a plan: kept as it was read, in an archive beside the plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.cli.estate_argument import ConfigDirectory, say_environment
from migrate.errors import BadUsage, Refused
from migrate.files.output import STDOUT

if TYPE_CHECKING:
    from migrate.stages.estate import Estate
    from migrate.stages.progress import Progress


@contextmanager
def kept(found: ConfigDirectory, plan: Path, progress: Progress) -> Iterator[tuple[Estate, Path]]:
    """The directory as an estate, and the archive that it was kept in: what was reviewed is what is
    applied, whatever becomes of the files. An earlier one of the same name goes on, with its journal."""
    from migrate.archive.database import Archive
    from migrate.archive.snapshots.reader import snapshots
    from migrate.codecs.config_directory import TYPE
    from migrate.stages.config_directory import read as config_directory_read

    if plan == STDOUT:
        why = "the config directory is kept in an archive beside the plan, under its name"
        raise BadUsage("a plan from a config directory needs a file", why, "name one: -o plan.json")
    path = plan.with_name(f"{plan.stem}.db")
    if path == plan:
        raise BadUsage(
            f"{plan} is where the config directory is kept", "a plan needs another name", "end it in .json"
        )
    if path.exists():
        with Archive.open(path) as archive:
            foreign = any(info.type != TYPE for info in snapshots(archive.conn))
        if foreign:
            raise Refused(
                f"{path} is an archive of another estate",
                "a plan from a config directory keeps the directory under that name",
                "give -o another name",
            )
    read = config_directory_read.read(found.directory)
    say_environment(read.environment, found, progress)
    with Archive.open(path, write=True, create=True) as archive:
        yield config_directory_read.kept(read, str(found.path.resolve()), archive), path
