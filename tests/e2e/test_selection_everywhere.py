"""The syntax of selections on other commands than `plan`: ls, sync, export and snapshot."""

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
    """An estate with all kinds and an empty target, without a snapshot."""
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


def test_ls_reports_what_it_did_not_find(made: World) -> None:
    made.snapshot()
    made("ls", made.db, "--id", "nobody").error(1, "nothing in snapshot 1 matches --id nobody")
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
    made(*sync, "--id", "nobody").error(1, "matches --id nobody")
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


def exported(made: World, folder: str) -> set[str]:
    """The names of the files about objects in a config directory, and the keys of files.yaml."""
    root = made.folder / folder
    listed = (root / "files.yaml").read_text("utf-8").splitlines()
    keys = {line.split(":")[0].strip(" '\"") for line in listed if line.rstrip().endswith(":")}
    places = [*root.glob("assistants/*.md"), *root.glob("vector-stores/*.yaml")]
    return {path.stem for path in places} | {key for key in keys if "." in key}


@pytest.mark.parametrize("live", [True, False], ids=["live", "archived"])
def test_export_writes_the_selection_and_what_it_needs(made: World, live: bool) -> None:
    made.snapshot()
    subject = "source" if live else made.db
    made("export", subject, str(made.folder / "out"), "--id", "reader").ok()
    assert exported(made, "out") >= {"reader", "papers", "notes.md", "guide.md"}
    assert not exported(made, "out") & {"clerk", "sales.csv", "dead"}
    made("export", subject, str(made.folder / "bare"), "--id", "reader", "--no-dependencies").ok()
    assert exported(made, "bare") == {"reader"}


def test_export_with_rules_alone_leaves_other_kinds_whole(made: World) -> None:
    made.snapshot()
    made("export", made.db, str(made.folder / "out"), "--include", "assistant:reader").ok()
    assert exported(made, "out") >= {"reader", "papers", "dead", "sales.csv"}


def test_export_for_terraform_takes_ids(made: World) -> None:
    made.snapshot()
    made("export", made.db, str(made.folder / "out"), "--format", "azapi", "--id", "reader")
    text = (made.folder / "out" / "agents.tf").read_text("utf-8")
    assert "reader" in text
    assert "clerk" not in text


def test_export_names_what_it_cannot_select(made: World) -> None:
    made.snapshot()
    export = ("export", made.db, str(made.folder / "out"))
    made(*export, "--id", "nobody").error(1, "matches --id nobody")
    made(*export, "--id", first_thread(made), "--no-dependencies").error(1, "no assistant, vector store")
    live = ("export", "source", str(made.folder / "out"))
    made(*live, "--after", "2020-01-01").error(2, "an export of a live estate reads none")
    assert not (made.folder / "out").exists()
    answer = made(*export, "--id", "reader", "--id", "nobody").ok(3)
    assert answer["unknown_ids"] == ["nobody"]
    answer = made(*export, "--id", "reader", "--include", "assistant:nobody*").ok(1)
    assert answer["unmatched"] == ["assistant:nobody*"]


def test_a_later_export_of_a_selection_removes_nothing(made: World) -> None:
    made.snapshot()
    export = ("export", made.db, str(made.folder / "out"))
    made(*export).ok()
    before = exported(made, "out")
    made(*export, "--id", "reader").ok()
    assert exported(made, "out") == before


def test_the_latest_to_restore_is_one_that_was_not_filtered(made: World) -> None:
    made.snapshot()
    made.snapshot("--id", "reader")
    made.source.estate.threads.clear()
    for which in ("", "@latest"):
        plan = made("restore", f"{made.db}{which}", "--dry-run", "--accept-loss", "all").json
        assert plan["actions"]["create"] > 0, which  # snapshot 2 has no thread


def test_what_dates_and_metadata_do_not_narrow_is_said(made: World) -> None:
    dated = ("--include", "assistant:*", "--after", "2999-01-01")
    note = "--after and --before had no effect on the selected assistants"
    made.snapshot()
    listed = made.plain("ls", made.db, *dated)
    assert (listed.code, (listed.out + listed.err).count(note)) == (0, 1)
    again = made.plain("snapshot", "source", "-o", made.db, *dated)
    assert (again.code, (again.out + again.err).count(note)) == (0, 1)
    restored = made.plain("restore", f"{made.db}@1", "--dry-run", "--accept-loss", "all", *dated)
    assert (restored.code, restored.out.count(note)) == (0, 1)
    metadata = ("--include", "file:*", "--meta", "nobody=has it")
    listed = made.plain("ls", made.db, *metadata)
    assert (listed.out + listed.err).count("--meta had no effect on the selected files") == 1
    narrowed = made.plain("ls", made.db, "--after", "2000-01-01")
    assert "had no effect" not in narrowed.out + narrowed.err
