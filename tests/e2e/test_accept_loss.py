"""`--accept-loss` takes fields that exist; a misspelled one is refused."""

from __future__ import annotations

import pytest

from migrate.model.loss import declared_names
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, change, project, say, thread, to_agents
from tests.e2e.running import World

CITED = {
    "type": "file_citation",
    "text": "[1]",
    "start_index": 0,
    "end_index": 3,
    "file_citation": {"file_id": "file-gone"},
}


@pytest.fixture
def world(launch: Launch) -> World:
    """A thread with a citation, which no service accepts in a new message."""
    made = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry-classic"))
    add(made.source, assistant(1, "desk"))
    talk = thread(made.source, 1, ["hello"])
    text = {"type": "text", "text": {"value": "as it says [1]", "annotations": [CITED]}}
    say(made.source, talk, "", content=[text])
    made.snapshot()
    return made


WRONG = (
    "annotations",
    "content.annotations",
    "message.annotations",
    "contents",
    "assistants",
    "assistant.content",
    "All",
    "*",
    "metadata ",
)


@pytest.mark.exhaustive(10)
@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("command", ["plan", "assess", "assess a type", "sync", "sync --dry-run"])
def test_a_name_that_is_no_field_is_refused(world: World, command: str, name: str) -> None:
    before = len(world.target.requests)
    arguments = {
        "plan": ("plan", world.db, "target", "-o", world.plan),
        "assess": ("assess", world.db, "--to", "target"),
        "assess a type": ("assess", world.db, "--to", "foundry"),
        "sync": ("sync", "source", "target", "-o", world.db),
        "sync --dry-run": ("sync", "source", "target", "-o", world.db, "--dry-run"),
    }[command]
    world(*arguments, "--accept-loss", name).error(2, f"--accept-loss {name}", "no field of this name")
    assert world.writes(before) == []


def test_the_error_names_what_could_be_accepted_and_what_is_near(world: World) -> None:
    said = world("plan", world.db, "target", "-o", world.plan, "--accept-loss", "annotations")
    said.error(2, "to accept in this plan: content.text.annotations", "similar names: ", "or write all")
    said = world("plan", world.db, "target", "-o", world.plan, "--accept-loss", "instruction")
    said.error(2, "similar names: instructions")


RIGHT = (
    "content",
    "content.text",
    "content.text.annotations",
    "message.content",
    "message.content.text",
    "message.content.text.annotations",
    "all",
)


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("name", RIGHT)
def test_a_field_is_accepted_by_every_name_it_has(world: World, name: str) -> None:
    answer = world("plan", world.db, "target", "-o", world.plan, "--accept-loss", name).ok()
    assert {row["accepted"] for row in answer["losses"]} == {True}


def test_a_field_that_nothing_lost_may_be_named_all_the_same(world: World) -> None:
    """A nightly command lists the losses that it accepts; a night without such a loss is no mistake."""
    for name in ("tools", "assistant.tools", "files", "messages", "tools.headers", "definition.rai_config"):
        assert name in declared_names()
        world("plan", world.db, "target", "-o", world.plan, "--accept-loss", name).ok(1)


def test_a_key_that_only_one_object_has_can_be_accepted(launch: Launch) -> None:
    world = to_agents(launch, assistant(1, "desk"))
    change(world.source, assistant(1, "desk")["id"], colour="green")
    world.snapshot()
    arguments = ("plan", world.db, "target", "-o", world.plan, "--accept-loss")
    world(*arguments, "colour").ok()
    world(*arguments, "assistant.colour").ok()
    world(*arguments, "color").error(2, "similar names: colour")
