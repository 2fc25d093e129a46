"""Options that every command has, and what they are turned into."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from migrate import __version__
from migrate.cli import clean
from migrate.cli import tell as tell_user
from migrate.cli.line_wrap import fitted
from migrate.cli.streams import broken, write_data
from migrate.model.known_secrets import redact

if TYPE_CHECKING:
    from migrate.cli.config import Config
    from migrate.cli.log import CommandLog
    from migrate.cli.progress import StderrProgress
    from migrate.stages.progress import Progress

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])


@dataclass(frozen=True)
class Common:
    """What every command knows: how to answer, how loud to be, and the configuration."""

    as_json: bool
    quiet: bool
    config_path: Path | None
    verbose: bool = False
    spoken: list[StderrProgress] = field(default_factory=list)
    log: CommandLog | None = None

    @property
    def config(self) -> Config:
        from migrate.cli.config import load

        return load(self.config_path)

    def progress(self) -> Progress:
        """Where a stage tells how far it is: stderr, or nowhere."""
        from migrate.cli.progress import StderrProgress
        from migrate.stages.progress import Progress

        if self.quiet:
            return Progress()
        self.spoken.append(StderrProgress())
        return self.spoken[-1]

    def log_line(self, text: str) -> None:
        """A line of the log on standard error, above the live line of the progress."""
        if self.spoken:
            self.spoken[-1].show_line(text)
        else:
            tell_user(text)

    def hush(self) -> None:
        """Take the live line away, so that what is said next begins on a clean one."""
        for progress in self.spoken:
            progress.close()

    def answer(self, document: Any, text: str, data: bool = False) -> None:
        """The result: one JSON document, or text made safe for a terminal. `data` is meant for another
        program, which gets it to the letter."""
        self.hush()
        if self.as_json:
            write_data(f"{redact(json.dumps(document, indent=1, ensure_ascii=True, default=str))}\n")
        elif data and not sys.stdout.isatty():
            write_data(f"{redact(text)}\n")  # click would take escape sequences out
        elif text:
            click.echo(clean(text) if data else fitted(clean(text), sys.stdout))

    def tell(self, lines: Iterable[str]) -> None:
        """Data line by line: to the letter for another program, made safe for a terminal."""
        self.hush()
        shown = sys.stdout.isatty()
        for line in lines:
            if broken():
                break
            if shown:
                click.echo(clean(line))
            else:
                write_data(f"{redact(line)}\n", flush=False)


def common_options(function: CommandFunction) -> CommandFunction:
    """The options of every command; the command receives one `Common` as `common_options`."""

    def wrapped(
        as_json: bool,
        quiet: bool,
        verbose: bool,
        debug: bool,
        log_file: Path | None,
        config_path: Path | None,
        **others: Any,
    ) -> Any:
        given = Common(as_json, quiet, config_path, verbose)
        if verbose or debug or log_file:
            given = _with_log(given, debug, log_file, function.__name__.removesuffix("_command"))
        try:
            return function(common=given, **others)
        except BaseException as error:
            if given.log:
                given.log.failed(error)
            raise
        finally:
            given.hush()
            if given.log:
                given.log.stop()

    wrapped.__doc__ = function.__doc__
    wrapped.__name__ = function.__name__
    path = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
        click.option(
            "--log-file", type=path, metavar="FILE",
            help="Append a log to FILE, with one line per request; no secrets.",
        ),
        click.option("--debug", is_flag=True, help="As -v, and one line per request."),
        click.option("--verbose", "-v", is_flag=True, help="Say on stderr what is done, also with --quiet."),
        click.option("--quiet", "-q", is_flag=True, help="No progress on stderr."),
        click.option("--config", "config_path", type=path, help="Config file (default: estates.toml)."),
    ):  # fmt: skip
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


def _with_log(common: Common, debug: bool, file: Path | None, command: str) -> Common:
    """The same with a log that was started. `logging` is loaded here: without a log, few commands need it."""
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
    "--workers", type=click.IntRange(1, 64), default=8, show_default=True, help="Requests under way at once."
)


environment = click.option(
    "--env", "environment", metavar="NAME", help="Which environment of a config directory (variables.toml)."
)


def adaptation_options(function: CommandFunction) -> CommandFunction:
    """--models, --connections, --accept-loss, --copy-files, --rewrite-ids: decided by the user."""
    pair: dict[str, Any] = {"multiple": True, "metavar": "OLD=NEW"}
    for option in (
        click.option("--accept-loss", multiple=True, metavar="FIELD|all", help="Accept losing this field."),
        click.option(
            "--copy-files", is_flag=True, help="Copy files and stores even where the target shares them."
        ),
        click.option(
            "--agent-version",
            type=click.Choice(["newest", "served"]),
            default="newest",
            show_default=True,
            help="Which version of an agent is moved, where its users get another one than the newest.",
        ),
        click.option(
            "--rewrite-ids",
            is_flag=True,
            help="Write the new ids where instructions, tools and metadata name old ones.",
        ),
        click.option(
            "--connections", help="Project connections, beside [connections] of the config.", **pair
        ),
        click.option("--models", help="Deployment names, beside [models] of the config.", **pair),
    ):
        function = option(function)
    return function


def exit_with(code: int) -> None:
    """End the command with an exit code of the contract."""
    if code:
        raise click.exceptions.Exit(code)
