"""`transcript` as it is typed: which options belong together, exit codes, and what is said."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.writer import SnapshotWriter
from tests.archive.bundled import bundled
from tests.e2e.running import ROOT, World

THREAD = "thread_dpohoc3XDk6a79UEE81px8SF"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transcripts")
    with Archive.open(folder / "estate.db", write=True, create=True) as archive:
        bundled(archive, "azure-v2")
        writer = SnapshotWriter.begin(archive, "openai", "https://x", {}, "broken")
        writer.add_page("thread", "", [BodyRow.from_json("thread", {"id": id_}) for id_ in ("t1", "t2")], "")
        writer.end_listing("thread")
        writer.end_listing("message", "t1", "failed", "GET answered 500")
        writer.end_listing("message", "t2")
        writer.finish("partial", "v")
    (folder / "estates.toml").write_text("")
    return folder


@pytest.fixture
def world(shared: Path) -> World:
    none: Any = None
    return World(shared, none, none)


def test_all_threads_as_files(world: World, tmp_path: Path) -> None:
    said = world("transcript", f"{world.db}@1", "--all", "--dir", str(tmp_path / "s")).ok()
    assert (said["format"], said["threads"], said["messages"]) == ("html", 14, 290)
    assert said["files"] > 5
    assert (said["incomplete"], said["failed"], said["unknown_ids"]) == ([], [], [])
    assert Path(said["index"]).read_text().startswith("<!doctype html>")
    plain = world.plain(
        "transcript", f"{world.db}@1", "--all", "--dir", str(tmp_path / "m"), "--format", "markdown"
    )
    assert plain.code == 0
    assert plain.out.splitlines()[0] == f"14 threads, 290 messages: {tmp_path / 'm/index.md'}"


def test_a_selection_narrows_it(world: World, tmp_path: Path) -> None:
    db, out = f"{world.db}@1", str(tmp_path / "s")
    said = world(
        "transcript", db, "--all", "--dir", out, "--id", THREAD[:12], "--id", "gone", "--format", "jsonl"
    )
    found = said.ok(3)
    assert (found["threads"], found["unknown_ids"]) == (1, ["gone"])
    assert "the snapshot has no gone" in found["notes"]
    assert found["index"].endswith("conversations.jsonl")
    after = world("transcript", db, "--all", "--dir", out, "--after", "2026-01-01", "--force").ok()
    assert (after["threads"], after["removed"]) == (1, 1)
    web = world("transcript", db, "--all", "--dir", out, "--meta", "channel=web-chat", "--force").ok()
    assert web["threads"] == 4


def test_a_selection_without_threads_ends_with_1_and_writes_nothing(world: World, tmp_path: Path) -> None:
    db, out = f"{world.db}@1", str(tmp_path / "s")
    world("transcript", db, "--all", "--dir", out, "--id", "nobody").error(1, "nothing in snapshot 1 matches")
    world("transcript", db, "--all", "--dir", out, "--id", "Order Desk").error(
        1, "the selection has no thread"
    )
    world("transcript", db, "--all", "--dir", out, "--after", "2099-01-01").error(1, "nothing in snapshot 1")
    assert not (tmp_path / "s").exists()


def test_what_is_not_complete_is_reported_and_the_rest_written(world: World, tmp_path: Path) -> None:
    said = world.plain("transcript", f"{world.db}@broken", "--all", "--dir", str(tmp_path / "s"))
    assert said.code == 3
    assert "not complete: thread t1: GET answered 500" in said.err
    assert (tmp_path / "s/threads/t2.html").exists()
    one = world.plain("transcript", f"{world.db}@broken", "t1", "--format", "html")
    assert one.code == 3
    assert "the thread is incomplete: GET answered 500" in one.err
    assert "<b>Not complete.</b> GET answered 500" in one.out


def test_folders_of_others_and_of_earlier_runs(world: World, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    world("transcript", f"{world.db}@1", "--all", "--dir", str(tmp_path)).error(
        4, "files that are no transcripts"
    )
    again = ("transcript", f"{world.db}@1", "--all", "--dir", str(tmp_path / "s"), "--format", "jsonl")
    world(*again).ok()
    world(*again).error(4, "has transcripts already", "--force")
    world(*again, "--force").ok()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "no thread is named"),
        (["--all"], "--all needs a folder"),
        (["--all", "--dir", "{out}", "-o", "x"], "--all writes every thread"),
        ([THREAD, "--all", "--dir", "{out}"], "--all writes every thread"),
        (["--all", "--dir", "{out}", "--format", "text"], "--all has no format text"),
        ([THREAD, "--dir", "{out}"], "need --all"),
        ([THREAD, "--force"], "need --all"),
        ([THREAD, "--id", "x"], "need --all"),
        ([THREAD, "--after", "2026-01-01"], "need --all"),
        (["thread_nobody", "--format", "html"], "has no thread 'thread_nobody'"),
    ],
)
def test_options_that_do_not_belong_together(
    world: World, tmp_path: Path, given: list[str], words: str
) -> None:
    given = [word.replace("{out}", str(tmp_path / "s")) for word in given]
    world.plain("transcript", f"{world.db}@1", *given).error(2, words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["html", "jsonl"])
def test_one_thread_is_printed_or_written(world: World, tmp_path: Path, form: str) -> None:
    printed = world.plain("transcript", f"{world.db}@1", THREAD[:12], "--format", form)
    assert printed.code == 0
    written = tmp_path / f"talk.{form}"
    one = ("transcript", f"{world.db}@1", THREAD, "--format", form, "-o", str(written))
    said = world.plain(*one, "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")
    said = world.plain(*one)
    assert (said.code, said.out, "".join(said.err.split())) == (0, "", f"wrote{written}")
    assert written.read_text() == printed.out
    if form == "jsonl":
        assert json.loads(printed.out)["id"] == THREAD
    else:
        assert printed.out.startswith("<!doctype html>")
    world("transcript", f"{world.db}@1", THREAD, "--format", form).ok()["said"]  # --json is one document


def test_ctrl_c_leaves_whole_files_and_the_next_run_completes_them(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a.db", write=True, create=True) as archive:
        writer = SnapshotWriter.begin(archive, "openai", "https://x", {}, None)
        rows = [BodyRow.from_json("thread", {"id": f"t{n}"}) for n in range(3_000)]
        writer.add_page("thread", "", rows, "")
        writer.end_listing("thread")
        writer.finish("complete", "v")
    site = tmp_path / "s"
    command = [
        sys.executable,
        "-m",
        "migrate",
        "transcript",
        str(tmp_path / "a.db"),
        "--all",
        "--dir",
        str(site),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(site.glob("threads/001/t1*.html")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "Traceback" not in err
    assert not (site / "index.html").exists()
    pages = list(site.glob("threads/*/*"))
    assert pages
    assert all(page.read_text().rstrip().endswith("</html>") for page in pages)
    assert not [path for path in site.rglob("*") if path.name.endswith(".tmp")]
    assert json.loads((site / "transcripts.json").read_text())["state"] == "unfinished"
