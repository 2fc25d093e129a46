"""JSON that nobody expects: halves of characters, NUL, megabytes, thousands of levels. A command does its
work or fails in three lines; it never ends in a traceback."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from migrate.model.input_limits import MAX_JSON_DEPTH
from tests.e2e import projects
from tests.e2e.conftest import Launch
from tests.e2e.hostile import PLACEHOLDER, commands, deep, nested
from tests.e2e.running import World, options
from tests.sample import RUN

Put = Callable[[World, Any], str]
BIG = "ü" * (5_000_000 if RUN.exhaustive else 1_000_000)


def assistant(world: World, value: Any) -> str:
    function = {"type": "function", "function": {"name": "f", "parameters": value}}
    text = value if isinstance(value, str) else "x"
    projects.add(world.source, projects.assistant(7, text[:256], instructions=text, tools=[function]))
    return ""


def message(world: World, value: Any) -> str:
    thread = projects.thread(world.source, 1, ["hello"])
    part = {"type": "text", "text": {"value": value, "annotations": []}}
    projects.say(world.source, thread, "x", content=[part])
    return thread


def file_name(world: World, value: Any) -> str:
    id_ = projects.file(world.source, 7, "a.txt")
    world.source.estate.files[id_]["filename"] = value
    return ""


def metadata(world: World, value: Any) -> str:
    thread = projects.thread(world.source, 1, ["hello"], metadata={"title": value})
    projects.add(world.source, projects.assistant(7, "A", metadata={"k": value}))
    return thread


PLACES = {"assistant": assistant, "message": message, "file name": file_name, "metadata": metadata}
VALUES = {"half a character": "a\ud800b\udfff", "nul": "a\0b", "long": BIG}
DEEP = ("message", "metadata", "assistant")


def empty(launch: Launch, **others: Any) -> World:
    """A world without any objects."""
    given = options("SOURCE_KEY", service="openai", list_threads="works", downloads=True)
    return launch(given, **others)


def run_all(world: World, thread: str) -> dict[str, list[int]]:
    codes: dict[str, list[int]] = {}
    for given in commands(world, thread or "thread_000000000000000000000001"):
        said = world.plain(*given)
        assert "Traceback" not in said.err, f"{given}\n{said.err}"
        assert said.code in range(6)
        if "error: " in said.err:
            said.error(said.code)
        codes.setdefault(given[0], []).append(said.code)
    return codes


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", VALUES)
def test_every_command_works_or_reports_why_not(launch: Launch, place: str, value: str) -> None:
    world = empty(launch)
    thread = PLACES[place](world, VALUES[value])
    codes = run_all(world, thread)
    assert codes["snapshot"] == [0]
    assert codes["check"] == [0]
    assert codes["plan"] == [0]


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("place", DEEP)
def test_two_thousand_levels(launch: Launch, place: str) -> None:
    world = empty(launch, wrap_source=nested())
    thread = PLACES[place](world, PLACEHOLDER)
    run_all(world, thread)


@pytest.mark.parametrize("place", DEEP)
def test_a_body_as_deep_as_is_taken_goes_through_every_command(launch: Launch, place: str) -> None:
    """On every Python: its own recursion limit must be higher than ours."""
    world = empty(launch)
    thread = PLACES[place](world, json.loads(deep(MAX_JSON_DEPTH.maximum - 20)))
    codes = run_all(world, thread)
    assert codes["snapshot"] == [0]
    assert codes["check"] == [0]
    assert set(codes["show"]) <= {0, 2}
    assert codes["plan"] == [0]
    assert set(codes["diff"]) <= {0, 1}


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("levels", [MAX_JSON_DEPTH.maximum + 4, 300, 500, 900, 2_000, 20_000])
def test_one_deep_body_does_not_keep_the_others_from_being_read(launch: Launch, levels: int) -> None:
    world = empty(launch, wrap_source=nested(levels))
    assistant(world, PLACEHOLDER)
    projects.file(world.source, 1, "a.txt")
    answer = world("snapshot", "source", "-o", world.db).ok(3)
    assert answer["counts"]["file"] == 1
    assert [row["kind"] for row in answer["missing"]] == ["assistant"]


@pytest.mark.parametrize("name", [{"a": 1}, ["b"]], ids=["object", "list"])
def test_a_file_name_that_is_no_text(launch: Launch, name: Any) -> None:
    world = empty(launch)
    file_name(world, name)
    world.snapshot()
    assert world("diff", world.db, "source").ok(0)["compared"]["file"] == 1


def break_body(world: World) -> None:
    """Overwrite a page in the middle of the archive, which is not noticed when it is opened."""
    with closing(sqlite3.connect(world.db)) as conn:
        conn.execute("UPDATE packs SET data = substr(data, 1, length(data) / 2)")
        conn.commit()


@pytest.mark.parametrize("command", ["ls", "show", "search", "index", "transcript", "extract"])
def test_a_damaged_body_is_reported_as_damage(small: World, command: str) -> None:
    small.snapshot()
    thread = next(iter(small.here.threads))
    more = {
        "show": [thread],
        "search": ["the"],
        "transcript": [thread],
        "extract": ["--dir", str(small.folder / "files")],
    }
    break_body(small)
    small(command, small.db, *more.get(command, [])).error(2, "damaged", "check")


@pytest.mark.parametrize("command", ["diff", "plan", "assess"])
def test_a_damaged_body_is_reported_by_every_command(small: World, command: str) -> None:
    small.snapshot()
    break_body(small)
    more = {"diff": ["target"], "plan": ["target", "-o", small.plan], "assess": ["--to", "target"]}[command]
    small(command, small.db, *more).error(2, "damaged")
