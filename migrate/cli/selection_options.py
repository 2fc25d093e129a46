"""The options that select objects of an estate, the same on every command that has them."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import Any

import click

from migrate.cli.options import CommandFunction
from migrate.errors import NothingSelected
from migrate.files.text import ids_of_lines, read_standard_input, read_text
from migrate.model.selection import parse_selection

STANDARD_INPUT = "-"
ID_LIST_ADVICE = "write one id a line, as UTF-8; # begins a comment"


def selection_options(function: CommandFunction) -> CommandFunction:
    """The options that select objects; the command receives one `Selection` as `selection`."""

    @wraps(function)  # also keeps the options that click has noted on the function
    def wrapped(
        include: tuple[str, ...],
        ids: tuple[str, ...],
        ids_file: str | None,
        exclude: tuple[str, ...],
        after: str,
        before: str,
        meta: tuple[str, ...],
        no_dependencies: bool,
        **others: Any,
    ) -> Any:
        listed = read_id_list(ids_file) if ids_file else ()
        if ids_file and not (listed or ids or include):
            raise NothingSelected(f"--ids {ids_file}: there is no id in it", todo=ID_LIST_ADVICE)
        selection = parse_selection(
            include, (*ids, *listed), exclude, after, before, meta, dependencies=not no_dependencies
        )
        return function(selection=selection, **others)

    several: dict[str, Any] = {"multiple": True}
    for option in (
        click.option("--no-dependencies", is_flag=True, help="Leave out what the selected objects need."),
        click.option(
            "--meta", metavar="KEY=GLOB", help="Only objects with this metadata; may be repeated.", **several
        ),
        click.option("--before", metavar="DATE", default="", help="Only threads older than this."),
        click.option(
            "--after", metavar="DATE", default="", help="Only threads with a message from this date on."
        ),
        click.option("--exclude", metavar="KIND:GLOB", help="Not objects whose name or id fits.", **several),
        click.option("--ids", "ids_file", metavar="FILE|-", help="Also the ids in a file, one a line."),
        click.option("--id", "ids", metavar="ID", help="Also this object, by id or name.", **several),
        click.option("--include", metavar="KIND:GLOB", help="Objects whose name or id fits.", **several),
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def read_id_list(name: str) -> list[str]:
    """The ids in a file, or in standard input for `-`. Raises `BadUsage` for what is not UTF-8 text."""
    if name == STANDARD_INPUT:
        return ids_of_lines(read_standard_input(ID_LIST_ADVICE))
    return ids_of_lines(read_text(Path(name), ID_LIST_ADVICE))
