"""demo: the whole flow on the bundled fixtures, between two emulated regions."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from migrate.cli import clean, program
from migrate.cli.options import Common, common, finish
from migrate.cli.streams import write_data
from migrate.emulator import Emulator, Options
from migrate.files.output import write_text
from migrate.reports.text_table import table

KINDS = ("file", "vector_store", "vector_store_file", "assistant", "thread", "message")


@dataclass(frozen=True)
class Move:
    """What became of one move."""

    plan: str
    moved: dict[str, int]
    ok: bool
    findings: list[Any]

    def as_dict(self) -> dict[str, Any]:
        """For the JSON document."""
        return {"plan": self.plan, "moved": self.moved, "ok": self.ok, "findings": self.findings}


class Demonstration:
    """Runs the flow in a folder; `run` gives the exit code."""

    def __init__(self, folder: Path, config: Path, common: Common) -> None:
        self.folder, self.config, self.common = folder, config, common
        self.report: list[str] = []

    def run(self) -> int:
        """Snapshot, then a move to another region and one to Foundry agents, each with its proof."""
        archive = str(self.folder / "estate.db")
        self.step("doctor", "east")
        self.step("snapshot", "east", "-o", archive, expect=(0, 3))
        before = self.json("diff", archive, "west")
        self.say(f"before: {before['differences']:,} differences between the archive and west\n")
        west = self.move(archive, "west", "plan.json")
        self.step("doctor", "project")
        self.step("assess", archive, "--to", "project", "--accept-loss", "all")
        project = self.move(archive, "project", "plan-foundry.json")
        report = self.folder / "report.txt"
        write_text(report, ["\n".join(self.report), "\n"])
        click.echo(f"left for you: {archive}, {west.plan}, {project.plan}, {report}", err=True)
        if self.common.as_json:
            document = {
                "archive": archive,
                "report": str(report),
                **west.as_dict(),
                "ok": west.ok and project.ok,
            }
            write_data(f"{json.dumps({**document, 'foundry': project.as_dict()})}\n")
        return 0 if west.ok and project.ok else 1

    def move(self, archive: str, target: str, name: str) -> Move:
        """Plan, apply, verify, and a table of what was moved."""
        plan = str(self.folder / name)
        self.step("plan", archive, target, "-o", plan, "--accept-loss", "all")
        self.step("apply", plan, "--yes")
        self.step("verify", plan)
        verified = self.json("verify", plan)
        checked = verified["checked_by_kind"]
        rows = self.json("ids", archive, "--to", target)
        counts = {kind: sum(1 for row in rows if row["kind"] == kind) for kind in KINDS}
        cells = [(kind, number, checked.get(kind, 0)) for kind, number in counts.items()]
        self.say(table(cells, ("moved", "objects", "verified")))
        self.say(f"{len(verified['findings'])} findings\n")
        return Move(plan, counts, verified["ok"], verified["findings"])

    def step(self, *arguments: str, expect: tuple[int, ...] = (0,)) -> None:
        """Run a command and show what it says; stop the demo when it fails."""
        self.say(f"$ assistants-migrate {' '.join(arguments)}")
        code, text = self.call(*arguments)
        self.say(text)
        if code not in expect:
            raise click.exceptions.Exit(code)

    def json(self, *arguments: str) -> Any:
        """Run a command for its JSON document."""
        return json.loads(self.call(*arguments, "--json")[1])

    def call(self, *arguments: str) -> tuple[int, str]:
        """Exit code and standard output of a command, run in this process."""
        out = io.StringIO()
        given = [*arguments, "--config", str(self.config), "--quiet"]
        with redirect_stdout(out):
            try:
                code = program.main(given, standalone_mode=False) or 0
            except click.exceptions.Exit as done:
                code = done.exit_code
        return code, out.getvalue()

    def say(self, text: str) -> None:
        """Show a line, and keep it for the report."""
        self.report.append(text)
        if not self.common.as_json:
            click.echo(clean(text))


CONFIG = """# Two emulated regions and a Foundry project, as they were while the demo ran.
[estates.east]
type = "azure-openai"
endpoint = "{east}"
api_version = "2025-04-01-preview"
key_env = "DEMO_EAST_KEY"

[estates.west]
type = "azure-openai"
endpoint = "{west}"
api_version = "2025-04-01-preview"
key_env = "DEMO_WEST_KEY"

[estates.project]
type = "foundry"
endpoint = "{project}"
auth = "token"
token_env = "DEMO_PROJECT_TOKEN"

[models]
"gpt-4-1106-preview" = "gpt-4.1"
"""


DEPLOYMENTS = ("gpt-4.1", "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini")
LEFT = ("estate.db", "estate.db-wal", "estate.db-shm", "plan.json", "plan-foundry.json", "report.txt")


@click.command("demo")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"),
              show_default=True, help="Where archive, plan and report are left.")  # fmt: skip
@common
def demo_command(common: Common, folder: Path) -> None:
    """Move an emulated region to another one and to a Foundry project, with proof. Needs no account."""
    from migrate.files.output import told, write_text

    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in LEFT:
            (folder / name).unlink(missing_ok=True)
    keys = {name: name.lower() for name in ("DEMO_EAST_KEY", "DEMO_WEST_KEY", "DEMO_PROJECT_TOKEN")}
    os.environ.update(keys)
    east = Options(face="azure-openai", key=keys["DEMO_EAST_KEY"], state=fixtures() / "azure-v2")
    west = Options(face="azure-openai", key=keys["DEMO_WEST_KEY"])
    new = Options(face="foundry", key=keys["DEMO_PROJECT_TOKEN"], deployments=DEPLOYMENTS)
    with Emulator(east) as source, Emulator(west) as target, Emulator(new) as project:
        config = folder / "estates.toml"
        text = CONFIG.format(east=source.url, west=target.url, project=project.url)
        write_text(config, [text])
        finish(Demonstration(folder, config, common).run())


def fixtures() -> Path:
    """The bundled estates: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parents[2]
    inside = package / "fixtures_data"
    return inside if inside.is_dir() else package.parent / "fixtures"
