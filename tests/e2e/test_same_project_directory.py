"""A config directory and a project in which a move made copies: a store that exists twice counts once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, file, project, store, thread
from tests.e2e.running import World

Json = dict[str, Any]
SEARCH = {"type": "file_search"}


# The maximum number of pairs of a store: its copy has no room for the stamp.
FULL = {f"key{n}": "value" for n in range(16)}


def world(launch: Launch, metadata: Json | None = None) -> World:
    """One project: an assistant with a store of two files, a thread with another store that has expired."""
    one = project("SOURCE_KEY")
    made = launch(one, one, types=("foundry-classic", "foundry"))
    cloud = made.source
    notes, guide = file(cloud, 1, "notes.md"), file(cloud, 2, "guide.md")
    papers = store(cloud, 1, "papers", [notes, guide], metadata=metadata or {})
    store(cloud, 2, "papers of others", [guide], metadata=metadata or {})
    dead = store(cloud, 3, "dead", [notes], status="expired", metadata=metadata or {})
    held = {"file_search": {"vector_store_ids": [papers]}}
    add(cloud, assistant(1, "reader", tools=[SEARCH], tool_resources=held))
    thread(cloud, 1, ["hello"], tool_resources={"file_search": {"vector_store_ids": [dead]}})
    made.begin()
    return made


def exported(made: World) -> str:
    folder = str(made.folder / "agents")
    made("export", "source", folder).ok()
    return folder


def move(made: World, *options: str) -> None:
    before = len(made.source.estate.vector_stores)
    made.snapshot()
    made.planned(*options)
    made.apply().ok()
    assert len(made.source.estate.vector_stores) > before


def planned(made: World, folder: str) -> dict[str, tuple[str, str]]:
    """Store of the directory -> action and id on the target."""
    path = made.folder / "back.json"
    found: Json = made("plan", folder, "source", "-o", str(path)).ok()
    assert not [loss for loss in found["losses"] if loss["grade"] == "blocked"]
    rows = json.loads(path.read_text())["actions"]
    return {r["id"]: (r["action"], r["target_id"]) for r in rows if r["kind"] == "vector_store"}


each_way = pytest.mark.parametrize(
    "options", [("--copy-files",), ()], ids=["files and stores copied", "an expired store created again"]
)


@each_way
def test_a_directory_finds_no_difference_after_a_move_to_the_other_generation(
    launch: Launch, options: tuple[str, ...]
) -> None:
    made = world(launch)
    folder = exported(made)
    before = made("diff", folder, "source").ok()
    move(made, *options)
    after = made("diff", folder, "source").ok()
    assert (after["changes"], after["compared"]) == ([], before["compared"])
    swapped = made("diff", "source", folder).ok()
    assert swapped["changes"] == []


@each_way
def test_a_plan_from_a_directory_means_the_same_stores_after_a_move_to_the_other_generation(
    launch: Launch, options: tuple[str, ...]
) -> None:
    made = world(launch)
    folder = exported(made)
    before = planned(made, folder)
    assert before["dead"] == ("create", "")
    move(made, *options)
    after = planned(made, folder)
    assert after.pop("dead")[0] == "adopt", "it had expired, and can be searched now"
    assert after == {key: row for key, row in before.items() if key != "dead"}
    assert {how for how, _ in after.values()} == {"adopt"}


def test_an_export_after_the_move_is_the_one_before_it(launch: Launch) -> None:
    made = world(launch)
    folder = Path(exported(made))
    before = {path.name for path in folder.rglob("*") if path.is_file()}
    move(made, "--copy-files")
    made("export", "source", str(made.folder / "again")).ok()
    assert {path.name for path in (made.folder / "again").rglob("*") if path.is_file()} == before


def test_a_copy_that_an_assistant_searches_is_configuration(launch: Launch) -> None:
    made = world(launch)
    folder = exported(made)
    move(made, "--copy-files")
    here = made.source.estate
    copy = [id_ for id_, row in here.vector_stores.items() if row["name"] == "papers"][-1]
    held = {"file_search": {"vector_store_ids": [copy]}}
    add(made.source, assistant(2, "second", tools=[SEARCH], tool_resources=held))
    changes = made("diff", folder, "source").ok(1)["changes"]
    assert ("vector_store", copy) in {(c["kind"], c["right_id"]) for c in changes if c["action"] == "added"}


def test_a_copy_whose_origin_was_deleted_takes_its_place(launch: Launch) -> None:
    made = world(launch)
    folder = exported(made)
    move(made, "--copy-files")
    here = made.source.estate
    origin = next(id_ for id_, row in here.vector_stores.items() if row["name"] == "papers of others")
    del here.vector_stores[origin]
    here.vector_store_files.pop(origin)
    removed = [c for c in made("diff", folder, "source").json["changes"] if c["kind"] == "vector_store"]
    assert removed == []


def unstamped(launch: Launch, *options: str, exported_after: bool = False) -> tuple[World, str, Json]:
    """A directory exported before a move whose copies have no stamp, and the result of a comparison at that
    time."""
    made = world(launch, FULL)
    folder = exported(made)
    before = made("diff", folder, "source").ok()
    move(made, *options)
    copies = [
        row for id_, row in made.source.estate.vector_stores.items() if id_ not in made.here.vector_stores
    ]
    assert copies
    assert not [row for row in copies if "migrated_from" in row["metadata"]]
    if exported_after:
        folder = str(made.folder / "later")
        made("export", "source", folder).ok()
    return made, folder, before


@each_way
def test_copies_without_a_stamp_are_known_by_the_journal(launch: Launch, options: tuple[str, ...]) -> None:
    made, folder, before = unstamped(launch, *options)
    told = ("--journal", made.db)
    after = made("diff", *told, folder, "source").ok()
    assert (after["changes"], after["compared"]) == ([], before["compared"])
    assert made("diff", *told, "source", folder).ok()["changes"] == []
    made.snapshot()
    assert made("diff", folder, f"{made.db}@2").ok()["changes"] == [], "the archive is at hand"


def test_without_the_journal_nobody_knows_that_they_are_copies(launch: Launch) -> None:
    made, folder, _ = unstamped(launch, "--copy-files")
    changes = made("diff", folder, "source").ok(1)["changes"]
    assert {c["kind"] for c in changes if c["action"] == "added"} >= {"vector_store"}


def test_an_export_that_knew_no_journal_and_a_comparison_that_does_agree(launch: Launch) -> None:
    """It took the copies for configuration and wrote their ids; objects in a directory are compared."""
    made, folder, _ = unstamped(launch, "--copy-files", exported_after=True)
    assert made("diff", "--journal", made.db, folder, "source").ok()["changes"] == []


def test_an_export_of_an_archive_leaves_out_what_its_journal_made(launch: Launch) -> None:
    made, folder, _ = unstamped(launch, "--copy-files")
    made.snapshot()
    made("export", f"{made.db}@2", str(made.folder / "again")).ok()
    names = [
        {path.name for path in Path(one).rglob("*") if path.is_file()}
        for one in (folder, made.folder / "again")
    ]
    assert names[0] == names[1]


def test_a_copy_without_a_stamp_that_an_assistant_searches_is_configuration(launch: Launch) -> None:
    made, folder, _ = unstamped(launch, "--copy-files")
    here = made.source.estate
    copy = [id_ for id_, row in here.vector_stores.items() if row["name"] == "papers"][-1]
    held = {"file_search": {"vector_store_ids": [copy]}}
    add(made.source, assistant(2, "second", tools=[SEARCH], tool_resources=held))
    changes = made("diff", "--journal", made.db, folder, "source").ok(1)["changes"]
    assert ("vector_store", copy) in {(c["kind"], c["right_id"]) for c in changes if c["action"] == "added"}


def test_what_the_journal_knows_of_a_store_of_others_makes_it_no_copy(launch: Launch) -> None:
    """A store that was created after the move is a difference, also beside copies."""
    made, folder, _ = unstamped(launch, "--copy-files")
    other = store(made.source, 9, "new", [])
    changes = made("diff", "--journal", made.db, folder, "source").ok(1)["changes"]
    assert [(c["kind"], c["action"], c["right_id"]) for c in changes] == [("vector_store", "added", other)]
