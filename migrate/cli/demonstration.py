"""The steps of the demo: the real commands, one after the other, each shown with what it said."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from migrate.cli import clean, program
from migrate.cli.options import Common
from migrate.reports.tables import table

KINDS = ("file", "vector_store", "vector_store_file", "assistant", "thread", "message")


class Demonstration:
    """Runs the flow in a folder; `run` gives the exit code."""

    def __init__(self, folder: Path, config: Path, common: Common) -> None:
        self.folder, self.config, self.common = folder, config, common
        self.report: list[str] = []

    def run(self) -> int:
        """Snapshot, diff, plan, apply, verify, and a table of what was moved."""
        archive, plan = str(self.folder / "estate.db"), str(self.folder / "plan.json")
        self.step("doctor", "east")
        self.step("snapshot", "east", "-o", archive, expect=(0, 3))
        before = self.json("diff", archive, "west")
        self.say(f"before: {before['differences']:,} differences between the archive and west\n")
        self.step("plan", archive, "west", "-o", plan, "--accept-loss", "all")
        self.step("apply", plan, "--yes")
        self.step("verify", plan)
        verified = self.json("verify", plan)
        rows = self.json("ids", archive)
        counts = [(kind, sum(1 for row in rows if row["kind"] == kind)) for kind in KINDS]
        self.say(table([(k, n, verified["checked_by_kind"].get(k, 0)) for k, n in counts],
                       ("moved", "objects", "verified")))  # fmt: skip
        self.say(f"{len(verified['findings'])} findings")
        report = self.folder / "report.txt"
        report.write_text("\n".join(self.report) + "\n", encoding="utf-8")
        click.echo(f"left for you: {archive}, {plan}, {report}", err=True)
        if self.common.as_json:
            moved = dict(counts)
            document = {"archive": archive, "plan": plan, "report": str(report), "moved": moved}
            click.echo(json.dumps({**document, "ok": verified["ok"], "findings": verified["findings"]}))
        return 0 if verified["ok"] else 1

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
