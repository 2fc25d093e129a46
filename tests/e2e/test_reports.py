"""Reports of four commands in all formats: where they go, who may read them, what they never overwrite."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from migrate.cli.report_options import ENDINGS
from tests.e2e.conftest import Launch
from tests.e2e.running import ROOT, World, options

Report = Callable[..., tuple[str, ...]]


@pytest.fixture
def small(launch: Launch) -> World:
    world = launch(options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True))
    world.snapshot()
    return world


COMMANDS: dict[str, Callable[[World], tuple[str, ...]]] = {
    "diff": lambda w: ("diff", w.db, "target"),
    "assess": lambda w: ("assess", w.db, "--to", "foundry"),
    "plan": lambda w: ("plan", w.db, "target", "-o", w.plan),
    "verify": lambda w: ("verify", w.plan),
}
OPTION = {"plan": "--report"}


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", COMMANDS)
def test_one_reading_gives_every_format_and_the_text(small: World, name: str) -> None:
    if name == "verify":
        small.planned()
    option, command = OPTION.get(name, "-o"), COMMANDS[name](small)
    files = [small.folder / f"report{ending}" for ending in ENDINGS]
    given = [word for file in files for word in (option, str(file))]
    before = len(small.source.requests) + len(small.target.requests)
    alone = small.plain(*command)
    between = len(small.source.requests) + len(small.target.requests)
    said = small.plain(*command, *given)
    after = len(small.source.requests) + len(small.target.requests)
    assert after - between == between - before
    assert (said.code, said.out) == (alone.code, alone.out)  # stderr has rates, which differ
    assert said.out.strip()
    text = {file.suffix: file.read_text(encoding="utf-8") for file in files}
    json.loads(text[".json"])
    ElementTree.fromstring(text[".xml"].encode())
    assert text[".html"].startswith("<!doctype html>")
    assert text[".htm"].startswith("<!doctype html>")
    assert text[".md"].startswith("<h3>")
    assert said.out.strip().splitlines()[-1] in text[".txt"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not list(small.folder.glob("*.new"))


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("format_", "begins"), [("markdown", "<h3>"), ("html", "<!doctype"), ("junit", "<?xml"), ("json", "{")]
)
def test_a_format_without_a_file_is_the_output(small: World, name: str, format_: str, begins: str) -> None:
    if name == "verify":
        small.planned()
    command = COMMANDS[name](small)
    said = small.plain(*command, "--format", format_)
    assert said.out.startswith(begins)
    assert said.code == small.plain(*command).code


def test_json_on_stdout_goes_with_any_file(small: World) -> None:
    file = small.folder / "report.md"
    said = small("diff", small.db, "target", "-o", str(file))
    assert said.json["differences"] > 0
    assert file.read_text(encoding="utf-8").startswith("<h3>Drift")


def test_a_format_holds_for_a_file_of_any_name(small: World) -> None:
    file = small.folder / "comment"
    small.plain("diff", small.db, "target", "--format", "markdown", "-o", str(file))
    assert file.read_text(encoding="utf-8").startswith("<h3>Drift")


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_archive_and_no_plan_is_overwritten(small: World, name: str) -> None:
    small.planned()
    command, option = COMMANDS[name](small), OPTION.get(name, "-o")
    asked = len(small.target.requests)
    kept = {path: Path(path).read_bytes() for path in (small.db, small.plan)}
    small.plain(*command, option, small.db, "--format", "html").error(4, "is an archive")
    if name in ("plan", "verify"):
        small.plain(*command, option, small.plan).error(2, "overwritten")
    assert {path: Path(path).read_bytes() for path in kept} == kept
    assert len(small.target.requests) == asked


@pytest.mark.parametrize(("file", "words"), [
    ("no/such/report.md", "cannot write"), (".", "cannot write"),
])  # fmt: skip
def test_a_file_that_cannot_be_written_is_reported_before_anything_is_read(
    small: World, file: str, words: str
) -> None:
    asked = len(small.target.requests)
    more = ("--format", "text") if file == "." else ()
    small.plain("diff", small.db, "target", "-o", str(small.folder / file), *more).error(2, words)
    assert len(small.target.requests) == asked


def test_an_older_report_is_replaced_whole(small: World) -> None:
    file = small.folder / "report.txt"
    file.write_text("x" * 1_000_000, encoding="utf-8")
    file.chmod(0o644)
    small.plain("assess", small.db, "--to", "foundry", "-o", str(file))
    assert "xxx" not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def in_terminal(world: World, *arguments: str, **env: str) -> str:
    """The output of a command on a terminal of 140 columns."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "migrate", *arguments, "--config", str(world.config)]
    variables = {**os.environ, **world.env, "TERM": "xterm", "COLUMNS": "140", **env}
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    process.wait(60)
    os.close(ours)
    return text.decode("utf-8")


@pytest.mark.slow
def test_a_terminal_gets_colour_unless_it_is_asked_not_to(small: World) -> None:
    command = ("diff", small.db, "target", "-q")
    assert "\x1b[31m" in in_terminal(small, *command, NO_COLOR="")
    assert "\x1b[3" not in in_terminal(small, *command, NO_COLOR="1")
    assert "\x1b[3" not in in_terminal(small, *command, NO_COLOR="", TERM="dumb")
    assert "\x1b" not in small.plain(*command).out
