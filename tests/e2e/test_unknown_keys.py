"""An unknown key at the top of an object: reported in the plan, and shown by diff where it differs."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.emulator import Emulator, Estate
from migrate.model.loss import EVERY_OBJECT
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, agent, assistant, file, latest, project, store, thread
from tests.e2e.running import World, options

Json = dict[str, Any]
KEY = "colour"
TYPES = ("openai", "azure-openai", "foundry-classic", "foundry")
REPLAYED = ("file", "vector_store", "vector_store_file", "assistant", "thread", "message")
RUNS = ("run", "run_step")
CASES = [
    (type_, kind) for type_ in TYPES for kind in (*REPLAYED, *RUNS) if type_ != "foundry" or kind not in RUNS
]
CASES.append(("foundry", "version"))


def launched(launch: Launch, type_: str) -> World:
    """One object of every kind, on a service of the type."""
    if type_.startswith("foundry"):
        world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=(type_, type_))
    else:
        given = {"service": type_, "list_threads": "works", "downloads": True}
        world = launch(options("SOURCE_KEY", **given), options("TARGET_KEY", **given), types=(type_, type_))
    estate = world.source.estate
    held = file(world.source, 1, "notes.md")
    store(world.source, 1, "papers", [held])
    if type_ == "foundry":
        agent(world.source, "desk")
        talk: Json = {"id": "conv_1", "object": "conversation", "created_at": 1_750_000_000, "metadata": {}}
        estate.conversations["conv_1"] = talk
        said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
        estate.items["conv_1"]["msg_1"] = {"id": "msg_1", "status": "completed", **said}
    else:
        add(world.source, assistant(1, "desk"))
        talk_id = thread(world.source, 1, ["Hello"])
        shared = {"created_at": 1_750_000_100, "thread_id": talk_id, "status": "completed"}
        run = {"id": "run_1", "object": "thread.run", **shared, "assistant_id": assistant(1, "")["id"]}
        estate.runs[talk_id]["run_1"] = run
        step = {"id": "step_1", "object": "thread.run.step", **shared, "run_id": "run_1"}
        estate.run_steps["run_1"]["step_1"] = {**step, "type": "message_creation", "step_details": {}}
    return world


def give(cloud: Emulator, type_: str, kind: str, value: Json) -> None:
    """Add the unknown key to the only object of a kind. `version`: to the newest version of an agent."""
    if kind == "version":
        latest(cloud, "desk")[KEY] = value
        return
    rows = table(cloud.estate, type_, kind)
    ((id_, row),) = rows.items()
    rows[id_] = {**row, KEY: value}


def table(estate: Estate, type_: str, kind: str) -> Any:
    newer = type_ == "foundry"
    return {
        "file": estate.files,
        "vector_store": estate.vector_stores,
        "vector_store_file": next(iter(estate.vector_store_files.values())),
        "assistant": estate.agents if newer else estate.assistants,
        "thread": estate.conversations if newer else estate.threads,
        "message": next(iter((estate.items if newer else estate.messages).values())),
        "run": next(iter(estate.runs.values()), {}),
        "run_step": next(iter(estate.run_steps.values()), {}),
    }[kind]


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize(("type_", "kind"), CASES)
def test_an_unknown_key_is_reported_and_compared(launch: Launch, type_: str, kind: str) -> None:
    world = launched(launch, type_)
    give(world.source, type_, kind, {"is": "red"})
    world.snapshot()
    shown = "assistant" if kind == "version" else kind
    told = [(loss["field"], loss["grade"]) for loss in world.planned()["losses"] if loss["kind"] == shown]
    assert ((EVERY_OBJECT, "adapted") if kind in RUNS else (KEY, "lost")) in told
    world.apply().ok()
    assert world("verify", world.plan).ok()["findings"] == []
    again = world.planned()["actions"]
    assert (again["create"], again["update"]) == (0, 0)
    assert world("diff", f"{world.db}@1", f"{world.db}@1").ok()["changes"] == []
    give(world.source, type_, kind, {"is": "blue"})
    world.snapshot("--full")
    (change,) = world("diff", f"{world.db}@1", f"{world.db}@2").ok(1)["changes"]
    assert (change["kind"], change["paths"]) == (shown, [f"{KEY}.is"])


@pytest.mark.parametrize("place", ["assistant", "version"])
def test_a_key_that_a_service_adds_to_our_agent_is_no_conflict(launch: Launch, place: str) -> None:
    """The answer to a write has fewer keys than a later read (recorded for agents)."""
    world = launched(launch, "foundry")
    sync = ("sync", "source", "target", "-o", world.db, "--accept-loss", "all")
    world(*sync).ok()
    give(world.target, "foundry", place, {"is": "red"})
    assert world(*sync).ok()["plan"]["actions"]["update"] == 0
    latest(world.source, "desk")["definition"]["instructions"] = "You are somebody else."
    world(*sync).ok()
    assert latest(world.target, "desk")["definition"]["instructions"] == "You are somebody else."
