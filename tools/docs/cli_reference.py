"""Write docs/cli.md: `python -m tools.docs.cli_reference` prints what every `--help` says.

The width is fixed, so the text is the same in every terminal; a test compares it with the file.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from migrate.cli import COMMANDS, program

NAME = "assistants-migrate"
WIDTH = 100

HEAD = f"""# Commands

<!-- Written by `make docs` from the program itself. Do not edit. -->

`{NAME} COMMAND ...`; also `python -m migrate COMMAND ...`. The result goes to standard output, progress
and errors to standard error. ESTATE, SOURCE, TARGET, LEFT and RIGHT are written as the
[README](../README.md#naming-an-estate) says."""


def reference() -> str:
    """The whole page."""
    return "\n\n".join([HEAD, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    top = _context(program, NAME, None)
    yield _help(program, top)
    for name, what in COMMANDS.items():
        command = program.get_command(top, name)
        if command is None:
            raise LookupError(f"{name} is listed and has no command")
        yield f"## {name}\n\n{what[0].upper()}{what[1:]}."
        yield _help(command, _context(command, name, top))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _help(command: click.Command, context: click.Context) -> str:
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    return f"```text\n{text}\n```"


if __name__ == "__main__":
    click.echo(reference(), nl=False)
