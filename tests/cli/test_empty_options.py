"""An option with an empty value is refused: without it, a command would do more than was meant."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import click
import pytest

from migrate.cli import COMMANDS, program
from migrate.errors import BadUsage


def options_with_values() -> Iterator[tuple[str, str]]:
    """Every command with each of its options that take a value."""
    for name in COMMANDS:
        command: click.Command = getattr(import_module(f"migrate.cli.commands.{name}"), f"{name}_command")
        for option in command.params:
            if isinstance(option, click.Option) and not (option.is_flag or option.count):
                yield from ((name, spelling) for spelling in option.opts)


def test_no_command_takes_an_empty_value() -> None:
    given = [*options_with_values()]
    assert {("restore", "--to"), ("plan", "--after"), ("sync", "--ids"), ("snapshot", "-o")} <= {*given}
    for command, option in given:
        spellings = [[option, ""]] + ([[f"{option}="]] if option.startswith("--") else [])
        for words in spellings:
            with pytest.raises(BadUsage, match="is empty") as refused:
                program.main([command, "estate.db", *words], standalone_mode=False)
            assert refused.value.exit_code == 2


@pytest.mark.parametrize("words", [["search", "estate.db", ""], ["ls", "--id=a=", "no.db"]])
def test_other_words_may_be_empty(words: list[str]) -> None:
    """A text that is searched, or a value that ends with the sign that may come before a value."""
    with pytest.raises((BadUsage, click.UsageError, click.exceptions.Exit)) as refused:
        program.main(words, standalone_mode=False)
    assert "is empty" not in str(refused.value)


def test_an_empty_id_is_not_every_id() -> None:
    with pytest.raises(BadUsage, match="is empty"):
        program.main(["ids", "estate.db", ""], standalone_mode=False)
