"""Two objects of a directory with the same target: neither overwrites the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.directories import plan, write
from tests.e2e.projects import add, agent, assistant, store
from tests.e2e.running import World, options

BOT = "---\n{id}name: {name}\nmodel: gpt-4o\n---\n\n{says}\n"


def bot(name: str, says: str, id_: str = "") -> str:
    return BOT.format(name=name, says=says, id=f"id: {id_}\n" if id_ else "")


def blocked(world: World) -> list[str]:
    rows = json.loads(Path(world.plan).read_text(encoding="utf-8"))["actions"]
    return sorted(row["id"] for row in rows if row["action"] == "blocked")


@pytest.fixture
def world(launch: Launch) -> World:
    return launch(options("SOURCE_KEY"), options("TARGET_KEY", downloads=True))


def said(world: World) -> list[Any]:
    return sorted(row["instructions"] for row in world.target.estate.assistants.values())


def test_two_of_one_name_are_not_written_onto_one_assistant(world: World) -> None:
    add(world.target, assistant(1, "Bot", instructions="As it was."))
    there = next(iter(world.target.estate.assistants))
    texts = {"assistants/a.md": bot("Bot", "One.", "dev-1"), "assistants/b.md": bot("Bot", "Two.", "dev-2")}
    folder = write(world.folder / "agents", texts)
    planned = plan(world, folder, code=1)
    assert planned["actions"]["update"] == 0
    assert blocked(world) == ["dev-1", "dev-2"]
    assert there in json.dumps(planned)
    write(world.folder / "agents", {"assistants/b.md": bot("Bot", "Two.", there)})
    assert plan(world, folder)["actions"] == {**planned["actions"], "create": 1, "update": 1, "blocked": 0}
    world.apply().ok()
    assert said(world) == ["One.", "Two."]
    assert plan(world, folder)["actions"]["skip"] == 2


def test_an_address_means_its_agent_before_a_name_that_only_becomes_it(launch: Launch) -> None:
    world = launch(options("SOURCE_KEY"), options("TARGET_KEY", service="foundry"))
    agent(world.target, "Sales-Bot", instructions="As it was.")
    texts = {"assistants/a.md": bot("Sales Bot", "One."), "assistants/b.md": bot("Sales-Bot", "Two.")}
    folder = write(world.folder / "agents", texts)
    actions = plan(world, folder, "--accept-loss", "all")["actions"]
    assert (actions["create"], actions["update"]) == (1, 1)


def test_two_stores_of_one_name_are_not_one(world: World) -> None:
    store(world.target, 1, "Papers", [])
    texts = {f"vector-stores/{n}.yaml": f"id: dev-{n}\nname: Papers\n" for n in (1, 2)}
    plan(world, write(world.folder / "agents", texts), code=1)
    assert blocked(world) == ["dev-1", "dev-2"]
