"""An exported directory has exactly the content of its estate, in the same bytes each time."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Emulator
from tests.e2e.conftest import Launch
from tests.e2e.directories import STATES, bundled, files, write
from tests.e2e.projects import EPOCH, add, assistant, project
from tests.e2e.running import World


@pytest.fixture(params=STATES)
def world(request: pytest.FixtureRequest, launch: Launch) -> World:
    return bundled(launch, request.param)


@pytest.fixture
def folder(world: World) -> Path:
    return world.folder / "agents"


@pytest.mark.exhaustive(2)
def test_an_export_compares_as_equal(world: World, folder: Path) -> None:
    exported = world("export", "source", str(folder)).ok()
    assert exported["counts"]["assistant"] == len(list((folder / "assistants").iterdir())) > 0
    for sides in ((str(folder), "source"), ("source", str(folder))):
        assert world("diff", *sides).ok()["compared"]["assistant"] == exported["counts"]["assistant"]


@pytest.mark.exhaustive(2)
def test_an_archive_is_exported_like_its_estate(world: World, folder: Path) -> None:
    world("export", "source", str(folder)).ok()
    world("snapshot", "source", "-o", world.db, "--no-bytes")  # may be partial: threads are no configuration
    again = world("export", world.db, str(folder)).ok()
    assert again["written"] == again["removed"] == []
    world("snapshot", "source", "-o", world.db, "--full")
    world("diff", world.db, str(folder)).ok()


@pytest.mark.exhaustive(2)
def test_exporting_twice_gives_the_same_bytes(world: World, folder: Path) -> None:
    world("export", "source", str(folder)).ok()
    first = files(folder)
    before = listed(world)
    shuffled(world.source)
    assert sorted(before) == sorted(listed(world)) != listed(world) != before
    again = world("export", "source", str(folder)).ok()
    assert again["written"] == again["removed"] == []
    assert files(folder) == first
    world("export", "source", str(world.folder / "fresh")).ok()
    assert files(world.folder / "fresh") == first


def listed(world: World) -> list[str]:
    """Ids in the order in which the service lists them."""
    world("snapshot", "source", "-o", str(world.folder / "order.db"), "--threads", "none", "--no-bytes")
    return [row["id"] for row in world("ls", str(world.folder / "order.db")).json]


def backwards(value: Any) -> Any:
    """The same value with keys in another order, except inside the user's own content."""
    if isinstance(value, dict):
        own = ("parameters", "schema", "spec")
        return {k: v if k in own else backwards(v) for k, v in reversed(value.items())}
    return [backwards(one) for one in value] if isinstance(value, list) else value


def shuffled(cloud: Emulator) -> None:
    """The same objects listed in another order, with keys in another order."""
    for name in ("assistants", "files", "vector_stores", "agents"):
        table = getattr(cloud.estate, name)
        rows = list(table.items())
        for key, _ in rows:
            del table[key]
        for number, (key, row) in enumerate(random.Random(7).sample(rows, len(rows))):
            turned = backwards(row)
            table[key] = turned | ({"created_at": EPOCH + number} if "created_at" in row else {})


@pytest.mark.exhaustive(2)
def test_an_export_of_what_was_read_is_the_same_again(world: World, folder: Path) -> None:
    world("export", "source", str(folder)).ok()
    world("export", str(folder), str(world.folder / "again")).ok()
    assert files(world.folder / "again") == files(folder)


@pytest.mark.exhaustive(2)
def test_what_it_was_exported_from_needs_nothing(world: World, folder: Path) -> None:
    world("export", "source", str(folder)).ok()
    planned = world("plan", str(folder), "source", "-o", world.plan).ok()
    counts = {name: number for name, number in planned["actions"].items() if number}
    expired = (
        {"create": 2} if world.types[0] == "foundry-classic" else {}
    )  # an expired store is created again
    assert counts.pop("adopt") > 0
    assert counts == expired
    assert not [row for row in planned["losses"] if row["grade"] != "adapted"]


@pytest.mark.exhaustive(2)
def test_a_checkout_with_other_line_ends_is_the_same(world: World, folder: Path) -> None:
    world("export", "source", str(folder)).ok()
    for path in (p for p in folder.rglob("*") if p.is_file()):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    world("diff", str(folder), "source").ok()
    assert world("export", "source", str(folder)).ok()["written"] == []


def test_threads_are_not_read(world: World, folder: Path) -> None:
    world("export", "source", str(folder)).ok()
    assert not [r.path for r in world.source.requests if "/messages" in r.path or "/items" in r.path]


@pytest.fixture
def small_folder(small: World) -> Path:
    small("export", "source", str(small.folder / "agents")).ok()
    return small.folder / "agents"


def test_what_nobody_uses_is_counted(small: World) -> None:
    text = small.plain("export", "source", str(small.folder / "agents")).out
    assert "left out: 1 vector store and 3 files that no assistant uses\n" in text


def test_a_file_of_what_is_gone_is_removed_and_no_other(small: World, small_folder: Path) -> None:
    write(
        small_folder, {"README.md": "Ours.", "assistants/New Desk.md": "---\nname: New Desk\nmodel: m\n---\n"}
    )
    gone = next(iter(small.source.estate.assistants.values()))
    del small.source.estate.assistants[gone["id"]]
    again = small("export", "source", str(small_folder)).ok()
    assert f"assistants/{gone['name']}.md" in again["removed"]
    assert not (small_folder / f"assistants/{gone['name']}.md").exists()
    assert (small_folder / "README.md").read_text() == "Ours."
    assert (small_folder / "assistants/New Desk.md").exists()


def test_the_manifest_cannot_make_it_remove_anything_else(small: World, small_folder: Path) -> None:
    outside = small.folder / "precious.txt"
    outside.write_text("keep")
    manifest = small_folder / "schema/exported.txt"
    manifest.write_text("../precious.txt\n/etc/hosts\nassistants/../../precious.txt\nvariables.toml\n")
    small("export", "source", str(small_folder)).ok()
    assert outside.read_text() == "keep"
    assert (small_folder / "variables.toml").exists()


def test_a_file_that_somebody_renamed_keeps_its_name(small: World, small_folder: Path) -> None:
    (small_folder / "assistants/Lab Notebook.md").rename(small_folder / "assistants/lab.md")
    again = small("export", "source", str(small_folder)).ok()
    assert not (small_folder / "assistants/Lab Notebook.md").exists()
    assert [path for path in again["written"] if "assistants" in path] == []


def test_variables_and_local_paths_stay(small: World, small_folder: Path) -> None:
    (small_folder / "variables.toml").write_text("[environments.prod]\n")
    write(small_folder, {"docs/terms.md": "x"})
    shutil_bytes = small("export", "source", str(small_folder), "--bytes").ok()
    assert any(path.startswith("files/") for path in shutil_bytes["written"])
    before = (small_folder / "files.yaml").read_bytes()
    small("export", "source", str(small_folder)).ok()
    after = (small_folder / "files.yaml").read_text()
    assert (small_folder / "variables.toml").read_text() == "[environments.prod]\n"
    assert before.decode().count("path:") == after.count("path:") > 0


def test_a_folder_of_somebody_else_is_refused(small: World) -> None:
    write(small.folder / "home", {"notes.txt": "mine"})
    small("export", "source", str(small.folder / "home")).error(4, "is not empty, and no config directory")
    assert list((small.folder / "home").iterdir()) == [small.folder / "home/notes.txt"]


def test_absent_is_not_empty(small: World, small_folder: Path) -> None:
    small("snapshot", "source", "-o", small.db, "--exclude", "vector_store", "--threads", "none").ok()
    small("export", small.db, str(small_folder)).error(4, "vector_store: not read", "--partial")
    before = files(small_folder)
    done = small("export", small.db, str(small_folder), "--partial").ok()
    assert done["removed"] == []
    assert files(small_folder).keys() == before.keys()


def test_only_what_is_chosen_is_written(small: World) -> None:
    folder = small.folder / "agents"
    small("export", "source", str(folder), "--include", "assistant:Alt*", "--kind", "assistant").ok()
    assert [path.name for path in (folder / "assistants").iterdir()] == ["Alt Text.md"]
    assert not (folder / "files.yaml").exists()


NAMES = (
    "CON",
    "a/b",
    "A/B",
    "..",
    "\u202egnp",
    "x" * 250,
    "Sales: EU?",
    ".hidden",
    "con ",
    "a\nb",
    "{{x}}",
    "---",
)


def test_hostile_names_are_safe_files_and_come_back(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    rows = [assistant(n, name, instructions=f"---\n\r{name}\x1b[31m") for n, name in enumerate(NAMES)]
    twins = [assistant(100 + n, "Twin") for n in range(2)]
    add(world.source, *rows, *twins, assistant(200, None), assistant(201, ""))
    folder = world.folder / "agents"
    world("export", "source", str(folder)).ok()
    held = [path for path in folder.rglob("*") if path.is_file()]
    assert all(path.resolve().is_relative_to(folder.resolve()) for path in held)
    names = [path.name.casefold() for path in (folder / "assistants").iterdir()]
    assert len(set(names)) == len(names) == len(NAMES) + 4
    assert "con.md" not in names
    assert not [path for path in held if b"\x1b" in path.read_bytes()]
    world("diff", str(folder), "source").ok()


def test_no_secret_is_written_and_none_is_sent(launch: Launch) -> None:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    key = "Bearer tomato-4711"
    tool = {
        "type": "mcp",
        "server_label": "s",
        "server_url": "https://s.example",
        "headers": {"Authorization": key},
    }
    add(world.source, assistant(1, "Desk", tools=[tool], extra_part={"headers": {"A": key}}))
    folder = world.folder / "agents"
    world("export", "source", str(folder)).ok()
    assert not [path for path in folder.rglob("*") if path.is_file() and b"tomato" in path.read_bytes()]
    world("diff", str(folder), "source").ok()
    world("plan", str(folder), "target", "-o", world.plan, "--accept-loss", "all").ok()
    world.apply().ok()
    held = str(world.target.estate.assistants)
    assert "https://s.example" in held
    assert "(secret" not in held
