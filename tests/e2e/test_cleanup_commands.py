"""`history`, `ls --orphans` and `forget` on the command line, over an estate that changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from tests.e2e.projects import say
from tests.e2e.running import World, options, world
from tests.e2e.small_estate import furnish


@pytest.fixture
def run(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, options("SOURCE_KEY", service="openai"), types=("openai", "openai")) as made:
        furnish(made.source)
        yield made


def with_threads(run: World, *more: str) -> None:
    run(
        "snapshot",
        "source",
        "-o",
        run.db,
        "--threads",
        "-",
        *more,
        stdin="\n".join(run.source.estate.threads),
    )


def test_an_object_is_followed_through_its_snapshots(run: World) -> None:
    with_threads(run)
    assistant = next(iter(run.source.estate.assistants.values()))
    assistant["instructions"] = "You are number one."
    with_threads(run, "--tag", "edited")
    with_threads(run, "--exclude", f"assistant:{assistant['name']}")
    thread = next(iter(run.source.estate.threads))
    say(run.source, thread, "one more")
    del run.source.estate.assistants[assistant["id"]]
    with_threads(run)
    (found,) = run("history", run.db, assistant["id"]).ok()
    assert [(e["snapshot"], e["what"]) for e in found["events"]] == [
        (1, "first seen"),
        (2, "changed"),
        (3, "not read"),
        (4, "gone"),
    ]
    assert found["events"][1]["paths"] == [
        {"path": "instructions", "left": "You are number 1.", "right": "You are number one."}
    ]
    text = run.plain("history", run.db, assistant["id"]).out
    assert "snapshot 2 (edited)" in text
    assert "You are number [-1-]{+one+}." in text
    (found,) = run("history", run.db, thread).ok()
    assert [e["messages"] for e in found["events"]] == [{"now": 3, "was": 0}, {"now": 4, "was": 3}]
    run("history", run.db, "asst_none").error(2, "no snapshot of", "ls ")
    run("history", f"{run.db}x", "asst_none").error(2, "there is no archive")


def test_what_could_be_cleaned_up_is_listed(run: World) -> None:
    estate = run.source.estate
    store, file = next(iter(estate.vector_stores)), next(iter(estate.files))
    estate.vector_stores[store]["status"] = "expired"
    del estate.files[file]
    with_threads(run)
    listed = run("ls", run.db, "--orphans", "--expired")
    rows = listed.ok(3)
    assert {(row["mark"], row["kind"], row["id"]) for row in rows["objects"]} == {
        ("orphan", "vector_store_file", file),
        ("expired", "vector_store", store),
    }
    assert all(row["why"] and "bytes" in row for row in rows["objects"])
    assert "ids that were given" in rows["unsaid"][0]
    only = run("ls", run.db, "--orphans", "--expired", "--kind", "vector_store").ok(3)
    assert [row["mark"] for row in only["objects"]] == ["expired"]
    text = run.plain("ls", run.db, "--unused", "--duplicates").out
    assert "cannot be said: unused files" in text
    assert run("ls", run.db).ok()[0]["kind"] == "assistant"


def numbers(rows: Any) -> list[int]:
    return [row["snapshot"] for row in rows]


def test_a_policy_is_shown_asked_for_and_carried_out(run: World) -> None:
    for _ in range(4):
        run("snapshot", "source", "-o", run.db, "--threads", "none")
    shown = run("forget", run.db, "--keep-last", "2", "--dry-run").ok()
    assert (numbers(shown["kept"]), numbers(shown["forgotten"])) == ([3, 4], [1, 2])
    assert shown["removed"] is None
    asked = run.plain("forget", run.db, "--keep-last", "2", stdin="n\n")
    assert (asked.code, len(run("snapshots", run.db).ok())) == (3, 4)
    assert "for ever?" in asked.err
    done = run("forget", run.db, "--keep-last", "2", "--yes").ok()
    assert done["removed"]["snapshots"] == 2
    assert done["archive_bytes"]["why"] == ""
    assert [row["id"] for row in run("snapshots", run.db).ok()] == [3, 4]
    run("check", run.db).ok()
    again = run("forget", run.db, "--keep-last", "2", "--yes").ok()
    assert (again["forgotten"], again["removed"]) == ([], None)
    text = run.plain("forget", run.db, "3", "--yes", "--no-vacuum").out
    assert "keeps its size" in text
    run("check", run.db).ok()


def test_nothing_goes_without_a_name_or_a_policy(run: World) -> None:
    run("snapshot", "source", "-o", run.db, "--threads", "none", "--tag", "a")
    run("forget", run.db, "--yes").error(2, "neither snapshots nor a policy are given")
    run("forget", run.db, "1", "--keep-last", "1", "--yes").error(2, "cannot both be given")
    run("forget", run.db, "7", "--yes").error(2, "names no snapshot", "snapshots ARCHIVE")
    run("forget", run.db, "--keep-tag", "b", "--yes").error(2, "no snapshot has the tag b")
    assert run.plain("forget", run.db, "--keep-last", "0").code == 2
    assert len(run("snapshots", run.db).ok()) == 1


def test_a_second_writer_keeps_it_from_forgetting(run: World) -> None:
    for _ in range(2):
        run("snapshot", "source", "-o", run.db, "--threads", "none")
    with Archive.open(Path(run.db), write=True):
        run("forget", run.db, "1", "--yes").error(4, "is being written by another program")
        assert numbers(run("forget", run.db, "1", "--dry-run").ok()["forgotten"]) == [1]
    assert len(run("snapshots", run.db).ok()) == 2


def test_a_plan_of_a_forgotten_snapshot_is_refused_and_the_id_map_stays(run: World) -> None:
    with_threads(run)
    run.planned(code=0)
    run.apply()
    before = run("ids", run.db).ok()
    assert before
    next(iter(run.source.estate.assistants.values()))["description"] = "Changed."
    with_threads(run, "--full")
    run("forget", run.db, "--keep-last", "1", "--yes").ok()
    for command in ("apply", "verify", "rollback"):
        more = [] if command == "verify" else ["--yes"]
        run(command, run.plan, *more).error(4, "has no snapshot 1 any more")
    assert run("ids", run.db).ok() == before
    run("check", run.db).ok()
    again = run.planned(code=0)
    assert again["actions"]["create"] == 0


def test_a_plan_goes_on_with_another_snapshot_of_the_same_content(run: World) -> None:
    with_threads(run)
    run.planned(code=0)
    with_threads(run, "--full")
    run("forget", run.db, "--keep-last", "1", "--yes").ok()
    run.apply()
    assert run("verify", run.plan).ok()["findings"] == []
