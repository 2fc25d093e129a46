"""`-o -` is standard output for reports, plans and transcripts; an archive is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, thread
from tests.e2e.running import World, options


@pytest.fixture
def world(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> World:
    made = launch(options("SOURCE_KEY", list_threads="works"), options("TARGET_KEY", list_threads="works"))
    add(made.source, assistant(1, "desk"))
    thread(made.source, 1, ["hello"])
    made.snapshot()
    monkeypatch.chdir(made.folder)  # where a file called `-` would be made
    return made


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.name.startswith("-"))


def test_a_report_is_alone_on_standard_output(world: World) -> None:
    said = world.plain("diff", world.db, "target", "-o", "-", "--format", "markdown")
    plain = world.plain("diff", world.db, "target", "--format", "markdown")
    first = plain.out.splitlines()[0]
    assert (said.code, said.out.splitlines()[0]) == (1, first)
    assert said.out.count("desk") == plain.out.count("desk")
    page = str(world.folder / "page.html")
    both = world.plain("diff", world.db, "target", "-o", page, "-o", "-", "--format", "markdown")
    assert both.out.splitlines()[0] == first
    assert Path(page).exists()
    assert names() == []


def test_a_transcript_on_standard_output(world: World) -> None:
    (id_,) = world.source.estate.threads
    assert (
        world.plain("transcript", world.db, id_, "-o", "-").out
        == world.plain("transcript", world.db, id_).out
    )
    assert names() == []


def test_a_plan_on_standard_output_can_be_applied(world: World, capfd: Any) -> None:
    said = world.plain("plan", world.db, "target", "-o", "-", "--accept-loss", "all", "-q")
    plan = capfd.readouterr().out
    assert (said.code, said.out) == (0, "")
    Path(world.plan).write_text(plan, encoding="utf-8")
    assert json.loads(plan)["actions"]
    world.apply().ok()
    assert len(world.target.estate.assistants) == 1
    assert names() == []


@pytest.mark.parametrize("others", [["--json"], ["--report", "-"]])
def test_two_documents_are_not_mixed_on_standard_output(world: World, others: list[str]) -> None:
    world.plain("plan", world.db, "target", "-o", "-", *others).error(2, "standard output")


@pytest.mark.parametrize(
    "command",
    [["snapshot", "source"], ["sync", "source", "target"], ["merge", "estate.db"]],
    ids=lambda one: one[0],
)
def test_an_archive_on_standard_output_is_refused(world: World, command: list[str]) -> None:
    before = len(world.target.requests)
    world.plain(*command, "-o", "-").error(2, "an archive cannot be standard output")
    assert world.writes(before) == []
    assert names() == []
