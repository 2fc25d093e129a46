"""The demo: one line for each step, a report, and services that start again in the same state."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from migrate.cli import program
from migrate.cli.commands.demo import prepare_demo
from migrate.errors import BadUsage

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "migrate"]
STEPS = """east doctor|east snapshot|west diff|west plan|west apply|west verify|project doctor|project assess
project plan|project apply|project verify""".replace("\n", "|").split("|")
COLUMNS = 80
# Commands whose examples need no service, in an order in which one may use the files of another.
OFFLINE = ("snapshots", "ls", "show", "history", "index", "search", "transcript", "extract", "check",
           "applies", "ids", "forget")  # fmt: skip


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "DEMO_KEY": "emulator", "PATH": "/usr/bin:/bin"}


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=folder, env=environment(), capture_output=True, text=True, timeout=180
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the demo ran, and its standard output."""
    folder = tmp_path_factory.mktemp("front-door")
    done = call(folder, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return folder, done.stdout


@pytest.mark.slow
def test_each_step_is_one_line(demo: tuple[Path, str]) -> None:
    steps = demo[1].split("\n\n")[1].splitlines()
    assert [" ".join(line.split()[:2]) for line in steps] == STEPS
    assert all(len(line) <= COLUMNS for line in steps)
    assert not re.search(r"\b(lost|blocked|not accepted|failed)\b", demo[1].replace("accepted as lost", ""))


def test_the_html_report_is_of_a_move_without_findings(demo: tuple[Path, str]) -> None:
    folder, out = demo
    page = folder / "demo" / "report.html"
    assert page.resolve().as_uri() in out
    assert "0 findings in 366 objects" in page.read_text(encoding="utf-8")


def test_it_ends_with_three_next_steps(demo: tuple[Path, str]) -> None:
    assert re.findall(r"^(\d)\. ", demo[1].rpartition("Next steps")[2], re.MULTILINE) == ["1", "2", "3"]


@pytest.mark.slow
def test_its_commands_bring_the_services_back_as_they_were(demo: tuple[Path, str]) -> None:
    """The commands of the output, unchanged: `emulate` on the same ports, then the next steps."""
    folder, out = demo
    lines = [line.strip() for line in out.splitlines()]
    commands = [line for line in lines if line.startswith(shlex.quote(sys.executable))]
    assert "export DEMO_KEY=emulator" in lines
    services = [line for line in commands if " emulate " in line]
    config = (folder / "demo" / "estates.toml").read_text(encoding="utf-8")
    assert len(services) == 3
    assert all(f"#     {line}\n" in config for line in services)
    with started(services, folder):
        for plan in ("plan.json", "plan-foundry.json"):
            done = call(folder, "verify", f"demo/{plan}", "--config", "demo/estates.toml", "--json")
            assert json.loads(done.stdout)["ok"], done.stderr
        for command, code in (("search", 0), ("diff", 1), ("rollback", 0)):
            line = next(line for line in commands if f" migrate {command} " in line)
            extra = "--yes" if command == "rollback" else ""
            done = subprocess.run(
                [*shlex.split(line), *extra.split()],
                cwd=folder, env=environment(), capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == code, done.stderr


@contextmanager
def started(lines: list[str], folder: Path) -> Iterator[None]:
    """Start the processes of the lines. If a port is in use by now, the test is skipped."""
    running = [
        subprocess.Popen(
            [*shlex.split(line), "--json"], cwd=folder, env=environment(), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        for line in lines
    ]  # fmt: skip
    try:
        for process in running:
            assert process.stdout
            assert process.stderr
            document = ""
            while not document.rstrip().endswith("\n}"):
                line = process.stdout.readline()
                if not line and "in use" in (why := process.stderr.read()):
                    pytest.skip(why)
                assert line, why
                document += line
            assert json.loads(document)["skipped"] == []
        yield
    finally:
        for process in running:
            process.terminate()
            process.communicate(timeout=30)


def examples(command: str) -> list[list[str]]:
    """The examples in the help of a command, as arguments."""
    found = program.get_command(click.Context(program), command)
    assert found
    shown = (found.help or "").rpartition("Examples:")[2]
    return [shlex.split(line)[1:] for line in shown.splitlines() if "assistants-migrate" in line]


def test_the_examples_of_help_work_in_its_folder(
    demo: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(demo[0] / "demo", tmp_path / "demo")
    monkeypatch.chdir(tmp_path / "demo")
    for arguments in (one for command in OFFLINE for one in examples(command)):
        if arguments[0] in OFFLINE:  # `applies` also shows the rollback of one
            code = program.main([*arguments, "--quiet"], standalone_mode=False)
            assert not code, arguments


def test_it_does_not_write_into_a_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "estate.db").write_bytes(b"mine")
    with pytest.raises(BadUsage, match="is not empty"):
        prepare_demo(tmp_path)
    assert (tmp_path / "estate.db").read_bytes() == b"mine"


def test_it_replaces_what_an_earlier_demo_left(demo: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    prepare_demo(folder)
    (folder / "estates.toml").write_bytes((demo[0] / "demo" / "estates.toml").read_bytes())
    (folder / "estate.db").write_bytes(b"of an earlier demo")
    (folder / "notes.txt").write_bytes(b"mine")
    prepare_demo(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["estates.toml", "notes.txt"]
