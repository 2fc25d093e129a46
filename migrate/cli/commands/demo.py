"""demo: the whole flow on the bundled examples, between emulated services, and what to do next."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from migrate.cli import program, safe_text
from migrate.cli.options import Common, common_options, exit_with
from migrate.cli.streams import write_data
from migrate.emulator import Emulator, Options, save
from migrate.errors import BadUsage
from migrate.files.output import translate_write_errors, write_text
from migrate.reports.text_table import escape_control, table
from migrate.stages.plan.plan_file import read_plan

COUNTED_KINDS = ("file", "vector_store", "vector_store_file", "assistant", "thread", "message")
KEY_VARIABLE, KEY = "DEMO_KEY", "emulator"
# Preferred ports of the services; the quick start of the README uses 8001 to 8004.
PORTS = {"east": 8011, "west": 8012, "project": 8013}
CONFIG_FILE = "estates.toml"
FIRST_LINE = "# Two emulated regions and a Foundry project"
CONFIG = f"""{FIRST_LINE}. To start them again, each in a terminal of its own:
#
{{services}}
#
# The key is in a variable: {{variable}}

[estates.east]
type = "azure-openai"
endpoint = "{{east}}"
api_version = "2025-04-01-preview"
key_env = "{KEY_VARIABLE}"

[estates.west]
type = "azure-openai"
endpoint = "{{west}}"
api_version = "2025-04-01-preview"
key_env = "{KEY_VARIABLE}"

[estates.project]
type = "foundry"
endpoint = "{{project}}"
auth = "token"
token_env = "{KEY_VARIABLE}"

[models]
"gpt-4-1106-preview" = "support-main"
"""
# Deployments of the project, so that every assistant finds its model.
DEPLOYMENTS = ("support-main", "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini")
# Files of an earlier demo, which are removed.
DEMO_FILES = (
    *("estate.db", "estate.db-wal", "estate.db-shm", "plan.json", "plan-foundry.json"),
    *("report.txt", "report.html"),
)  # fmt: skip
INTRODUCTION = """Moves an emulated Azure OpenAI resource (east) to a second one (west) and to a
Foundry project (project), and proves what arrived. -v shows every command."""


@dataclass(frozen=True)
class Move:
    """Result of one move."""

    plan: str
    moved: dict[str, int]
    ok: bool
    findings: list[Any]


class Demonstration:
    """Runs the flow in a folder; `run` returns the exit code."""

    def __init__(self, folder: Path, common: Common) -> None:
        self.folder, self.common = folder, common
        self.transcript: list[str] = []

    def run(self) -> int:
        """Snapshot, then a move to another region and one to Foundry agents, each verified."""
        archive = str(self.folder / "estate.db")
        self.step("east", "doctor", "east", summary=checks_summary)
        self.step("east", "snapshot", "east", "-o", archive, expect=(0, 3), summary=snapshot_summary(archive))
        with self.line("west", "diff") as line:
            before = self.json("diff", archive, "west")
            line.text = f"{before['differences']:,} differences between the archive and west"
        self.show(f"before: {line.text}\n")
        west = self.move(archive, "west", "plan.json")
        self.step("project", "doctor", "project", summary=checks_summary)
        self.step(
            "project", "assess", archive, "--to", "project", "--accept-loss", "all", summary=grades_summary
        )
        project = self.move(archive, "project", "plan-foundry.json")
        transcript = self.folder / "report.txt"
        write_text(transcript, ["\n".join(self.transcript), "\n"])
        if self.common.as_json:
            document = {
                "archive": archive,
                "report": str(transcript),
                "html_report": str(self.folder / "report.html"),
                **asdict(west),
                "ok": west.ok and project.ok,
            }
            write_data(f"{json.dumps({**document, 'foundry': asdict(project)})}\n")
        return 0 if west.ok and project.ok else 1

    def move(self, archive: str, target: str, name: str) -> Move:
        """Plan, apply, verify, and a table of what was moved."""
        plan = str(self.folder / name)
        self.step(
            target, "plan", archive, target, "-o", plan, "--accept-loss", "all", summary=plan_summary(plan)
        )
        self.step(target, "apply", plan, "--yes", summary=first_part)
        self.step(target, "verify", plan, summary=last_line)
        verified = self.json("verify", plan, "-o", str(self.folder / "report.html"))
        checked = verified["checked_by_kind"]
        rows = self.json("ids", archive, "--to", target)
        counts = {kind: sum(1 for row in rows if row["kind"] == kind) for kind in COUNTED_KINDS}
        cells = [(kind, number, checked.get(kind, 0)) for kind, number in counts.items()]
        self.show(table(cells, ("moved", "objects", "verified")))
        self.show(f"{len(verified['findings'])} findings\n")
        return Move(plan, counts, verified["ok"], verified["findings"])

    def step(
        self,
        estate: str,
        command: str,
        *arguments: str,
        expect: tuple[int, ...] = (0,),
        summary: Callable[[str], str],
    ) -> None:
        """Run a command and show one line about it, or all of its output; stop the demo when it fails."""
        self.show(f"$ assistants-migrate {' '.join((command, *arguments))}")
        with self.line(estate, command) as line:
            code, text = self.call(command, *arguments)
            line.text = summary(text) if code in expect else f"ended with exit code {code}"
        self.show(text)
        if code not in expect:
            if self.quiet:
                click.echo(safe_text(text), err=True)
            raise click.exceptions.Exit(code)

    @property
    def quiet(self) -> bool:
        """Whether a step is shown as one line."""
        return not self.common.verbose

    @contextmanager
    def line(self, estate: str, command: str) -> Iterator[StepLine]:
        """One line for a step: its name at the start, its result when it ends."""
        line = StepLine()
        shown = self.quiet and not self.common.as_json
        if shown:
            click.echo(f"{estate:<8}  {command:<8}  ", nl=False)
        try:
            yield line
        finally:
            if shown:
                click.echo(safe_text(line.text))

    def json(self, *arguments: str) -> Any:
        """Run a command for its JSON document."""
        return json.loads(self.call(*arguments, "--json")[1])

    def call(self, *arguments: str) -> tuple[int, str]:
        """Exit code and standard output of a command, run in this process."""
        out = io.StringIO()
        arguments = (*arguments, "--config", str(self.folder / CONFIG_FILE), "--quiet")
        with redirect_stdout(out):
            try:
                code = program.main(list(arguments), standalone_mode=False) or 0
            except click.exceptions.Exit as error:
                code = error.exit_code
        return code, out.getvalue()

    def show(self, text: str) -> None:
        """Add a text to the transcript, and show it with -v."""
        self.transcript.append(text)
        if not self.common.as_json and not self.quiet:
            click.echo(safe_text(text))


@dataclass
class StepLine:
    """The result of a step, on one line."""

    text: str = "stopped"


def last_line(text: str) -> str:
    """The last line of a report, with its totals."""
    return text.strip().rpartition("\n")[2]


def first_part(text: str) -> str:
    """The first number of a line such as "366 created, 0 updated"."""
    return last_line(text).partition(",")[0]


def checks_summary(text: str) -> str:
    """How many checks work, from the lines of `doctor`: "sign-in             works"."""
    lines = [line for line in text.splitlines()[1:] if "  " in line.lstrip() and not line.startswith(" ")]
    others = [line.split("  ")[0] for line in lines if "  works" not in line]
    rest = f"; not known: {', '.join(others)}" if others else ""
    return f"{len(lines) - len(others)} of {len(lines)} checks work{rest}"


def snapshot_summary(archive: str) -> Callable[[str], str]:
    """How many objects were read, from the lines of `snapshot`: "assistant           12"."""

    def summary(text: str) -> str:
        numbers = [line.split()[-1] for line in text.splitlines()[1:] if line.split()]
        total = sum(int(number) for number in numbers if number.isdecimal())
        return f"{total:,} objects read -> {archive}"

    return summary


def grades_summary(text: str) -> str:
    """The last row of the table of `assess`: kept, adapted, lost, blocked."""
    row = next((line.split() for line in text.splitlines() if line.startswith("all ")), [])
    return f"fields: {row[1]} kept, {row[2]} adapted, {row[3]} accepted as lost" if len(row) > 3 else ""


def plan_summary(plan: str) -> Callable[[str], str]:
    """How many objects a plan creates, and how many losses are accepted."""

    def summary(text: str) -> str:
        losses = sum(1 for row in read_plan(Path(plan)).losses if row.grade != "adapted")
        accepted = f", {losses} losses accepted" if losses else ""
        return f"{last_line(text).partition(' ')[0]} to create{accepted} -> {plan}"

    return summary


@click.command("demo")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"),
              show_default=True, help="Folder for the files it writes.")  # fmt: skip
@common_options
def demo_command(common: Common, folder: Path) -> None:
    """Move an emulated region to another one and to a Foundry project, with proof. Needs no account.

    One line per step is shown; -v shows every command with its output. The folder then contains an HTML
    report, a config file, and the state of the services; the last lines say how to start them again.

    \b
    Examples:
      assistants-migrate demo
      assistants-migrate demo --dir demo -v
    """
    if common.log:
        common.log.silence_stderr()  # -v means something else here; --log-file has the log
    prepare_demo(folder)
    os.environ[KEY_VARIABLE] = KEY
    options = {
        "east": Options(service="azure-openai", key=KEY, state=fixtures() / "azure-v2"),
        "west": Options(service="azure-openai", key=KEY),
        "project": Options(service="foundry", key=KEY, deployments=DEPLOYMENTS),
    }
    with ExitStack() as stack:
        services = {name: start_service(row, PORTS[name]) for name, row in options.items()}
        for service in services.values():
            stack.callback(service.stop)
        lines = [service_line(name, service, folder) for name, service in services.items()]
        urls = {name: service.url for name, service in services.items()}
        comments = "\n".join(f"#     {line}" for line in lines)
        text = CONFIG.format(services=comments, variable=variable_line(KEY_VARIABLE, KEY), **urls)
        write_text(folder / CONFIG_FILE, [text])
        if not common.as_json:
            click.echo(f"{INTRODUCTION}\n")
        code = Demonstration(folder, common).run()
        with translate_write_errors(folder):
            for name, service in services.items():
                save(service.estate, folder / name)
    if not common.as_json:
        click.echo(escape_control(next_steps(folder, lines)))  # the key of an emulated service is no secret
    exit_with(code)


def prepare_demo(folder: Path) -> None:
    """Create the folder, or remove the files of an earlier demo from it. Raises `BadUsage`."""
    with translate_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not _is_of_demo(folder):
            raise BadUsage(
                f"{folder} is not empty, and no demo was run there",
                "the demo would overwrite files",
                "name another folder with --dir",
            )
        for name in DEMO_FILES:
            (folder / name).unlink(missing_ok=True)
        for name in PORTS:
            shutil.rmtree(folder / name, ignore_errors=True)


def _is_of_demo(folder: Path) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (folder / CONFIG_FILE).read_text(encoding="utf-8").startswith(FIRST_LINE)
    return False


def start_service(options: Options, port: int) -> Emulator:
    """Start a service at a port, or at any free one if that port is in use."""
    try:
        return Emulator(replace(options, port=port)).start()
    except OSError:
        return Emulator(options).start()


def service_line(name: str, service: Emulator, folder: Path) -> str:
    """The command that starts a service again."""
    port = service.url.split("/")[2].rpartition(":")[2]
    kind = "" if service.options.service == "azure-openai" else f" --service {service.options.service}"
    return f"{program_name()} emulate{kind} --port {port} --state {quoted(folder / name)}"


def next_steps(folder: Path, services: list[str]) -> str:
    """Text about the files of the demo, and what to do next."""
    name, page = program_name(), folder / "report.html"
    archive, plan, config = (quoted(folder / file) for file in ("estate.db", "plan.json", CONFIG_FILE))
    lines = "\n".join(f"  {line}" for line in services)
    return f"""
The report: {page}. Open it in a browser:
  {page.resolve().as_uri()}

The services have ended. To start them again as they are now, each in a
terminal of its own:
{lines}

Next steps
1. Look into the archive; this needs no service:
  {name} serve {archive} --open
  {name} search {archive} warranty
2. With the services running again, compare them, and roll back the move to west:
  {variable_line(KEY_VARIABLE, KEY)}
  {name} diff east west --config {config}
  {name} rollback {plan} --config {config}
  In the folder {folder}, the examples of `COMMAND --help` work as well.
3. See what your own resource answers; docs/guide.md continues from there:
  {name} doctor https://NAME.openai.azure.com"""


def variable_line(name: str, value: str) -> str:
    """The command with which a shell of this system sets a variable."""
    return f'$env:{name} = "{value}"' if os.name == "nt" else f"export {name}={value}"


def program_name() -> str:
    """The command that starts this program: its name, if it is on PATH."""
    name = "assistants-migrate"
    if shutil.which(name):
        return name
    started_as = Path(sys.argv[0])
    if started_as.name.removesuffix(".exe") == name:
        return quoted(started_as)
    return f"{quoted(Path(sys.executable))} -m migrate"


def quoted(path: Path) -> str:
    """A path, quoted for a shell; relative to the current folder if it is inside."""
    with contextlib.suppress(ValueError):
        path = path.absolute().relative_to(Path.cwd())
    return shlex.quote(str(path)) if os.name != "nt" else f'"{path}"' if " " in str(path) else str(path)


def fixtures() -> Path:
    """The folder of the bundled estates: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parents[2]
    inside = package / "fixtures_data"
    return inside if inside.is_dir() else package.parent / "fixtures"
