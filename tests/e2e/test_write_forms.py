"""What services return but do not accept is reported before apply, and never stops the rest of a thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Options
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, file, moved, project, say, store, thread
from tests.e2e.running import World, options
from tests.e2e.test_items_of_runs import CONVERSATION, call, message, output, there, write

Json = dict[str, Any]
PICKY = '[[fault]]\nwhat = "refuse-unseen-forms"\n[[fault]]\nwhat = "refuse-nulls"\nmethod = "POST"\n'
SEARCH = {"type": "file_search", "file_search": {"max_num_results": 3}}
ODD: tuple[Any, ...] = (
    {},
    {"tools": None},
    {"tools": []},
    {"tools": [SEARCH]},
    {"tools": [{"type": "function", "function": {"name": "f"}}]},
    {"tools": [{"type": "tomorrow"}]},
    {"tools": [{}]},
    {"file_id": None, "tools": [{"type": "file_search"}]},
    {"data_source": {"type": "uri_asset", "uri": "u"}, "tools": [{"type": "code_interpreter"}]},
)
TARGETS = {
    "openai": lambda: options("TARGET_KEY", service="openai", list_threads="works", downloads=True),
    "azure-openai": lambda: options("TARGET_KEY"),
    "foundry-classic": lambda: project("TARGET_KEY"),
    "foundry": lambda: project("TARGET_KEY"),
}


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TARGETS)
def test_messages_with_odd_attachments_all_arrive(launch: Launch, type_: str) -> None:
    target = TARGETS[type_]()
    world = launch(project("SOURCE_KEY"), target, types=("foundry-classic", type_))
    notes = file(world.source, 1, "notes.md", b"remember")
    talk = thread(world.source, 1, ["hello"])
    asked = [say(world.source, talk, "look", attachments=[{"file_id": notes, **odd}]) for odd in ODD]
    say(world.source, talk, "and the rest")
    world.snapshot()
    losses = world.planned()["losses"]
    if type_ != "foundry":
        told = [row["id"] for row in losses if row["field"] == "attachments" and row["grade"] == "lost"]
        assert told == asked
    assert world.apply().ok()["failed"] == []
    estate = world.target.estate
    (rows,) = (estate.items if type_ == "foundry" else estate.messages).values()
    assert len(rows) == len(ODD) + 2
    assert world("verify", world.plan).ok()["findings"] == []


@pytest.fixture
def picky(launch: Launch, tmp_path: Path) -> World:
    """From one project to another that accepts only the item forms that projects were seen to accept."""
    faults = tmp_path / "faults.toml"
    faults.write_text(PICKY, encoding="utf-8")
    return between(launch, project("TARGET_KEY", faults=faults))


@pytest.fixture
def accepting(launch: Launch) -> World:
    return between(launch, project("TARGET_KEY"))


def between(launch: Launch, target: Options) -> World:
    world = launch(project("SOURCE_KEY"), target, types=("foundry", "foundry"))
    world.source.estate.conversations[CONVERSATION] = {
        "id": CONVERSATION,
        "object": "conversation",
        "created_at": 1,
        "metadata": {},
    }
    return world


def hidden_parts() -> Json:
    """A question as recorded without `include[]`."""
    row = message("What is this?")
    row["content"] += [
        {"type": "input_file", "file_id": None, "filename": "a.pdf"},
        {"type": "input_image", "detail": "auto", "file_id": None, "image_url": None},
    ]
    return row


def furnish(world: World) -> None:
    """All item forms that the OpenAI platform was seen to accept, and no project."""
    image = file(world.source, 1, "p.png", b"png")
    parts = [
        {"type": "input_text", "text": "here it is"},
        {"type": "input_image", "file_id": image, "detail": "auto", "image_url": None},
    ]
    inside = message("and this")
    inside["content"] += [
        {"type": "input_file", "file_data": "data:text/plain;base64,eA==", "filename": "x.txt"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto", "file_id": None},
    ]
    write(
        world,
        hidden_parts(),
        {**message("I look.", "assistant"), "phase": "commentary"},
        {**call("c1"), "namespace": "tools"},
        {**output("c1"), "output": parts},
        inside,
        {**message("A leaf.", "assistant"), "phase": "final_answer", "status": "incomplete"},
        message("Thank you."),
    )


def test_what_no_project_was_seen_to_accept_is_tried_and_reported(accepting: World) -> None:
    furnish(accepting)  # a part whose content is not returned: the snapshot reports it as missing
    accepting.snapshot(code=3)
    losses = accepting.planned()["losses"]
    tried = {row["field"] for row in losses if "tried at apply" in row["reason"]}
    assert {
        "phase",
        "content.namespace",
        "content.output",
        "content.input_file",
        "content.image_url",
    } <= tried
    assert accepting.apply().ok()["failed"] == []
    rows = there(accepting)
    assert [row.get("phase") for row in rows if row.get("phase")] == ["commentary", "final_answer"]
    assert rows[2]["namespace"] == "tools"
    ids = {row["source_id"]: row["target_id"] for row in accepting("ids", accepting.db).ok()}
    (image,) = accepting.source.estate.files
    assert rows[3]["output"][1]["file_id"] == ids[image] != image
    assert accepting("verify", accepting.plan).ok()["findings"] == []
    accepting.snapshot(code=3)
    assert accepting.planned()["actions"]["update"] == accepting.planned()["actions"]["create"] == 0


def test_what_is_refused_as_it_was_tried_arrives_in_the_sure_form(picky: World) -> None:
    furnish(picky)
    picky.snapshot(code=3)
    picky.planned()
    answer = picky.apply().ok()
    assert answer["failed"] == []
    rows = there(picky)
    assert len(rows) == 7
    assert not [row for row in rows if "phase" in row or "namespace" in row]
    assert rows[3]["output"].startswith("here it is\n[image p.png")
    assert [part["text"] for part in rows[4]["content"]] == [
        "and this",
        "[file x.txt]",
        "[image of type image/png]",
    ]
    assert rows[6]["content"][0]["text"] == "Thank you."
    assert picky("verify", picky.plan).ok()["findings"] == []
    picky.snapshot(code=3)
    assert picky.planned()["actions"]["update"] == picky.planned()["actions"]["create"] == 0


def test_a_phase_is_seen_by_diff(accepting: World) -> None:
    write(accepting, {**message("Yes.", "assistant"), "phase": "commentary"})
    accepting.snapshot()
    (row,) = accepting.source.estate.items[CONVERSATION].values()
    row["phase"] = "final_answer"
    accepting.snapshot("--full")
    found = accepting("diff", f"{accepting.db}@1", f"{accepting.db}@2").ok(1)["changes"]
    assert "phase" in str([change["paths"] for change in found])


def test_a_file_named_in_an_output_is_in_use(accepting: World) -> None:
    image = file(accepting.source, 1, "p.png", b"png")
    part = {"type": "input_image", "file_id": image, "detail": "auto"}
    write(accepting, call("c1"), {**output("c1"), "output": [part]})
    accepting.snapshot()
    assert image not in str(accepting("ls", accepting.db, "--unused").out)


@pytest.mark.parametrize("name", ["Terms 2024.PDF", "Terms 2024.pdf.", "Terms 2024.Pdf "])
def test_an_ending_in_large_letters_arrives_in_small_ones(launch: Launch, name: str) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"))
    terms = file(world.source, 1, name, b"terms")
    add(world.source, assistant(1, "clerk"))
    store(world.source, 1, "papers", [terms])
    world.snapshot()
    losses = world.planned()["losses"]
    assert [row["grade"] for row in losses if row["field"] == "filename"] == ["adapted"]
    assert world.apply().ok()["failed"] == []
    assert [row["filename"] for row in world.target.estate.files.values()] == ["Terms 2024.pdf"]
    assert world("verify", world.plan).ok()["findings"] == []
    world.snapshot()
    assert world.planned()["actions"]["create"] == world.planned()["actions"]["update"] == 0
    Path(world.db).unlink()  # without the archive, the file is recognized by its name and size
    world.snapshot()
    actions = world.planned()["actions"]
    assert (actions["create"], actions["update"]) == (0, 0)


def test_two_files_whose_names_become_one_both_arrive(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"))
    files = [file(world.source, 1, "a.PDF", b"one"), file(world.source, 2, "a.pdf", b"two")]
    store(world.source, 1, "papers", files)
    assert moved(world)["failed"] == []
    assert [row["filename"] for row in world.target.estate.files.values()] == ["a.pdf", "a.pdf"]
    assert sorted(blob.read() for blob in world.target.estate.content.values()) == [b"one", b"two"]
    assert world("verify", world.plan).ok()["findings"] == []


def test_a_file_without_an_extension_is_reported_before_it_is_sent(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"))
    store(world.source, 1, "papers", [file(world.source, 1, "notes", b"x")])
    world.snapshot()
    losses = world.planned()["losses"]
    assert [row["kind"] for row in losses if row["grade"] == "blocked"] == ["vector_store_file"]
    assert "without an extension" in str(losses)
