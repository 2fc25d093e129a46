"""The steps of the demo: the real commands, one after the other, each shown with what it said."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from migrate.cli import clean, program
from migrate.cli.options import Common
from migrate.cli.streams import write_data
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
