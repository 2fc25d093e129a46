"""A plan shows what each update changes: the value on the target now, and the one that is written."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from migrate.stages.plan.changes import LEFT_OUT, MAX_PLAN_VALUE_CHARS
from tests.e2e.conftest import Launch
from tests.e2e.rounds import furnish, service
from tests.e2e.running import World

Json = dict[str, Any]
FUNCTION = {
    "type": "function",
    "function": {"name": "dose", "parameters": {"type": "object", "properties": {}}},
}


def moved(launch: Launch, source: str = "azure-openai", target: str = "openai") -> World:
    """An estate of every kind, after one move."""
    world = launch(service("SOURCE_KEY", source), service("TARGET_KEY", target), types=(source, target))
    furnish(world.source, source)
    world.snapshot()
    world.planned()
    world.apply().ok()
    return world


def assistant(world: World, number: int = 0) -> str:
    return list(world.source.estate.assistants)[number]


def edit(world: World, number: int = 0, **changes: Any) -> str:
    id_ = assistant(world, number)
    row = world.source.estate.assistants[id_]
    world.source.estate.assistants[id_] = {**row, **changes}
    return id_


def counterpart(world: World, id_: str) -> str:
    (row,) = world("ids", world.db, id_).ok()
    return str(row["target_id"])


def replanned(world: World, *options: str) -> Json:
    world.snapshot()
    planned: Json = world.planned(*options)
    return planned


def test_an_update_has_old_and_new_at_each_path(launch: Launch) -> None:
    world = moved(launch)
    old = world.source.estate.assistants[assistant(world)]["instructions"]
    tools = [*world.source.estate.assistants[assistant(world)]["tools"], FUNCTION]
    id_ = edit(world, instructions="Be brief.", tools=tools, metadata={"team": "b"}, temperature=0.25)
    (change,) = replanned(world)["changes"]
    assert (change["kind"], change["action"], change["conflict"]) == ("assistant", "changed", None)
    assert (change["left_id"], change["right_id"]) == (counterpart(world, id_), id_)
    values = {row["path"]: (row["left"], row["right"]) for row in change["values"]}
    assert list(values) == change["paths"]
    assert values["instructions"] == (old, "Be brief.")
    assert values["metadata.team"] == ("a", "b")
    assert values["temperature"][1] == 0.25
    assert values["tools[function:dose]"][0] is None
    assert values["tools[function:dose]"][1]["function"]["name"] == "dose"
    assert values.keys() == {"instructions", "metadata.team", "temperature", "tools[function:dose]"}


def test_a_change_has_every_key_of_a_difference(launch: Launch) -> None:
    world = moved(launch)
    edit(world, instructions="Be brief.")
    (change,) = replanned(world)["changes"]
    found = world("diff", f"{world.db}@1", f"{world.db}@2").ok(1)["changes"]
    (difference,) = [row for row in found if row["kind"] == "assistant"]
    assert change.keys() == {*difference, "conflict"}
    assert change["values"] == difference["values"]


@pytest.mark.parametrize("format_", ["text", "markdown", "html", "junit", "json"])
def test_every_format_shows_old_and_new(launch: Launch, format_: str) -> None:
    world = moved(launch)
    edit(world, description="What is new today.")
    edit(world, 1, temperature=0.125)
    world.snapshot()
    said = world.plain(
        "plan", world.db, "target", "-o", world.plan, "--accept-loss", "all", "--format", format_
    )
    assert "What is new today." in said.out
    assert "0.125" in said.out
    assert "0.5" in said.out, "the value on the target"


def test_the_plan_file_has_the_changes_and_they_are_sealed(launch: Launch) -> None:
    world = moved(launch)
    edit(world, instructions="Be brief.")
    replanned(world)
    plan = json.loads(Path(world.plan).read_text(encoding="utf-8"))
    plan["changes"][0]["paths"][0]["right"] = "Be long."
    Path(world.plan).write_text(json.dumps(plan), encoding="utf-8")
    world.apply().error(4, "fingerprint")


def test_a_plan_without_an_update_has_no_changes(launch: Launch) -> None:
    world = moved(launch)
    assert replanned(world)["changes"] == []


def test_metadata_of_a_message_is_shown_with_the_name_of_the_message(launch: Launch) -> None:
    world = moved(launch)
    thread = next(id_ for id_, rows in world.source.estate.messages.items() if rows)
    message = next(iter(world.source.estate.messages[thread].values()))
    message["metadata"] = {"mark": "read"}
    (change,) = replanned(world)["changes"]
    assert (change["kind"], change["right_id"], change["right_parent"]) == ("message", message["id"], thread)
    assert "user: " in change["name"]
    assert change["values"] == [{"path": "metadata.mark", "left": None, "right": "read"}]


@pytest.mark.parametrize(("choice", "outcome"), [("keep", "kept"), ("overwrite", "overwritten")])
def test_a_conflict_has_old_and_new_too(launch: Launch, choice: str, outcome: str) -> None:
    world = moved(launch)
    id_ = edit(world, instructions="From the source.")
    new = counterpart(world, id_)
    row = world.target.estate.assistants[new]
    world.target.estate.assistants[new] = {**row, "instructions": "From a colleague."}
    command = ("sync", "source", "target", "-o", world.db, "--accept-loss", "all", "--dry-run")
    plan = world(*command, "--on-conflict", choice).ok()["plan"]
    (change,) = plan["changes"]
    assert change["conflict"] == outcome
    assert change["values"] == [
        {"path": "instructions", "left": "From a colleague.", "right": "From the source."}
    ]
    text = world.plain(*command, "--on-conflict", choice).out
    assert "From [-a colleague-]{+the source+}." in text
    assert "others changed it since the last move" in text


def test_a_header_of_a_tool_is_in_no_plan(launch: Launch) -> None:
    world = moved(launch, "foundry", "foundry")
    secret = "Bearer 0123456789abcdef0123456789abcdef"
    tool = {
        "type": "mcp",
        "server_label": "desk",
        "server_url": "https://desk.example/mcp?sig=abcdef0123456789",
    }
    for number in (1, 2):
        definition = world.source.estate.agents["reader"]["versions"]["latest"]["definition"]
        definition["tools"] = [{**tool, "headers": {"Authorization": f"{secret}{number}"}}]
        definition["instructions"] = f"Open https://desk.example/?sig=abcdef0123456789{number}"
        planned = replanned(world)
        text = json.dumps(planned) + Path(world.plan).read_text(encoding="utf-8")
        assert secret not in text
        assert "abcdef0123456789" not in text
        assert planned["changes"], "something changes, and it is shown"
        world.apply()


def test_long_texts_are_shown_by_what_differs(launch: Launch) -> None:
    world = moved(launch)
    long = "Water the beds. " * 5_000
    edit(world, instructions=f"{long}Stop.{long}")
    replanned(world)
    world.apply().ok()
    edit(world, instructions=f"{long}Go on.{long}")
    (change,) = replanned(world)["changes"]
    (value,) = change["values"]
    assert "equal characters]" in value["left"]
    assert "Stop." in value["left"]
    assert "Go on." in value["right"]
    assert len(value["left"]) < 2_000
    assert len(Path(world.plan).read_text(encoding="utf-8")) < 100_000


def test_values_without_an_equal_part_are_cut(launch: Launch) -> None:
    world = moved(launch)
    edit(world, instructions="x" * 200_000)
    (change,) = replanned(world)["changes"]
    (value,) = change["values"]
    assert value["right"].endswith(" more characters]")
    assert len(value["right"]) < MAX_PLAN_VALUE_CHARS + 100


def test_too_many_values_leave_only_paths(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrate.stages.plan.changes.MAX_PLAN_VALUES_CHARS", 100)
    world = moved(launch)
    for number in range(2):
        edit(world, number, description="y" * 80)
    first, second = replanned(world)["changes"]
    assert first["values"][0]["right"] == "y" * 80
    assert second["values"] == [{"path": "description", "left": None, "right": LEFT_OUT}]


def test_a_change_of_the_plan_is_what_apply_does(launch: Launch) -> None:
    """After apply the target has every new value."""
    world = moved(launch)
    id_ = edit(world, instructions="Be brief.", temperature=0.25, top_p=0.75)
    before = copy.deepcopy(world.target.estate.assistants[counterpart(world, id_)])
    (change,) = replanned(world)["changes"]
    world.apply().ok()
    after = world.target.estate.assistants[counterpart(world, id_)]
    for row in change["values"]:
        assert before[row["path"]] == (1.0 if row["left"] is None else row["left"]), "1.0 is the default"
        assert after[row["path"]] == row["right"]
    assert len(change["values"]) == 3
