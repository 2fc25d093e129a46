"""The grammar of selection on commands other than `plan`: ls, sync, export and snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rounds import furnish, service
from tests.e2e.running import World, world

Json = dict[str, Any]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """A rich estate and an empty target, without a snapshot."""
    ends = service("SOURCE_KEY", "azure-openai"), service("TARGET_KEY", "openai")
    with world(tmp_path, *ends) as made:
        furnish(made.source, "azure-openai")
        yield made


def by_name(made: World, name: str) -> str:
    """The id of the one object of the source with a name."""
    estate = made.source.estate
    (found,) = (
        id_
        for rows in (estate.files, estate.vector_stores, estate.assistants)
        for id_, row in rows.items()
        if name in (row.get("name"), row.get("filename"))
    )
    return str(found)


def first_thread(made: World) -> str:
    return next(iter(made.source.estate.threads))


def test_ls_shows_what_fits_and_what_that_needs_on_request(made: World) -> None:
    made.snapshot()
    reader, papers = by_name(made, "reader"), by_name(made, "papers")
    (row,) = made("ls", made.db, "--id", "reader").ok()
    assert (row["kind"], row["id"]) == ("assistant", reader)
    rows = made("ls", made.db, "--include", "assistant:reader", "--dependencies").ok()
    assert {row["id"]: row.get("needed_by", "") for row in rows if row["kind"] != "file"} == {
        reader: "",
        papers: reader,
    }
    assert {row["needed_by"] for row in rows if row["kind"] == "file"} == {papers}


def test_ls_takes_several_kinds_and_narrows_them(made: World) -> None:
    made.snapshot()
    rows = made("ls", made.db, "--include", "assistant:clerk", "--include", "vector_store:*").ok()
    assert sorted(row["kind"] for row in rows) == ["assistant"] * 2 + ["vector_store"] * 3
    rows = made(
        "ls", made.db, "--include", "assistant:clerk", "--id", "papers", "--kind", "vector_store"
    ).ok()
    assert [row["name"] for row in rows] == ["papers"]
    rows = made("ls", made.db, "--meta", "who=A*").ok()
    assert [row["id"] for row in rows] == [first_thread(made)]


def test_ls_lists_the_messages_of_selected_threads(made: World) -> None:
    made.snapshot()
    thread = first_thread(made)
    rows = made("ls", made.db, "--id", thread, "--kind", "message").ok()
    assert {row["parent"] for row in rows} == {thread}
    assert len(rows) == len(made.source.estate.messages[thread])


def test_ls_says_what_it_did_not_find(made: World) -> None:
    made.snapshot()
    made("ls", made.db, "--id", "nobody").error(1, "nothing in snapshot 1 fits --id nobody")
    made("ls", made.db, "--id", "reader", "--kind", "file").error(1, "the selection has no file")
    answer = made("ls", made.db, "--id", "reader", "--id", "nobody")
    assert [row["name"] for row in answer.ok(3)] == ["reader"]
    assert "the snapshot has no nobody" in answer.err


def test_what_could_be_cleaned_up_is_narrowed_as_well(made: World) -> None:
    made.snapshot()
    marks = ("ls", made.db, "--unused", "--duplicates")
    whole = {row["id"] for row in made(*marks).json["objects"]}
    dead = by_name(made, "dead")
    assert dead not in whole  # a thread refers to it
    unused = sorted(whole)[0]
    assert {row["id"] for row in made(*marks, "--id", unused).json["objects"]} == {unused}
    assert made(*marks, "--id", dead).json["objects"] == []


def test_sync_moves_the_selection_out_of_a_whole_snapshot(made: World) -> None:
    sync = ("sync", "source", "target", "-o", made.db, "--accept-loss", "all")
    done = made(*sync, "--id", "reader").ok()
    assert done["verify"]["findings"] == []
    estate = made.target.estate
    assert [row["name"] for row in estate.assistants.values()] == ["reader"]
    assert [row["name"] for row in estate.vector_stores.values()] == ["papers"]
    assert not estate.threads
    assert made("snapshots", made.db).json[0]["counts"]["thread"] == len(made.source.estate.threads)
    before = len(made.target.requests)
    made(*sync, "--id", "reader").ok()
    assert made.writes(before) == []


def test_sync_refuses_to_prune_a_selection_before_it_reads(made: World) -> None:
    sync = ("sync", "source", "target", "-o", made.db)
    made(*sync, "--id", "reader", "--prune").error(4, "--prune cannot be combined with a selection")
    assert not Path(made.db).exists()
    assert not made.source.requests
    made(*sync, "--id", "nobody").error(1, "fits --id nobody")
    assert made.writes() == []


def test_sync_names_an_unknown_id_and_ends_with_3(made: World) -> None:
    done = made(
        "sync", "source", "target", "-o", made.db, "--accept-loss", "all", "--id", "reader", "--id", "nobody"
    ).ok(3)
    assert done["plan"]["unknown_ids"] == ["nobody"]
    assert [row["name"] for row in made.target.estate.assistants.values()] == ["reader"]


def test_without_a_number_the_newest_snapshot_that_was_not_filtered_is_meant(made: World) -> None:
    made.snapshot("--include", "assistant:reader")
    answer = made("ls", made.db, "--kind", "assistant")
    assert [row["name"] for row in answer.ok()] == ["reader"]
    assert "has only filtered snapshots" in answer.err
    made.snapshot()
    made.snapshot("--exclude", "thread:*")
    answer = made("ls", made.db)
    assert {row["kind"] for row in answer.ok()} >= {"thread"}
    assert "note" not in answer.err
    plan = made.planned()
    assert plan["source"]["snapshot"] == 2
    assert json.loads(Path(made.plan).read_text("utf-8"))["source"]["snapshot"] == 2
