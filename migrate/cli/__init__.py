"""The command line: parses, calls one stage, shows a report. Commands are loaded when they are used."""

from __future__ import annotations

import io
import re
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

import click

from migrate import __version__
from migrate.cli import streams
from migrate.cli.line_wrap import fitted
from migrate.endpoints.process_tuning import enable_process_tuning
from migrate.errors import MigrateError, RequestFailed
from migrate.model.input_limits import MIN_RECURSION_LIMIT
from migrate.model.known_secrets import PROCESS_SECRETS, redact
from migrate.reports.text_table import escape_control as visible

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def clean(text: str) -> str:
    """A text as it may be shown: without secrets of this run, and nothing in it that a terminal obeys."""
    return visible(redact(text))


def tell(text: str) -> None:
    """Say something to the person at the terminal, on standard error."""
    click.echo(fitted(clean(text), sys.stderr), err=True)


def ask(question: str) -> None:
    """Ask the person at the terminal; anything but yes ends the command."""
    click.confirm(fitted(clean(question), sys.stderr), abort=True, err=True)


# Half of a surrogate pair. U+DC80 to U+DCFF are left out: Python spells bytes of a file name so that are no
# UTF-8, and takes them back.
HALF_PAIR = re.compile("[\ud800-\udc7f\udd00-\udfff]")
# Command -> one line about it. The command `x` lives in the module `migrate.cli.commands.x`.
COMMANDS = {
    "doctor": "reaches an estate and names what works",
    "snapshot": "reads an estate into an archive",
    "snapshots": "lists the snapshots of an archive",
    "ls": "lists the objects of a snapshot",
    "show": "prints one object as the service gave it",
    "history": "tells how one object changed over all snapshots",
    "search": "finds a text in a snapshot",
    "transcript": "prints what was said in a thread",
    "extract": "writes the bytes of files into a folder",
    "check": "checks an archive against its own hashes",
    "merge": "joins archives into one, and shards into one snapshot",
    "forget": "removes snapshots by a policy, and what only they held",
    "assess": "says what a move would keep, change, lose and refuse",
    "diff": "says what differs between any two estates",
    "export": "writes an estate's configuration as files for git",
    "plan": "plans what to write, and tells every loss beforehand",
    "apply": "carries out a plan; run again, it continues",
    "verify": "reads the target back and compares everything",
    "sync": "one-way replication: snapshot, plan, apply, verify",
    "rollback": "removes what a plan created, restores what it changed",
    "ids": "the id map: old id, new id",
    "emulate": "serves an emulated service on loopback, for rehearsal",
    "demo": "the whole flow on bundled fixtures, no account needed",
}


class Program(click.Group):
    """Loads a command's module only when that command runs, so that `--help` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"migrate.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands without loading their modules, which would take seconds for all of them."""
        from click.shell_completion import CompletionItem  # a shell asks for it, no command does

        names = [name for name in COMMANDS if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=COMMANDS[name]) for name in names]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any("\0" in word for word in args):  # no name of a file or an object, and open() raises on it
            raise click.UsageError("an argument holds a NUL character", ctx)
        if any(HALF_PAIR.search(word) for word in args):  # open() raises on it, too
            raise click.UsageError("an argument holds half of a character pair", ctx)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="assistants-migrate")
def program() -> None:
    """Keep, compare and move the assistants you built.

    Exit codes: 0 done, nothing differs; 1 differences, findings, or losses not accepted; 2 usage;
    3 incomplete, everything missing is named; 4 refused for safety; 5 cannot reach or sign in, or retired.
    """


def main() -> None:
    """Run the program; expected failures are told in three lines and an exit code."""
    enable_process_tuning()
    PROCESS_SECRETS.forget_all()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MIN_RECURSION_LIMIT))
    streams.prepare()
    code = _run()
    if why := streams.finish():
        click.echo(f"error: cannot write to standard output\n  why: {why}", err=True)
        click.echo("  next: make room, or give -o FILE on another disk, and run it again", err=True)
        code = 3 if code in (0, 1) else code  # the result did not arrive, whatever it was
    sys.exit(code)


def _run() -> int:
    try:
        code = program.main(standalone_mode=False)  # click gives an Exit's code back instead of raising it
        return code if isinstance(code, int) else 0
    except MigrateError as error:
        for line in error.lines():
            tell(f"{'error: ' if line == error.what else '  '}{line}")
        return error.exit_code
    except RecursionError:
        tell("error: something is nested too deeply to be worked on")
        tell("  next: `search` and `show` find the object; leave it out: snapshot --exclude KIND:ID")
        return 3
    except RequestFailed as failed:
        tell(f"error: {failed}")
        tell("  next: try again; `doctor` names what the service answers")
        return 3
    except click.Abort:
        click.echo("stopped", err=True)
        return 3
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        click.echo(clean(said.getvalue()), err=True, nl=False)
        return 2
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        return 3
    except OSError as error:
        return _report_os_error(error)
    except Exception:
        # A mistake of ours: whoever reports it sends all of this along.
        click.echo(redact(traceback.format_exc()), err=True, nl=False)
        return 1


def _report_os_error(error: OSError) -> int:
    """An error of the operating system that nobody expected where it came up, such as a disk that filled."""
    from migrate.files.output import DISK_FULL_ERRNOS

    where = f"{error.filename}: " if error.filename is not None else ""
    tell(f"error: {where}{error.strerror or error}")
    tell("  next: see to that file or disk, and run the same command again")
    return 3 if error.errno in DISK_FULL_ERRNOS else 2
