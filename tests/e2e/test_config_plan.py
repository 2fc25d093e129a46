"""A directory as the source of a plan: one edit is one update, and nothing else is changed."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.directories import STATES, edit, itself, plan, write
from tests.e2e.projects import add, assistant, change, project
from tests.e2e.running import World, options


@pytest.fixture(params=STATES)
def state(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def changed(folder: Path) -> str:
    """Change one word in the instructions of one assistant; returns its name."""
    paths = sorted((folder / "assistants").iterdir())
    for path in sorted(paths, key=lambda path: " " in path.stem):  # first a name that is a valid agent name
        head, _, body = path.read_text(encoding="utf-8").partition("\n---\n\n")
        if body and "definition:" not in head:
            path.write_text(f"{head}\n---\n\n{body.replace(' ', ' herbaceous ', 1)}", encoding="utf-8")
            return path.stem
    raise AssertionError("no assistant has instructions")


def actions(world: World) -> list[dict[str, Any]]:
    """The actions of the plan, without `adopt` and `skip`."""
    rows = json.loads(Path(world.plan).read_text(encoding="utf-8"))["actions"]
    return [row for row in rows if row["action"] not in ("adopt", "skip")]


@pytest.mark.exhaustive(2)
def test_one_word_is_one_difference_and_one_update(launch: Launch, state: str) -> None:
    world = itself(launch, state)
    folder = world.folder / "agents"
    world("export", "target", str(folder)).ok()
    for path in (folder / "vector-stores").glob("*"):
        if state == "foundry-classic" and "Visitor uploads" in path.read_text(encoding="utf-8"):
            path.unlink()  # expired: it would be created again
    world("diff", "target", str(folder)) if state == "foundry-classic" else world(
        "diff", "target", str(folder)
    ).ok()
    changed(folder)
    found = world("diff", "target", str(folder)).ok(1)
    (drift,) = [row for row in found["changes"] if row["action"] == "changed"]
    assert drift["kind"] == "assistant"
    assert drift["paths"] == ["instructions"]
    before = len(world.target.requests)
    world("plan", str(folder), "target", "-o", world.plan, "--accept-loss", "all").ok()
    assert not [request for request in world.target.requests[before:] if request.method != "GET"]
    (update,) = actions(world)
    assert (update["action"], update["fields"]) == ("update", ["instructions"])
    applied = world.apply().ok()
    assert (applied["updated"], applied["created"], applied["deleted"]) == (1, 0, 0)
    assert [r for r in world("diff", "target", str(folder)).json["changes"] if r["action"] == "changed"] == []
    assert world("verify", world.plan).ok()["ok"]
    again = plan(world, str(folder), "--accept-loss", "all")
    assert again["actions"]["update"] == again["actions"]["create"] == 0
    world("rollback", world.plan, "--yes")


DESK = """---
name: Desk
model: gpt-4o
tools:
  - type: file_search
  - type: code_interpreter
tool_resources:
  code_interpreter:
    file_ids: [numbers.csv]
  file_search:
    vector_store_ids: [Papers]
---

You answer from the papers.
"""
PAPERS = "name: Papers\nfiles:\n  handbook.md:\n"
FILES = "handbook.md:\n  path: docs/handbook.md\nnumbers.csv:\n  path: docs/numbers.csv\n"
HAND = {
    "assistants/desk.md": DESK,
    "vector-stores/papers.yaml": PAPERS,
    "files.yaml": FILES,
    "docs/handbook.md": "# Handbook\n",
    "docs/numbers.csv": "1,2\n",
}


@pytest.fixture(params=["openai", "azure-openai", "foundry-classic", "foundry"])
def world(request: pytest.FixtureRequest, launch: Launch) -> World:
    """An estate without any relation to the directory, as source and target of every type."""
    service = "foundry" if request.param.startswith("foundry") else request.param
    there = (
        project("TARGET_KEY")
        if service == "foundry"
        else options("TARGET_KEY", service=service, downloads=True)
    )
    return launch(options("SOURCE_KEY", service=service), there, types=(request.param, request.param))


@pytest.mark.exhaustive(2)
def test_what_is_written_by_hand_is_made(world: World) -> None:
    folder = write(world.folder / "agents", HAND)
    planned = plan(world, folder)
    assert planned["actions"]["create"] == 5  # 2 files, a store, a file in it, an assistant
    assert world.apply().ok()["created"] == 5
    assert world("verify", world.plan).ok()["ok"]
    assert world("diff", folder, "target").ok()["compared"]["assistant"] == 1
    again = plan(world, folder)
    assert again["actions"]["skip"] == sum(again["actions"].values())
    ids = world("ids", str(Path(world.plan).with_suffix(".db"))).ok()
    assert {(row["kind"], row["source_id"]) for row in ids} >= {
        ("assistant", "Desk"),
        ("file", "numbers.csv"),
    }


@pytest.mark.exhaustive(2)
def test_a_new_file_is_one_more_and_a_deleted_one_touches_nothing(world: World) -> None:
    folder = write(world.folder / "agents", HAND)
    plan(world, folder)
    world.apply().ok()
    write(
        world.folder / "agents", {"assistants/second.md": "---\nname: Second\nmodel: gpt-4o\n---\n\nHello.\n"}
    )
    plan(world, folder)
    (made,) = actions(world)
    assert (made["action"], made["name"]) == ("create", "Second")
    world.apply().ok()
    (world.folder / "agents/assistants/second.md").unlink()
    before = len(world.target.requests)
    assert not actions_of(plan(world, folder))
    world.apply().ok()
    assert not [r for r in world.target.requests[before:] if r.method not in ("GET", "HEAD")]
    pruned = plan(world, folder, "--prune", "--max-delete", "100%")["actions"]["delete"]
    assert pruned == 1


def actions_of(planned: Any) -> int:
    counts = planned["actions"]
    return int(counts["create"] + counts["update"] + counts["delete"])


@pytest.mark.exhaustive(2)
def test_a_rollback_takes_it_back(world: World) -> None:
    folder = write(world.folder / "agents", HAND)
    plan(world, folder)
    world.apply().ok()
    world("rollback", world.plan, "--yes").ok()
    found = world("diff", folder, "target").ok(1)
    assert {row["action"] for row in found["changes"]} == {"removed"}


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("new", ["1,2,3\n", "2,1\n"])
def test_new_bytes_under_a_name_are_a_new_file(world: World, new: str) -> None:
    folder = write(world.folder / "agents", HAND)
    plan(world, folder)
    world.apply().ok()
    write(world.folder / "agents", {"docs/numbers.csv": new})
    for _ in range(2):  # a second plan that is never applied changes nothing
        plan(world, folder)
    assert {(a["action"], a["kind"]) for a in actions(world)} == {("create", "file"), ("update", "assistant")}
    world.apply().ok()
    assert world("verify", world.plan).ok()["ok"]


def test_objects_beside_it_are_not_changed(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    add(world.target, assistant(1, "Desk", instructions="Old.", metadata={"a": "b"}), assistant(2, "Other"))
    other = dict(world.target.estate.assistants[assistant(2, "Other")["id"]])
    folder = write(world.folder / "agents", HAND)
    plan(world, folder, code=0)
    update = next(a for a in actions(world) if a["kind"] == "assistant")
    assert (update["action"], update["target_id"]) == ("update", assistant(1, "Desk")["id"])
    world.apply().ok()
    assert world.target.estate.assistants[other["id"]] == other


def test_two_of_one_name_are_distinguished_by_an_id(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    twins = [assistant(n, "Twin", instructions="Old.") for n in (1, 2)]
    add(world.target, *twins)
    folder = write(
        world.folder / "agents", {"assistants/t.md": "---\nname: Twin\nmodel: gpt-4o\n---\n\nNew.\n"}
    )
    planned = plan(world, folder, code=1)
    (loss,) = [row for row in planned["losses"] if row["grade"] == "blocked"]
    assert all(twin["id"] in loss["reason"] for twin in twins)
    assert "id:" in loss["way_out"]
    edit(world.folder / "agents/assistants/t.md", "name: Twin", f"id: {twins[1]['id']}\nname: Twin")
    plan(world, folder)
    assert [(a["action"], a["target_id"]) for a in actions(world)] == [("update", twins[1]["id"])]


def test_a_key_makes_a_change_of_name_a_change_of_name(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    text = "---\nid: desk\nname: {}\nmodel: gpt-4o\n---\n\nHello.\n"
    folder = write(world.folder / "agents", {"assistants/d.md": text.format("Desk")})
    plan(world, folder)
    world.apply().ok()
    write(world.folder / "agents", {"assistants/d.md": text.format("Front Desk")})
    plan(world, folder)
    assert [(a["action"], a["fields"]) for a in actions(world)] == [("update", ["name"])]


def test_a_name_is_found_under_its_address(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry"))
    text = "---\nname: Front Desk\nmodel: gpt-4o\n---\n\nHello.\n"
    folder = write(world.folder / "agents", {"assistants/d.md": text})
    plan(world, folder)
    world.apply().ok()
    Path(world.plan).with_suffix(
        ".db"
    ).unlink()  # the journal is lost, and the stamp is that of another origin
    agents = world.target.estate.agents
    assert "Front-Desk" in agents
    edit(world.folder / "agents/assistants/d.md", "Hello", "Good day")
    plan(world, folder)
    assert [(a["action"], a["target_id"]) for a in actions(world)] == [("update", "Front-Desk")]
    world.apply().ok()
    assert world("diff", folder, "target").ok()["differences"] == 0


def test_a_file_without_bytes_is_blocked_with_a_way_out(world: World) -> None:
    files = "handbook.md:\n  bytes: 11\nnumbers.csv:\n  path: docs/numbers.csv\n"
    folder = write(world.folder / "agents", {**HAND, "files.yaml": files})
    planned = plan(world, folder, code=1)
    (loss,) = [row for row in planned["losses"] if (row["kind"], row["grade"]) == ("file", "blocked")]
    assert "--bytes" in loss["way_out"]
    assert "path" in loss["way_out"]


@pytest.mark.exhaustive(2)
def test_the_directory_is_kept_as_it_was_reviewed(world: World) -> None:
    folder = write(world.folder / "agents", HAND)
    plan(world, folder)
    kept = Path(world.plan).with_suffix(".db")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    edit(world.folder / "agents/assistants/desk.md", "papers.", "winds.")
    (world.folder / "agents/docs/numbers.csv").unlink()
    world.apply().ok()
    assert world("verify", world.plan).ok()["ok"]
    assert b"winds" not in kept.read_bytes()


def test_an_archive_of_somebody_else_is_not_written_to(world: World) -> None:
    folder = write(world.folder / "agents", HAND)
    world("snapshot", "source", "-o", world.db, "--threads", "none")
    before = Path(world.db).read_bytes()
    said = world("plan", folder, "target", "-o", str(Path(world.db).with_suffix(".json")))
    said.error(4, "another estate")
    assert Path(world.db).read_bytes() == before


@pytest.mark.parametrize("command", ["snapshot {} -o x.db", "sync {} target -o x.db", "ls {}", "doctor {}"])
def test_other_commands_advise_what_to_use_instead(small: World, command: str) -> None:
    folder = write(small.folder / "agents", HAND)
    said = small(*command.format(folder).split())
    said.error(2, "is a config directory")


def test_it_cannot_be_the_target(small: World) -> None:
    folder = write(small.folder / "agents", HAND)
    small("plan", folder, folder, "-o", small.plan).error(2, "is a config directory")


def test_an_assessment_reads_it(small: World) -> None:
    folder = write(small.folder / "agents", HAND)
    assert small("assess", folder, "--to", "foundry").ok()["totals"]["blocked"] == 0


def test_an_edit_on_the_target_is_shown(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    add(world.target, assistant(1, "Desk"))
    folder = world.folder / "agents"
    world("export", "target", str(folder)).ok()
    change(world.target, assistant(1, "Desk")["id"], temperature=0.3)
    (drift,) = world("diff", str(folder), "target").ok(1)["changes"]
    assert drift["paths"] == ["temperature"]


def test_what_is_no_longer_used_is_compared_where_the_files_name_it(small: World) -> None:
    folder = small.folder / "agents"
    small("export", "source", str(folder)).ok()
    held = small.source.estate.assistants
    (id_,) = [id_ for id_, row in held.items() if row["name"] == "Lab Notebook"]
    held[id_] = {**held[id_], "tool_resources": {}}
    for sides in (("source", str(folder)), (str(folder), "source")):
        (drift,) = small("diff", *sides).ok(1)["changes"]
        assert (drift["kind"], drift["action"]) == ("assistant", "changed")


def test_an_agent_that_nobody_stamped_is_found_at_its_address(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry"))
    text = "---\nname: Front-Desk\nmodel: gpt-4o\n---\n\nHello.\n"
    folder = write(world.folder / "agents", {"assistants/d.md": text})
    plan(world, folder)
    world.apply().ok()
    for row in [*world.target.estate.agents.values(), *world.target.estate.agent_versions.rows()]:
        for version in (row, row.get("versions", {}).get("latest", {})):
            if "metadata" in version:
                version["metadata"] = {}
    Path(world.plan).with_suffix(".db").unlink()
    edit(world.folder / "agents/assistants/d.md", "name: Front-Desk", "name: Front Desk")
    plan(world, folder)
    assert [(a["action"], a["target_id"]) for a in actions(world)] == [("update", "Front-Desk")]


def test_files_that_the_directory_does_not_list_stay_in_a_store(launch: Launch) -> None:
    world = itself(launch, "openai-v2")
    folder = world.folder / "agents"
    world("export", "target", str(folder)).ok()
    held = {store: set(rows) for store, rows in world.target.estate.vector_store_files.items()}
    text = (folder / "vector-stores/Contracts.yaml").read_text(encoding="utf-8")
    (folder / "vector-stores/Contracts.yaml").write_text(
        text.split("  supply-terms.md:")[0], encoding="utf-8"
    )
    changed(folder)
    plan(world, str(folder))
    assert [a["kind"] for a in actions(world)] == ["assistant"]
    world.apply().ok()
    assert {store: set(rows) for store, rows in world.target.estate.vector_store_files.items()} == held
    assert world("verify", world.plan).ok()["ok"]


@pytest.mark.parametrize("type_", ["foundry-classic", "openai"])
def test_what_an_object_was_made_from_stays_true(launch: Launch, type_: str) -> None:
    there = project("TARGET_KEY") if type_ != "openai" else options("TARGET_KEY", service=type_)
    world = launch(options("SOURCE_KEY", service=there.service), there, types=(type_, type_))
    mark = "azure-openai:asst_1"
    add(world.target, assistant(1, "Desk", metadata={"migrated_from": mark, "floor": "1"}))
    text = '---\nname: Desk\nmodel: gpt-4o\nmetadata:\n  floor: "2"\n---\n\nYou are number 1.\n'
    folder = write(world.folder / "agents", {"assistants/d.md": text})
    plan(world, folder)
    assert [a["fields"] for a in actions(world)] == [["metadata"]]
    world.apply().ok()
    (row,) = world.target.estate.assistants.values()
    assert row["metadata"] == {"migrated_from": mark, "floor": "2"}


def test_a_file_that_is_in_its_store_is_not_refused_for_its_ending(launch: Launch) -> None:
    world = itself(launch, "foundry-classic")
    folder = world.folder / "agents"
    world("export", "target", str(folder)).ok()
    (store,) = [p for p in (folder / "vector-stores").iterdir() if "sales-2025.csv" in p.read_text("utf-8")]
    chunking = "sales-2025.csv:\n    chunking_strategy: {type: static, static: {max_chunk_size_tokens: 200, "
    text = store.read_text("utf-8").replace("sales-2025.csv: {}", f"{chunking}chunk_overlap_tokens: 20}}}}")
    store.write_text(text, encoding="utf-8")
    losses = plan(world, str(folder), code=1)["losses"]
    (loss,) = [row for row in losses if row["grade"] != "adapted"]
    assert (loss["grade"], loss["field"]) == ("lost", "chunking_strategy")


@pytest.mark.exhaustive(2)
def test_bytes_of_an_earlier_plan_are_not_taken_for_others(world: World) -> None:
    folder = write(world.folder / "agents", HAND)
    plan(world, folder)
    other = f"handbook.md:\n  path: docs/handbook.md\nnumbers.csv:\n  bytes: 4\n  sha256: {'a' * 64}\n"
    write(world.folder / "agents", {"files.yaml": other})
    planned = plan(world, folder, code=1)
    assert [row["id"] for row in planned["losses"] if (row["kind"], row["grade"]) == ("file", "blocked")] == [
        "numbers.csv"
    ]


@pytest.mark.exhaustive(2)
def test_other_bytes_of_the_same_size_are_reported_where_the_journal_has_the_hash(world: World) -> None:
    """No service returns a hash, so without the journal only name and size are known."""
    folder = write(world.folder / "agents", HAND)
    plan(world, folder)
    world.apply().ok()
    journal = str(Path(world.plan).with_suffix(".db"))
    world("diff", folder, "target", "--journal", journal).ok()
    write(world.folder / "agents", {"docs/numbers.csv": "1,3\n"})
    for sides in ((folder, "target"), ("target", folder)):
        (change,) = world("diff", *sides, "--journal", journal).ok(1)["changes"]
        assert (change["kind"], change["name"], change["paths"]) == ("file", "numbers.csv", ["sha256"])
