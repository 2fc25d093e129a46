"""The command line: parses arguments, calls one stage, shows a report. A command is loaded when it is
used."""

from __future__ import annotations

import io
import re
import sys
import traceback
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from migrate import __version__
from migrate.cli import streams
from migrate.cli.interruption import stop_signals
from migrate.endpoints.process_settings import enable_process_settings
from migrate.errors import BadUsage, MigrateError, RequestFailed
from migrate.model.input_limits import MIN_RECURSION_LIMIT
from migrate.model.known_secrets import PROCESS_SECRETS, redact
from migrate.reports.text_table import escape_control

# Half of a surrogate pair. U+DC80 to U+DCFF are not included: Python uses them for bytes of a file name that
# are not UTF-8.
SURROGATE_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")
# Command -> one line about it. The command `x` is `x_command` in the module `migrate.cli.commands.x`.
COMMANDS = {
    "doctor": "reports what works at an estate",
    "snapshot": "reads an estate into an archive",
    "snapshots": "lists the snapshots of an archive",
    "ls": "lists the objects of a snapshot",
    "show": "prints one object as the service returned it",
    "history": "shows how one object changed over all snapshots",
    "search": "finds a text, or words by the full-text index, in a snapshot",
    "index": "builds the full-text index of an archive",
    "transcript": "prints one thread, or writes every thread as a file",
    "extract": "writes the bytes of files into a folder",
    "check": "checks whether an archive is damaged",
    "merge": "joins archives into one, and shards into one snapshot",
    "forget": "removes snapshots, and the objects that only they contain",
    "assess": "lists which fields a move would keep, change, lose or refuse",
    "diff": "lists the differences between any two estates",
    "export": "writes an estate's configuration as files for git",
    "plan": "plans the changes to a target, and lists every loss beforehand",
    "apply": "carries out a plan; continues after an interruption",
    "verify": "reads the target back and compares everything",
    "sync": "one-way replication: snapshot, plan, apply, verify",
    "restore": "recreates what an estate no longer has, from an archive",
    "rollback": "rolls back a plan: removes and restores objects",
    "drill": "tests a restore into an empty place, then rolls it back",
    "applies": "lists every apply, and whether it was rolled back",
    "ids": "prints the id map: old id, new id",
    "serve": "shows an archive in the browser, and answers the old API from it",
    "mcp": "gives an assistant tools that read an archive, over MCP",
    "emulate": "serves an emulated service on loopback, for rehearsal",
    "demo": "shows the whole flow on bundled examples, without an account",
}


def _refuse_empty_options(ctx: click.Context, command: click.Command, args: list[str]) -> None:
    """Raises `BadUsage` for an option with an empty value: most often a variable of a script that is not set.
    Without the option the command would do more than was meant, such as restore a whole estate."""
    try:
        given = command.make_parser(click.Context(command, parent=ctx)).parse_args(list(args))[0]
    except click.UsageError:
        return  # reported when the arguments are parsed
    for option in command.params:
        value = given.get(option.name or "")
        if isinstance(option, click.Option) and "" in (value if isinstance(value, list) else [value]):
            raise BadUsage(
                f"the value of {option.opts[0]} is empty",
                "often a variable of a script is not set",
                f"give a value, or leave {option.opts[0]} out",
            )


def safe_text(text: str) -> str:
    """A text that may be shown: without secrets of this run, and without characters that control a
    terminal."""
    return escape_control(redact(text))


def print_message(text: str) -> None:
    """Show a text to the user, on standard error."""
    click.echo(streams.wrap_for_terminal(safe_text(text), sys.stderr), err=True)


def confirm(question: str) -> None:
    """Ask the user on standard error; any answer but yes ends the command."""
    click.confirm(streams.wrap_for_terminal(safe_text(question), sys.stderr), abort=True, err=True)


class Program(click.Group):
    """Loads the module of a command only when the command runs, so that `--help` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"migrate.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # The names of commands without their modules: loading all of them would take seconds.
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=COMMANDS[name]) for name in names]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # No file and no object has such a name, and open() raises ValueError on it.
        if any("\0" in word for word in args):
            raise click.UsageError("an argument contains a NUL character", ctx)
        if any(SURROGATE_HALF.search(word) for word in args):
            raise click.UsageError("an argument contains half of a surrogate pair", ctx)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and "" in (word.rpartition("=")[2] for word in rest):
            _refuse_empty_options(ctx, command, rest)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="assistants-migrate")
def program() -> None:
    """Back up, compare and move AI assistants: OpenAI, Azure OpenAI, Foundry.

    `assistants-migrate demo` shows how it works, without an account.

    Exit codes: 0 done, nothing differs; 1 differences, findings, nothing found, or losses not accepted;
    2 usage; 3 incomplete, everything missing is listed; 4 refused for safety; 5 cannot reach or sign in, or
    retired.
    """


def main() -> None:
    """Run the program. An expected failure becomes three lines on standard error and an exit code."""
    enable_process_settings()
    PROCESS_SECRETS.forget_all()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MIN_RECURSION_LIMIT))
    streams.install_streams()
    with stop_signals():
        code = _run()
    if why := streams.flush_streams():
        click.echo(f"error: cannot write to standard output\n  why: {why}", err=True)
        click.echo("  next: make room, or give -o FILE on another disk, and run it again", err=True)
        code = 3 if code in (0, 1) else code  # the result did not arrive, whatever it was
    sys.exit(code)


def _run() -> int:
    try:
        code = program.main(standalone_mode=False)  # click returns the code of an Exit instead of raising it
        return code if isinstance(code, int) else 0
    except MigrateError as error:
        return _report_error(error.exit_code, *error.lines())
    except RecursionError:
        advice = "next: `search` and `show` find the object; leave it out: snapshot --exclude KIND:ID"
        return _report_error(3, "an object is nested too deeply to be processed", advice)
    except RequestFailed as error:
        return _report_error(3, str(error), "next: try again; `doctor` reports what the service answers")
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 3
    except click.ClickException as error:
        message = io.StringIO()
        error.show(message)
        click.echo(safe_text(message.getvalue()), err=True, nl=False)
        return 2
    except OSError as error:  # of a kind that no code expected, such as a disk that filled
        from migrate.files.output import DISK_FULL_ERRNOS  # loading it would add 27 ms to `--help`

        where = f"{error.filename}: " if error.filename is not None else ""
        code = 3 if error.errno in DISK_FULL_ERRNOS else 2
        advice = "next: check that file or disk, and run the same command again"
        return _report_error(code, f"{where}{error.strerror or error}", advice)
    except Exception:  # a mistake in this program: a bug report needs the traceback
        click.echo(redact(traceback.format_exc()), err=True, nl=False)
        return 1


def _report_error(code: int, what: str, *lines: str) -> int:
    print_message(f"error: {what}")
    for line in lines:
        print_message(f"  {line}")
    return code
