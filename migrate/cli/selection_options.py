"""The options that select objects of an estate, the same on every command that has them."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import Any

import click

from migrate.cli.options import CommandFunction, with_options
from migrate.errors import NothingSelected
from migrate.files.text import ids_of_lines, read_standard_input, read_text
from migrate.model.selection import SELECTABLE_KINDS, parse_selection
from migrate.stages.filters import ObjectFilter

STANDARD_INPUT = "-"
ID_LIST_ADVICE = "write one id a line, as UTF-8; # begins a comment"


def selection_options(function: CommandFunction) -> CommandFunction:
    """The options that select objects; the command receives one `Selection` as `selection`."""
    return _with_selection(function, "Add the objects that the selected ones need.", dependencies=True)


def listing_selection_options(function: CommandFunction) -> CommandFunction:
    """As `selection_options`, for a command that lists objects: what they need is added only on request."""
    return _with_selection(function, "Add the objects that the listed ones need.", dependencies=False)


def selection_and_filter_options(function: CommandFunction) -> CommandFunction:
    """As `selection_options`, for `snapshot` and `export`: rules may be about any kind, and kinds without a
    rule are taken whole. The command also receives all rules as `object_filter`, an `ObjectFilter`; the
    selection has those about kinds that can be selected."""

    @wraps(function)
    def wrapped(include: tuple[str, ...], exclude: tuple[str, ...], **others: Any) -> Any:
        object_filter = ObjectFilter.parse(include, exclude)
        selectable = [[text for text in rules if _is_selectable(text)] for rules in (include, exclude)]
        return inner(
            include=tuple(selectable[0]),
            exclude=tuple(selectable[1]),
            object_filter=object_filter,
            other_kinds_whole=True,
            **others,
        )

    inner = _with_selection(function, "Add the objects that the selected ones need.", dependencies=True)
    return wrapped  # type: ignore[return-value]


def _is_selectable(rule: str) -> bool:
    return rule.partition(":")[0] in SELECTABLE_KINDS


def _with_selection(function: CommandFunction, dependencies_help: str, dependencies: bool) -> CommandFunction:
    """A command with the options; `dependencies` is the default of --dependencies."""

    @wraps(function)  # also keeps the options that click has noted on the function
    def wrapped(
        include: tuple[str, ...],
        ids: tuple[str, ...],
        ids_file: str | None,
        exclude: tuple[str, ...],
        after: str | None,
        before: str | None,
        meta: tuple[str, ...],
        dependencies: bool,
        other_kinds_whole: bool = False,
        **others: Any,
    ) -> Any:
        listed = () if ids_file is None else read_id_list(ids_file)
        if ids_file is not None and not (listed or ids or include):
            raise NothingSelected(f"--ids {ids_file}: there is no id in it", todo=ID_LIST_ADVICE)
        selection = parse_selection(
            include, (*ids, *listed), exclude, after, before, meta, dependencies, other_kinds_whole
        )
        return function(selection=selection, **others)

    several: dict[str, Any] = {"multiple": True}
    return with_options(  # type: ignore[return-value]
        wrapped,
        click.option(
            "--dependencies/--no-dependencies", default=dependencies, show_default=True,
            help=dependencies_help,
        ),
        click.option(
            "--meta", metavar="KEY=GLOB", **several,
            help="Only objects whose metadata have KEY with a value that matches GLOB; may be repeated.",
        ),
        click.option(
            "--before", metavar="DATE",
            help="Only threads whose newest message is before this date.",
        ),
        click.option(
            "--after", metavar="DATE", help="Only threads with a message from this date on."
        ),
        click.option(
            "--exclude", metavar="KIND:GLOB", help="Leave out objects whose name or id matches.", **several
        ),
        click.option(
            "--ids", "ids_file", metavar="FILE|-",
            help="Add the objects whose ids are in FILE, one id per line; - is stdin.",
        ),
        click.option(
            "--id", "ids", metavar="ID", **several,
            help="Add this object to the selection, by id, name, or a beginning of its id.",
        ),
        click.option(
            "--include", metavar="KIND:GLOB", help="Select objects whose name or id matches.", **several
        ),
    )  # fmt: skip


def read_id_list(name: str) -> list[str]:
    """The ids in a file, or in standard input for `-`. Raises `BadUsage` for what is not UTF-8 text."""
    if name == STANDARD_INPUT:
        return ids_of_lines(read_standard_input(ID_LIST_ADVICE))
    return ids_of_lines(read_text(Path(name), ID_LIST_ADVICE))
