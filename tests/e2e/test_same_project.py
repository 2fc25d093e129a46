"""Both generations of one project: files and stores are there already and are used where they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, file, latest, posted, project, store, thread
from tests.e2e.running import World

Json = dict[str, Any]


def shared(launch: Launch, types: tuple[str, str] = ("foundry-classic", "foundry")) -> World:
    """One project: an assistant with file search, one with code interpreter, a thread with its own store."""
    one = project("SOURCE_KEY")
    made = launch(one, one, types=types)
    cloud = made.source
    notes, table = file(cloud, 1, "notes.md"), file(cloud, 2, "sales.csv", b"a,b\n")
    papers, dead = store(cloud, 1, "papers", [notes]), store(cloud, 2, None, [notes], status="expired")
    search = {
        "tools": [{"type": "file_search"}],
        "tool_resources": {"file_search": {"vector_store_ids": [papers]}},
    }
    code = {
        "tools": [{"type": "code_interpreter"}],
        "tool_resources": {"code_interpreter": {"file_ids": [table]}},
    }
    add(cloud, assistant(1, "reader", **search), assistant(2, "clerk", **code))
    own = {"code_interpreter": {"file_ids": [table]}, "file_search": {"vector_store_ids": [dead]}}
    thread(cloud, 1, ["hello", "good morning"], tool_resources=own)
    made.begin()
    return made


def ids(made: World, kind: str) -> dict[str, str]:
    return {r["source_id"]: r["target_id"] for r in made("ids", made.db).ok() if r["kind"] == kind}


def tool(made: World, name: str) -> Json:
    (found,) = latest(made.target, name)["definition"]["tools"]
    return dict(found)


def test_nothing_is_uploaded(launch: Launch) -> None:
    made = shared(launch)
    before = set(made.source.estate.files)
    made.snapshot()
    plan = made.planned()
    assert (plan["actions"]["adopt"], plan["actions"]["blocked"]) == (4, 0)
    assert made.apply().ok()["adopted"] == 4
    assert set(made.source.estate.files) == before
    assert posted(made, "/files") == [f"/api/projects/demo/openai/v1/vector_stores/{_anew(made)}/files"]
    assert all(old == new for old, new in ids(made, "file").items())
    assert made("verify", made.plan).ok()["ok"] is True


def _anew(made: World) -> str:
    """The copy of the expired store."""
    (new,) = (new for old, new in ids(made, "vector_store").items() if old != new)
    return new


def test_agents_name_the_very_same_files_and_stores(launch: Launch) -> None:
    made = shared(launch)
    made.snapshot()
    made.planned()
    made.apply().ok()
    (notes, table), (papers, _) = list(made.began.files), list(made.began.vector_stores)
    assert tool(made, "reader") == {"type": "file_search", "vector_store_ids": [papers]}
    assert tool(made, "clerk")["container"] == {"type": "auto", "file_ids": [table]}
    (conversation,) = made.target.estate.conversations.values()
    assert conversation["metadata"]["migrated_files"] == table
    assert conversation["metadata"]["migrated_vector_stores"] == _anew(made)
    assert list(made.target.estate.vector_store_files[_anew(made)]) == [notes]


def test_the_store_that_is_shared_is_not_written_to(launch: Launch) -> None:
    made = shared(launch)
    made.snapshot()
    made.planned()
    made.apply().ok()
    before, now = made.began, made.source.estate
    assert {id_: now.vector_stores[id_] for id_ in before.vector_stores} == before.vector_stores
    assert made.touched() == []


def test_the_plan_reports_that_they_are_shared(launch: Launch) -> None:
    made = shared(launch)
    made.snapshot()
    losses = made("plan", made.db, "target", "-o", made.plan)
    told = [r for r in losses.json["losses"] if "shared" in r["reason"]]
    assert [(r["kind"], r["grade"], "--copy-files" in r["way_out"]) for r in told] == [
        ("file", "adapted", True)
    ]


def test_copy_files_copies_them_all_the_same(launch: Launch) -> None:
    made = shared(launch)
    made.snapshot()
    plan = made.planned("--copy-files")
    assert plan["actions"]["adopt"] == 0
    assert made.apply().ok()["adopted"] == 0
    files, stores = ids(made, "file"), ids(made, "vector_store")
    assert len(files) == len(stores) == 2
    assert not set(files) & set(files.values())
    assert not set(stores) & set(stores.values())
    assert tool(made, "reader")["vector_store_ids"] == [stores[next(iter(stores))]]
    content = made.source.estate.content
    assert {content[old].read() == content[new].read() for old, new in files.items()} == {True}
    assert made("verify", made.plan).ok()["ok"] is True
    assert made.touched() == []


def test_without_bytes_everything_moves_where_it_is_shared(launch: Launch) -> None:
    made = shared(launch)
    made.snapshot("--no-bytes")
    assert made.planned()["actions"]["blocked"] == 0
    assert made.apply().ok()["adopted"] == 4
    assert made("verify", made.plan).ok()["ok"] is True


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("exported", ["before", "afterwards"])
@pytest.mark.parametrize("options", [(), ("--copy-files",)], ids=["in place", "copied"])
def test_a_config_directory_and_the_older_side_do_not_see_what_the_move_made(
    launch: Launch, options: tuple[str, ...], exported: str
) -> None:
    """An expired store of a thread that has a name is created again, with --copy-files every store; the older
    side lists these copies too."""
    made = shared(launch)
    (notes,) = (id_ for id_, row in made.source.estate.files.items() if row["filename"] == "notes.md")
    visitors = store(made.source, 3, "visitors", [notes], status="expired")
    own = {"file_search": {"vector_store_ids": [visitors]}}
    thread(made.source, 2, ["is it open?"], tool_resources=own)
    made.snapshot()
    folder = str(made.folder / "agents")
    if exported == "before":
        made("export", made.db, folder).ok()
    made.planned(*options)
    made.apply().ok()
    assert [row["name"] for row in made.source.estate.vector_stores.values()].count("visitors") == 2
    if exported == "afterwards":
        made("export", f"{made.db}@1", folder).ok()
    assert made("diff", folder, "source").ok()["differences"] == 0
    assert made("diff", "source", folder).ok()["differences"] == 0
    made("plan", folder, "source", "-o", str(made.folder / "back.json")).ok()
    actions = json.loads((made.folder / "back.json").read_text())["actions"]
    assert {a["action"] for a in actions if a["parent"] != "visitors"} <= {"adopt", "skip"}


@pytest.mark.parametrize("options", [(), ("--copy-files",)], ids=["in place", "copied"])
def test_a_second_plan_and_apply_write_nothing(launch: Launch, options: tuple[str, ...]) -> None:
    made = shared(launch)
    made.snapshot()
    made.planned(*options)
    made.apply().ok()
    asked = len(made.target.requests)
    made.snapshot()
    actions = made.planned(*options)["actions"]
    assert {name for name, number in actions.items() if number} == {"skip"}
    made.apply().ok()
    assert made.writes(asked) == []


@pytest.mark.parametrize("change", ["bytes", "filename"])
def test_a_file_of_the_same_id_that_is_another_is_not_used(launch: Launch, change: str) -> None:
    """Two projects may have the same id by chance; that does not prove that they are one project."""
    made = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"))
    table = file(made.source, 1, "sales.csv", b"a,b\n")
    code = {
        "tools": [{"type": "code_interpreter"}],
        "tool_resources": {"code_interpreter": {"file_ids": [table]}},
    }
    add(made.source, assistant(1, "clerk", **code))
    file(
        made.target,
        1,
        "sales.csv" if change == "bytes" else "other.csv",
        b"a,b\n" if change == "filename" else b"x",
    )
    made.snapshot()
    assert made.planned()["actions"]["adopt"] == 0
    made.apply().ok()
    assert tool(made, "clerk")["container"]["file_ids"] == [ids(made, "file")[table]] != [table]
