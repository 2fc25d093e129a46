"""One config directory for several environments: names are mapped there and, by export, back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.directories import edit, files, plan, write
from tests.e2e.projects import add, assistant, project
from tests.e2e.running import World

FOLDER = {
    "assistants/helper.md": """---
name: Helper
model: gpt-4o
tools:
  - type: file_search
  - type: connected_agent
    connected_agent:
      id: Clerk
      name: clerk
      description: Knows the files.
  - type: bing_grounding
    bing_grounding:
      search_configurations:
        - connection_id: web-search
tool_resources:
  file_search:
    vector_store_ids: [Papers]
---

Help.
""",
    "assistants/clerk.md": "---\nname: Clerk\nmodel: gpt-4o\n---\n\nFile things.\n",
    "vector-stores/papers.yaml": "name: Papers\nfiles:\n  a.md:\n",
    "files.yaml": "a.md:\n  path: docs/a.md\n",
    "docs/a.md": "# A\n",
    "variables.toml": """[environments.target]
name_prefix = "prod-"
models = { "gpt-4o" = "gpt-4.1" }
connections = { "web-search" = "seed-search" }

[environments.test]
name_prefix = "test-"
""",
}


@pytest.fixture
def world(launch: Launch) -> World:
    types = ("foundry-classic", "foundry-classic")
    made = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=types)
    write(made.folder / "agents", FOLDER)
    return made


@pytest.fixture
def folder(world: World) -> str:
    return str(world.folder / "agents")


def test_the_environment_is_the_one_called_like_the_target(world: World, folder: str) -> None:
    said = world("plan", folder, "target", "-o", world.plan)
    said.ok()
    assert "is read as environment 'target'" in said.err
    world.apply().ok()
    held = {row["name"]: row for row in world.target.estate.assistants.values()}
    assert held.keys() == {"prod-Helper", "prod-Clerk"}
    assert {row["model"] for row in held.values()} == {"gpt-4.1"}
    assert held["prod-Clerk"]["id"] in str(held["prod-Helper"]["tools"])
    assert "seed-search" in str(held["prod-Helper"]["tools"])
    assert [row["name"] for row in world.target.estate.vector_stores.values()] == ["prod-Papers"]
    world("diff", folder, "target").ok()
    world("diff", "target", folder).ok()


def test_two_environments_share_one_project(world: World, folder: str) -> None:
    for name in ("target", "test"):
        world("plan", folder, "target", "-o", world.plan, "--env", name).ok()
        assert world.apply().ok()["failed"] == []
        world("verify", world.plan).ok()
    names = sorted(row["name"] for row in world.target.estate.assistants.values())
    assert names == ["prod-Clerk", "prod-Helper", "test-Clerk", "test-Helper"]
    for name in ("target", "test"):
        assert world("diff", folder, "target", "--env", name).ok()["compared"]["assistant"] == 2


def test_an_export_of_an_environment_gives_the_files_back(world: World, folder: str) -> None:
    plan(world, folder)
    world.apply().ok()
    add(world.target, assistant(9, "Stranger"))
    done = world("export", "target", folder).ok()
    assert done["environment"] == "target"
    assert done["left_out"]["assistant"] == 1
    assert not [path for path in done["removed"] if "assistants" in path]
    first = files(Path(folder))
    assert b"prod-" not in b"".join(v for k, v in first.items() if k.startswith(("assistants", "vector")))
    world("diff", folder, "target").ok()
    edit(Path(folder) / "assistants/clerk.md", "File things.", "File all things.")
    planned = plan(world, folder)
    assert (planned["actions"]["update"], planned["actions"]["create"]) == (1, 0)


def test_a_store_that_environments_share_is_not_renamed(world: World, folder: str) -> None:
    """It would be read back as another store, and a plan would create that one."""
    plan(world, folder)
    world.apply().ok()
    (shared,) = world.target.estate.vector_stores.values()
    shared["name"] = "Papers"
    before = files(Path(folder))
    said = world("export", "target", folder)
    said.error(2, "the vector store 'Papers' in use there would be read back as 'prod-Papers'")
    assert files(Path(folder)) == before


def test_a_missing_environment_is_reported(world: World, folder: str) -> None:
    said = world("plan", folder, "target", "-o", world.plan, "--env", "prood")
    said.error(2, "there is no environment 'prood'", "target, test")


def test_a_mapping_that_leads_two_ways_is_refused(world: World, folder: str) -> None:
    plan(world, folder)
    world.apply().ok()
    edit(
        Path(folder) / "variables.toml",
        '{ "gpt-4o" = "gpt-4.1" }',
        '{ "gpt-4o" = "gpt-4.1", "b" = "gpt-4.1" }',
    )
    world("export", "target", folder).error(2, "'gpt-4o' and 'b' both to 'gpt-4.1'")


def test_a_name_that_would_come_back_as_another_is_refused(world: World, folder: str) -> None:
    plan(world, folder)
    world.apply().ok()
    for row in world.target.estate.assistants.values():
        row["model"] = "gpt-4o"
    world("export", "target", folder).error(2, "'gpt-4o' in use there would be read back as 'gpt-4.1'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[environments.target]\nprefix = 'x'\n",
            "variables.toml:2: environments.target.prefix: is no key here",
        ),
        ("[environments.target\n", "variables.toml:1: no TOML"),
        ("[environments.target]\nname_prefix = 3\n", "variables.toml:2: environments.target.name_prefix"),
    ],
)
def test_mistakes_in_variables_are_reported(world: World, folder: str, text: str, words: str) -> None:
    (Path(folder) / "variables.toml").write_text(text)
    world("plan", folder, "target", "-o", world.plan).error(2, words)
    world("export", "source", folder).error(2, words)
