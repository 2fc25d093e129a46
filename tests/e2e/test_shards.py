"""An estate that is read in shards and merged: nothing lost, nothing read twice, nothing taken for
deleted."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.model.shard import Shard, shard_of_id
from tests.archive.filling import facts
from tests.e2e.conftest import Launch
from tests.e2e.projects import thread
from tests.e2e.running import ROOT, World, options

N = 3


@pytest.fixture
def world(launch: Launch) -> World:
    made = launch(options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True))
    for number in range(20):
        thread(made.source, 100 + number, [f"hello {number}", "and again"])
    return made


def db(world: World, name: str) -> str:
    return str(world.folder / f"{name}.db")


def shard(world: World, number: int, tag: str = "one", code: int = 0, *more: str) -> Any:
    call = ("snapshot", "source", "-o", db(world, str(number)), "--shard", f"{number}/{N}", "--tag", tag)
    return world(*call, *more).ok(code)


def shards(world: World, tag: str = "one") -> list[str]:
    for number in range(1, N + 1):
        shard(world, number, tag)
    return [db(world, str(number)) for number in range(1, N + 1)]


def merge(world: World, inputs: list[str], into: str = "all", code: int = 0) -> Any:
    return world("merge", *inputs, "-o", db(world, into)).ok(code)


def only(world: World, name: str) -> Any:
    (row,) = world("snapshots", db(world, name)).ok()
    return row


def test_the_share_of_an_id_is_the_same_for_ever() -> None:
    assert [shard_of_id(id_, 7) for id_ in ("thread_1", "thread_2", "conv_ä", "")] == [1, 3, 6, 2]
    assert shard_of_id("\ud800", 97) == shard_of_id("\\ud800", 97)


def test_shards_share_out_the_threads(world: World) -> None:
    whole = world.snapshot()["counts"]
    found = [shard(world, number)["counts"] for number in range(1, N + 1)]
    assert sum((Counter(counts) for counts in found), Counter()) == Counter(whole)
    assert all(counts["thread"] < whole["thread"] for counts in found)
    assert "assistant" in found[0]
    assert all(set(counts) <= {"thread", "message", "run", "run_step"} for counts in found[1:])


def test_content_of_a_thread_is_requested_once(world: World) -> None:
    shards(world)
    # Whether the server obeys `order` is checked once per kind, if the first times do not show it.
    first = (r for r in world.source.requests if "after" not in r.query and r.query.get("order") != "desc")
    asked = Counter(r.path for r in first if "/threads/" in r.path)
    assert asked
    assert set(asked.values()) == {1}
    files = Counter(r.path for r in world.source.requests if r.path.endswith("/content"))
    assert files
    assert set(files.values()) == {1}


def test_joined_shards_are_the_snapshot_that_would_have_been_taken(world: World) -> None:
    inputs = shards(world)
    answer = merge(world, inputs)
    assert answer["whole"] is True
    row = only(world, "all")
    assert row["state"] == "complete"
    assert row["tag"] == "one"
    whole = world.snapshot("--tag", "whole")
    assert row["counts"] == whole["counts"]
    assert world("check", db(world, "all")).ok()["ok"] is True
    for left, right in (
        (world.db, db(world, "all")),
        (db(world, "all"), world.db),
        (db(world, "all"), "source"),
    ):
        said = world("diff", left, right).ok()
        assert (said["differences"], said["unread"]) == (0, [])
    with Archive.open(Path(db(world, "all"))) as all_, Archive.open(Path(world.db)) as whole:
        one, other = all_.conn, whole.conn
        order = "SELECT id FROM threads ORDER BY created_at, id"
        listed = one.execute("SELECT id FROM threads ORDER BY ordinal").fetchall()
        assert listed == other.execute(order).fetchall()
    assert stat.S_IMODE(Path(db(world, "all")).stat().st_mode) == 0o600
    assert not list(world.folder.glob("all.db?*"))


@pytest.mark.slow
def test_the_order_of_the_inputs_does_not_matter(world: World) -> None:
    inputs = shards(world)
    world.snapshot()
    found = []
    for number, order in enumerate(permutations([*inputs, world.db])):
        merge(world, list(order), f"all{number}")
        found.append(facts(db(world, f"all{number}")))
    assert all(one == found[0] for one in found)
    assert len(found[0]["snapshots"]) == 2


def test_merging_again_adds_nothing(world: World) -> None:
    inputs = shards(world)
    merge(world, inputs)
    before = facts(db(world, "all"))
    for more in (inputs, inputs[:1], [db(world, "all")], [*inputs, db(world, "all")]):
        answer = merge(world, more)
        assert (answer["added"], answer["bodies"], answer["files"]) == ([], 0, 0)
        assert facts(db(world, "all")) == before
    merge(world, [db(world, "all"), *inputs], "copy")
    assert facts(db(world, "copy")) == before


def test_it_may_be_merged_one_by_one(world: World) -> None:
    inputs = shards(world)
    merge(world, inputs)
    for path in reversed(inputs[1:]):
        merge(world, [path], "step", code=3)
    said = world.plain("merge", inputs[1], "-o", db(world, "step"))
    assert said.code == 3
    assert f"missing: shard 1 of {N}" in said.out
    merge(world, inputs[:1], "step")
    ours, theirs = facts(db(world, "step")), facts(db(world, "all"))
    for one in (ours, theirs):
        one["snapshots"] = [row[1:] for row in one["snapshots"]]
        one["scopes"] = [row[1:] for row in one["scopes"]]
    assert ours == theirs
    assert world("check", db(world, "step")).ok()["ok"] is True


@pytest.mark.parametrize("lost", range(1, N + 1))
def test_a_missing_shard_is_reported_and_nothing_is_taken_for_gone(world: World, lost: int) -> None:
    inputs = shards(world)
    answer = merge(world, inputs[: lost - 1] + inputs[lost:], code=3)
    assert answer["joined"][0]["missing"] == [lost]
    assert only(world, "all")["state"] == "partial"
    with closing(sqlite3.connect(db(world, "all"))) as conn:
        gaps = conn.execute("SELECT kind, reason FROM missing WHERE object_id = '*'").fetchall()
    assert ("thread", f"not merged: shard {lost} of {N} (one)") in gaps
    assert ("assistant" in dict(gaps)) is (lost == 1)
    said = world("diff", db(world, "all"), "source")
    assert said.json["differences"] == 0
    assert any("not merged" in line for line in said.json["unread"])
    assert world("check", db(world, "all")).ok()["ok"] is True


@pytest.mark.parametrize("number", range(1, N + 1))
def test_a_lone_shard_is_not_the_estate(world: World, number: int) -> None:
    assert shard(world, number)["shard"] == f"{number}/{N}"
    path = db(world, str(number))
    for left, right in ((path, "source"), ("source", path)):
        said = world("diff", left, right)
        assert said.json["differences"] == 0
        assert any(f"shard {number} of {N}" in line for line in said.json["unread"])
    for options_ in ((), ("--prune",)):
        said = world("plan", path, "target", "-o", world.plan, *options_)
        said.error(4, f"shard {number} of {N}", "merge")
    world("assess", path, "--to", "openai").error(4, f"shard {number} of {N}")
    assert f"(shard {number}/{N})" in world.plain("snapshots", path).out


def test_a_shard_needs_a_reading(world: World) -> None:
    world("snapshot", "source", "-o", world.db, "--shard", "1/2").error(2, "--tag")
    for text in ("0/2", "3/2", "1", "a/b", "1/99999"):
        world("snapshot", "source", "-o", world.db, "--tag", "t", "--shard", text).error(2, "K/N")
    assert not Path(world.db).exists()


def looked_once(world: World, at: int) -> None:
    """Check that since a request messages and runs of each thread were read once, and no steps."""
    below = [r.path for r in world.source.requests[at:] if "/threads/" in r.path]
    for kind in ("messages", "runs"):
        asked = [path for path in below if path.endswith(f"/{kind}")]
        assert len(asked) == len(set(asked)) == len(world.source.estate.threads)
    assert len(below) == 2 * len(world.source.estate.threads)


def test_a_finished_shard_is_not_read_again_and_the_next_reading_costs_what_changed(world: World) -> None:
    inputs = shards(world)
    at = len(world.source.requests)
    assert shard(world, 2)["snapshot"] == 1
    assert not [r for r in world.source.requests[at:] if "/threads/" in r.path]
    merge(world, inputs)
    thread(world.source, 300, ["new"])
    at = len(world.source.requests)
    shards(world, "two")
    looked_once(world, at)
    merge(world, inputs)
    rows = world("snapshots", db(world, "all")).ok()
    assert [(row["id"], row["tag"], row["state"]) for row in rows] == [
        (1, "one", "complete"),
        (2, "two", "complete"),
    ]
    assert world("diff", db(world, "all"), "source").ok()["differences"] == 0
    assert world("diff", f"{db(world, 'all')}@one", f"{db(world, 'all')}@two").ok(1)["differences"] == 1


def test_a_whole_snapshot_after_joined_shards_costs_what_changed(world: World) -> None:
    merge(world, shards(world))
    at = len(world.source.requests)
    world("snapshot", "source", "-o", db(world, "all")).ok()
    looked_once(world, at)


def test_history_does_not_take_what_a_shard_did_not_read_for_gone(world: World) -> None:
    world.snapshot()
    first = next(iter(world.source.estate.threads))
    other = shard_of_id(first, 2) % 2 + 1
    world("snapshot", "source", "-o", world.db, "--shard", f"{other}/2", "--tag", "one").ok()
    said = world.plain("history", world.db, first)
    assert "gone" not in said.out
    assert f"shard {other} of 2" in said.out


def test_shards_of_given_threads(world: World) -> None:
    ids = [*world.source.estate.threads, "thread_gone"]
    file = world.folder / "ids.txt"
    file.write_text("\n".join(ids), encoding="utf-8")
    found = [
        world("snapshot", "source", "-o", db(world, str(n)), "--tag", "one", "--shard", f"{n}/{N}",
              "--threads", str(file))
        for n in range(1, N + 1)
    ]  # fmt: skip
    assert [said.code for said in found].count(3) == 1, "one shard looked for the thread that is gone"
    answer = merge(world, [db(world, str(n)) for n in range(1, N + 1)], code=3)
    assert answer["joined"][0]["partial"] == [Shard(shard_of_id("thread_gone", N), N).number]
    assert only(world, "all")["counts"]["thread"] == len(ids) - 1


def test_a_killed_shard_is_continued_and_an_interrupted_one_is_reported(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True, latency=0.02))
    process = world.popen("snapshot", "source", "-o", db(world, "1"), "--tag", "one", "--shard", "1/2",
                          "--workers", "2")  # fmt: skip
    deadline = time.monotonic() + 30
    while len(world.source.requests) < 16:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    world("snapshot", "source", "-o", db(world, "2"), "--tag", "one", "--shard", "2/2").ok()
    both = [db(world, "1"), db(world, "2")]
    answer = merge(world, both, code=3)
    assert [gone["path"] for gone in answer["left_out"]] == [both[0]]
    assert answer["joined"][0]["missing"] == [1]
    world("snapshot", "source", "-o", both[0], "--tag", "one", "--shard", "1/2").ok()
    assert len(world("snapshots", both[0]).ok()) == 1
    assert merge(world, both)["whole"] is True
    assert only(world, "all")["state"] == "complete"
    assert world("diff", db(world, "all"), "source").ok()["differences"] == 0


@pytest.mark.slow
def test_a_journal_is_merged_and_the_id_map_with_it(world: World) -> None:
    world.snapshot()
    world.planned(code=0)
    assert world.apply().code == 0
    inputs = shards(world)
    merge(world, [*inputs, world.db])
    # Workers record their threads at the same time, so the lines may be in another order.
    merged, own = (sorted(world("ids", path).ok(), key=str) for path in (db(world, "all"), world.db))
    assert merged == own != []
    before = facts(db(world, "all"))
    assert merge(world, [world.db, *inputs])["journal"] == 0
    assert facts(db(world, "all")) == before
    # A merge sorts lines by their time, so their numbers, which the hashes contain, may differ.
    lines = [sorted(row[1:-1] for row in read["journal"]) for read in (before, facts(world.db))]
    assert lines[0] == lines[1] != []


KILLED = """
import os, signal, sys
from migrate.archive.merge import {module}
def last(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
{module}.{what} = last
from migrate import cli
sys.argv = ["assistants-migrate", *sys.argv[1:]]
cli.main()
"""
MOMENTS = {
    "Copier.copy_manifest": "copy",
    "ShardJoiner.finish": "shards",
    "BlobMerge.link": "copy",
    "next_snapshot_number": "run",
    "JournalMerge.write": "journal",
    "_publish": "files",
}
# The function in which the program is killed, from first to last -> its module.


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("old", [False, True], ids=["new output", "old output"])
def test_a_killed_merge_leaves_the_old_output_or_none(world: World, moment: str, old: bool) -> None:
    if moment == "_publish" and old:
        moment = "renumber_snapshots"
    inputs = shards(world)
    path = Path(db(world, "all"))
    if old:
        merge(world, inputs[:1], code=3)
    before = facts(str(path)) if old else None
    script = KILLED.format(module=MOMENTS.get(moment, "run"), what=moment)
    call = [sys.executable, "-c", script, "merge", *inputs, "-o", str(path)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.exists() is old
    assert before is None or facts(str(path)) == before
    merge(world, inputs)
    assert only(world, "all")["state"] == "complete"
    assert world("check", str(path)).ok()["ok"] is True
    assert not list(world.folder.glob("all.db?*"))


def test_what_is_no_archive_is_neither_read_nor_written(world: World) -> None:
    world.snapshot()
    other = world.folder / "notes.txt"
    other.write_text("mine")
    world("merge", world.db, "-o", str(other)).error(2, "not an archive")
    world("merge", str(other), "-o", db(world, "all")).error(2, "not an archive")
    world("merge", db(world, "none"), "-o", db(world, "all")).error(2, "no archive")
    assert other.read_text() == "mine"
    assert not Path(db(world, "all")).exists()
    with closing(sqlite3.connect(world.db)) as conn:
        conn.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
                     "VALUES ('assistants-migrate', 'm999', 'x')")  # fmt: skip
        conn.commit()
    world("merge", world.db, "-o", db(world, "all")).error(4, "later version")
    assert not Path(db(world, "all")).exists()
