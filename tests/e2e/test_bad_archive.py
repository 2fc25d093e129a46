"""Damaged or foreign archives and plans are refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import World


@pytest.fixture
def planned(small: World) -> World:
    """A world after snapshot and plan."""
    small.snapshot()
    small.planned()
    return small


def edit_plan(world: World, change: Any) -> None:
    document = json.loads(Path(world.plan).read_text())
    change(document)
    Path(world.plan).write_text(json.dumps(document))


@pytest.mark.parametrize("command", ["ls", "check", "snapshots", "ids", "diff", "plan", "snapshot"])
def test_a_file_that_is_no_archive(small: World, command: str) -> None:
    Path(small.db).write_text("Dear diary, this is no archive. " * 40)
    more = {"diff": ["target"], "plan": ["target", "-o", small.plan]}.get(command, [])
    given = ["snapshot", "source", "-o", small.db] if command == "snapshot" else [command, small.db, *more]
    small(*given).error(2, "estate.db")
    assert Path(small.db).read_text().startswith("Dear diary"), "a foreign file was overwritten"


def test_a_foreign_database_is_not_taken_over(small: World) -> None:
    with closing(sqlite3.connect(small.db)) as foreign:
        foreign.execute("CREATE TABLE mine (x)")
        foreign.commit()
    small("snapshot", "source", "-o", small.db).error(2, "estate.db")
    with closing(sqlite3.connect(small.db)) as foreign:
        assert foreign.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


@pytest.mark.parametrize("command", ["ls", "check", "snapshot"])
def test_an_archive_of_a_later_version(small: World, command: str) -> None:
    small.snapshot()
    with closing(sqlite3.connect(small.db)) as archive:
        later = "SELECT migration_set, 'm9999_later', applied_at FROM _sqlite_migrations LIMIT 1"
        archive.execute(f"INSERT INTO _sqlite_migrations (migration_set, name, applied_at) {later}")
        archive.commit()
    given = ["snapshot", "source", "-o", small.db] if command == "snapshot" else [command, small.db]
    small(*given).error(4, "version")


@pytest.mark.parametrize("command", ["ls", "check", "diff", "snapshot"])
@pytest.mark.parametrize("start", [16, 4096])
def test_an_archive_with_damaged_pages(small: World, command: str, start: int) -> None:
    small.snapshot()
    whole = Path(small.db).read_bytes()
    Path(small.db).write_bytes(whole[:start] + b"\xff" * (len(whole) - start))
    more = ["target"] if command == "diff" else []
    given = ["snapshot", "source", "-o", small.db] if command == "snapshot" else [command, small.db, *more]
    small(*given).error(2, "estate.db", "copy")


def test_a_snapshot_that_the_archive_does_not_have(small: World) -> None:
    small.snapshot("--tag", "nightly")
    assert small("ls", f"{small.db}@nightly").ok() == small("ls", f"{small.db}@1").ok()
    said = small("ls", f"{small.db}@7")
    assert (said.code, "no snapshot '7'" in said.err) == (2, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["actions"].pop(),
        lambda plan: plan["actions"][0].update(name="another"),
        lambda plan: plan["losses"][0].update(accepted=False, grade="lost"),
        lambda plan: plan["settled"]["models"].update({"gpt-4o": "gpt-5"}),
        lambda plan: plan["target"].update(url="http://127.0.0.1:1/v1"),
        lambda plan: plan.update(extra=1),
    ],
    ids=["action taken out", "name", "loss", "model", "target", "unknown key"],
)
@pytest.mark.parametrize("command", ["apply", "verify"])
def test_a_plan_edited_by_hand(planned: World, change: Any, command: str) -> None:
    edit_plan(planned, change)
    planned(command, planned.plan, *(["--yes"] if command == "apply" else [])).error(
        4, "not as it was written"
    )
    assert not planned.target.estate.files


@pytest.mark.parametrize("text", ["not JSON {", "[1, 2]", "{}", '{"format": 99}', ""])
def test_a_plan_that_is_none(planned: World, text: str) -> None:
    Path(planned.plan).write_text(text)
    planned("apply", planned.plan, "--yes").error(2, "is not a plan")


def test_a_plan_that_is_not_there(planned: World) -> None:
    planned("apply", "nowhere.json", "--yes").error(2, "nowhere.json")


def test_a_plan_whose_archive_was_moved(planned: World) -> None:
    Path(planned.db).rename(planned.folder / "moved.db")
    said = planned("apply", planned.plan, "--yes")
    assert said.code in (2, 4), said.err
    assert "estate.db" in said.err
    assert not Path(planned.db).exists(), "an empty archive was made where none was"


def test_nothing_is_written_without_a_yes(planned: World) -> None:
    said = planned.plain("apply", planned.plan, stdin="n\n")
    assert said.code != 0
    assert not planned.target.estate.files


def test_an_empty_source_is_not_planned(small: World) -> None:
    empty = small("snapshot", "target", "-o", small.db)
    assert empty.code == 0, empty.err
    said = small("plan", small.db, "source", "-o", small.plan)
    assert said.code in (3, 4)
    assert "is empty" in said.err
