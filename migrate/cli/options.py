"""Options that several commands have, and the context that they give to a command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from migrate import __version__
from migrate.cli import print_message, safe_text
from migrate.cli.streams import stdout_is_broken, wrap_for_terminal, write_data
from migrate.model.known_secrets import redact

if TYPE_CHECKING:
    from migrate.cli.config import Config
    from migrate.cli.log import CommandLog
    from migrate.cli.progress import StderrProgress
    from migrate.stages.progress import Progress

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])


@dataclass(frozen=True)
class Common:
    """The options of every command, and the output of a command."""

    as_json: bool
    quiet: bool
    config_path: Path | None
    verbose: bool = False
    progress_lines: list[StderrProgress] = field(default_factory=list)
    log: CommandLog | None = None

    @property
    def config(self) -> Config:
        """The config file. It is read when a command needs it, so that other commands start without it."""
        from migrate.cli.config import load_config

        return load_config(self.config_path)

    def progress(self) -> Progress:
        """A new progress for a stage: on standard error, or silent with --quiet."""
        from migrate.cli.progress import StderrProgress  # `ls` and other fast commands have no progress
        from migrate.stages.progress import Progress

        if self.quiet:
            return Progress()
        self.progress_lines.append(StderrProgress())
        return self.progress_lines[-1]

    def log_line(self, text: str) -> None:
        """Show a line of the log on standard error, above the live line of the progress."""
        if self.progress_lines:
            self.progress_lines[-1].show_line(text)
        else:
            print_message(text)

    def end_progress(self) -> None:
        """Remove the live line of the progress, so that other output starts on an empty line."""
        for progress in self.progress_lines:
            progress.close()

    def write_result(self, document: Any, text: str, data: bool = False) -> None:
        """Write the result: one JSON document, or text that is safe for a terminal.

        `data`: the text is meant for another program, which receives it unchanged.
        """
        self.end_progress()
        if self.as_json:
            write_data(f"{redact(json.dumps(document, indent=1, ensure_ascii=True, default=str))}\n")
        elif data and not sys.stdout.isatty():
            write_data(f"{redact(text)}\n")  # click would remove escape sequences
        elif text:
            click.echo(safe_text(text) if data else wrap_for_terminal(safe_text(text), sys.stdout))

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write data line by line: unchanged for another program, safe for a terminal."""
        self.end_progress()
        on_terminal = sys.stdout.isatty()
        for line in lines:
            if stdout_is_broken():
                break
            if on_terminal:
                click.echo(safe_text(line))
            else:
                write_data(f"{redact(line)}\n", flush=False)


FILE_PATH = click.Path(path_type=Path, dir_okay=False)


def common_options(function: CommandFunction) -> CommandFunction:
    """The options of every command; the command receives a `Common` as `common`."""

    def command(
        as_json: bool,
        quiet: bool,
        verbose: bool,
        debug: bool,
        log_file: Path | None,
        config_path: Path | None,
        **arguments: Any,
    ) -> Any:
        common = Common(as_json, quiet, config_path, verbose)
        if verbose or debug or log_file:
            common = _with_log(common, debug, log_file, function.__name__.removesuffix("_command"))
        try:
            return function(common=common, **arguments)
        except BaseException as error:
            if common.log:
                common.log.failed(error)
            raise
        finally:
            common.end_progress()
            if common.log:
                common.log.stop()

    command.__doc__, command.__name__ = function.__doc__, function.__name__
    return with_options(  # type: ignore[return-value]
        command,
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
        click.option(
            "--log-file", type=FILE_PATH, metavar="FILE",
            help="Append a log to FILE, with one line per request; no secrets.",
        ),
        click.option("--debug", is_flag=True, help="As -v, and also one line per request."),
        click.option("--verbose", "-v", is_flag=True, help="Log each step on stderr, also with --quiet."),
        click.option("--quiet", "-q", is_flag=True, help="No progress on stderr."),
        click.option("--config", "config_path", type=FILE_PATH, help="Config file (default: estates.toml)."),
    )  # fmt: skip


def with_options(function: CommandFunction, *options: Callable[[Any], Any]) -> CommandFunction:
    """A command function with options; the last one is the first in `--help`."""
    for option in options:
        function = option(function)
    return function


def _with_log(common: Common, debug: bool, file: Path | None, command: str) -> Common:
    """`common` with a log that was started. `logging` is loaded here: without a log, few commands need it."""
    import logging

    from migrate.cli.config import config_file
    from migrate.cli.log import CommandLog

    level = logging.DEBUG if debug else logging.INFO if common.verbose else None
    log = CommandLog(level, file, common.log_line)
    log.start()
    config = config_file(common.config_path) or "estates.toml, if it is there"
    logging.getLogger(__name__).info("%s, version %s, config file: %s", command, __version__, config)
    return replace(common, log=log)


workers = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    default=8,
    show_default=True,
    help="Number of parallel requests.",
)
environment = click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Environment of a config directory, as variables.toml defines it.",
)
threads_option = click.option(
    "--threads",
    default="auto",
    show_default=True,
    help="auto: the threads that the service lists; none; or FILE with thread ids (- is stdin).",
)
full_option = click.option(
    "--full", is_flag=True, help="Read every thread again, also threads that seem unchanged."
)


def filter_options(function: CommandFunction) -> CommandFunction:
    """--include and --exclude, for `ObjectFilter.parse`."""
    pattern: dict[str, Any] = {"multiple": True, "metavar": "KIND:GLOB"}
    return with_options(
        function,
        click.option("--exclude", help="Leave out objects whose name or id matches.", **pattern),
        click.option("--include", help="Only objects whose name or id matches.", **pattern),
    )


def limit_options(function: CommandFunction) -> CommandFunction:
    """--prune, --max-update and --max-delete: how much a plan may change."""
    return with_options(
        function,
        click.option(
            "--max-delete", metavar="N%",
            help="Refuse a plan that deletes more than N% of the target's objects (default: 10%; the default "
            "never refuses 10 deletions or fewer).",
        ),
        click.option(
            "--max-update", metavar="N%",
            help="Refuse a plan that updates more than N% of the target's objects (default: 100%; the "
            "default never refuses 10 updates or fewer).",
        ),
        click.option(
            "--prune", is_flag=True,
            help="Delete on the target what this program created and the source no longer has.",
        ),
    )  # fmt: skip


def adaptation_options(function: CommandFunction) -> CommandFunction:
    """--models, --connections, --names, --accept-loss and others: how objects are adapted to the target."""
    pair: dict[str, Any] = {"multiple": True, "metavar": "OLD=NEW"}
    return with_options(
        function,
        click.option(
            "--accept-loss", multiple=True, metavar="FIELD|all",
            help="Accept the loss of this field, and objects that it blocks; may be repeated.",
        ),
        click.option(
            "--copy-files", is_flag=True,
            help="Copy files and vector stores that source and target share, instead of using them in both.",
        ),
        click.option(
            "--agent-version", type=click.Choice(["newest", "served"]), default="newest", show_default=True,
            help="Which version of an agent to move: the newest, or the one that its endpoint serves.",
        ),
        click.option(
            "--rewrite-ids", is_flag=True,
            help="Replace old ids by new ones in instructions, tools and metadata.",
        ),
        click.option(
            "--connections",
            help="Map a project connection; in addition to [connections] in the config file.",
            **pair,
        ),
        click.option(
            "--names",
            help="Map an assistant, by id or name, to an agent name; in addition to [names] in the config "
            "file.",
            **pair,
        ),
        click.option(
            "--models", help="Map a deployment name; in addition to [models] in the config file.", **pair
        ),
    )  # fmt: skip


all_objects_option = click.option(
    "--all", "all_objects", is_flag=True,
    help="List every object of a loss in text and Markdown, not only three examples.",
)  # fmt: skip


def exit_with(code: int) -> None:
    """End the command with an exit code; 0 does nothing."""
    if code:
        raise click.exceptions.Exit(code)
