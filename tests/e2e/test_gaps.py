"""Objects that cannot be read are listed, the rest is stored: partial snapshots, exit code 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.running import FIXTURES, World, options

HIDDEN = {"assistant", "thread", "message", "run", "run_step"}


def kinds(answer: Any) -> set[str]:
    return {row["kind"] for row in answer["missing"]}


@pytest.mark.parametrize("gone", ["retired", "dated_paths_retired"])
def test_a_retired_service_still_gives_files_and_stores(launch: Launch, gone: str) -> None:
    world = launch(options("SOURCE_KEY", "azure-v2", downloads=True, **{gone: True}))
    answer = world.snapshot(code=3)
    assert answer["state"] == "partial"
    assert kinds(answer) == {"assistant", "thread"}
    assert all("retired" in row["reason"] for row in answer["missing"])
    held = world.source.estate.counts()
    wanted = {kind: held[kind] for kind in ("file", "vector_store", "vector_store_file")}
    assert {kind: answer["counts"].get(kind) for kind in wanted} == wanted
    assert {kind for kind, number in answer["counts"].items() if number} == set(wanted)
    paths = {request.path for request in world.source.requests if request.status == 200}
    assert gone == "retired" or all(path.startswith("/openai/v1/") for path in paths)
    assert [row["state"] for row in world("snapshots", world.db).ok()] == ["partial"]


def test_a_diff_with_a_retired_service_counts_no_absence(launch: Launch) -> None:
    whole = launch(
        options("SOURCE_KEY", "azure-v2", downloads=True), options("TARGET_KEY", "azure-v2", retired=True)
    )
    whole.snapshot()
    answer = whole("diff", whole.db, "target").ok(3)
    assert not [change for change in answer["changes"] if change["kind"] in HIDDEN]
    assert {line.split()[0] for line in answer["unread"]} >= {"assistant", "thread"}


def test_threads_that_no_listing_gives_are_named_as_missing(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY", "openai-v2", "openai", downloads=True))
    answer = world.snapshot(code=3)
    assert kinds(answer) == {"thread"}
    assert "--threads" in answer["missing"][0]["reason"]
    assert "thread" not in {kind for kind, number in answer["counts"].items() if number}
    assert world.snapshot("--threads", "none")["state"] == "complete"


def test_threads_come_from_a_file_standard_input_and_the_config(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY", "openai-v2", "openai", downloads=True))
    one, two, three, four = world.source.estate.threads
    ids = world.folder / "ids.txt"
    ids.write_text(f"# two of them\n{one}\n\n  {two}  # a comment\n{one}\n", encoding="utf-8")
    assert world.snapshot("--threads", str(ids))["counts"]["thread"] == 2
    said = world("snapshot", "source", "-o", world.db, "--threads", "-", stdin=f"{three}\n")
    assert said.ok(0)["counts"]["thread"] == 1
    text = world.config.read_text().replace(
        'key_env = "SOURCE_KEY"', 'key_env = "SOURCE_KEY"\nthreads_file = "more.txt"'
    )
    world.config.write_text(text)
    (world.folder / "more.txt").write_text(f"{four}\n")
    answer = world.snapshot("--threads", str(ids))
    assert (answer["counts"]["thread"], answer["state"]) == (3, "complete")
    listed = {row["id"] for row in world("ls", world.db, "--kind", "thread").ok()}
    assert listed == {one, two, four}


def test_ids_given_and_ids_listed_are_one_set(launch: Launch) -> None:
    world = launch()
    ids = world.folder / "ids.txt"
    ids.write_text("\n".join(world.source.estate.threads))
    assert world.snapshot("--threads", str(ids))["counts"]["thread"] == len(world.source.estate.threads)


def test_a_thread_that_does_not_exist_is_reported(small: World) -> None:
    ids = small.folder / "ids.txt"
    ids.write_text("thread_of_yesterday\n../files\n")
    answer = small.snapshot("--threads", str(ids), code=3)
    assert {(row["kind"], row["id"]) for row in answer["missing"]} == {
        ("thread", "thread_of_yesterday"),
        ("thread", "../files"),
    }
    assert answer["counts"]["thread"] == len(small.source.estate.threads)


def test_a_file_of_thread_ids_that_is_not_there(small: World) -> None:
    small("snapshot", "source", "-o", small.db, "--threads", "nowhere.txt").error(2, "nowhere.txt")
    assert not Path(small.db).exists()


def test_bytes_that_the_service_keeps_are_named_and_originals_settle_it(
    launch: Launch, tmp_path: Path
) -> None:
    world = launch(options("SOURCE_KEY", "openai-v2", "openai", list_threads="works"))
    answer = world.snapshot()
    files = world.source.estate.files
    named = {row["id"] for row in answer["missing"]}
    assert (
        named == {id_ for id_, file in files.items() if file["purpose"] in ("assistants", "vision")} & named
    )
    assert named
    assert kinds(answer) == {"file"}
    assert {row["expected"] for row in answer["missing"]} == {True}, "it is what this service always does"
    plan = world("plan", world.db, "target", "-o", world.plan).ok(1)
    found = {
        row["id"]: row["grade"] for row in plan["losses"] if (row["kind"], row["field"]) == ("file", "bytes")
    }
    parsed = {row["id"] for row in answer["missing"] if "only its parsed text is kept" in row["reason"]}
    assert parsed
    assert found == {id_: "lost" if id_ in parsed else "blocked" for id_ in named}
    originals = tmp_path / "originals"
    for number, id_ in enumerate(named):
        place = originals / str(number) / files[id_]["filename"]
        place.parent.mkdir(parents=True)
        place.write_bytes((FIXTURES / "openai-v2" / "content" / id_).read_bytes())
    settled = world.snapshot("--originals", str(originals))
    assert (settled["state"], settled["missing"]) == ("complete", [])


def test_an_original_of_another_size_settles_nothing(launch: Launch, tmp_path: Path) -> None:
    world = launch(options("SOURCE_KEY", "openai-v2", "openai", list_threads="works"))
    for file in world.source.estate.files.values():
        (tmp_path / Path(file["filename"]).name).write_bytes(b"x" * (file["bytes"] + 1))
    before = {row["id"] for row in world.snapshot()["missing"]}
    after = {row["id"] for row in world.snapshot("--originals", str(tmp_path))["missing"]}
    assert after == before
