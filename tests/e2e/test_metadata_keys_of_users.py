"""Metadata keys of users with the names of ours: kept, compared, moved there and back."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from migrate.codecs import CODECS
from migrate.model.stamp import SERVICE_TYPES
from tests.e2e.conftest import Launch
from tests.e2e.projects import (
    add,
    agent,
    assistant,
    change,
    file,
    latest,
    moved,
    project,
    store,
    thread,
    to_agents,
    versions,
)
from tests.e2e.running import World

Json = dict[str, Any]
# The value that another tool writes as `migrated_from` into every agent that it creates.
SCRIPT = "v1_assistant_via_api_migration_script"

OWNERS: dict[str, Json] = {
    "words": {"migrated_from": "crm-export 7"},
    "an unknown type": {"migrated_from": "crm-export:7"},
    "a type without an id": {"migrated_from": "openai:"},
    "a type in capitals": {"migrated_from": "OpenAI:asst_1"},
    "a type and a sentence": {"migrated_from": "openai:see ticket 7"},
    "an id without a type": {"migrated_from": ":asst_1"},
    "another tool's": {"migrated_from": SCRIPT, "original_v1_id": "asst_elsewhere"},
    "the key of a name": {"migrated_name": "Mr Mint"},
    "the key of files": {"migrated_files": "see the share", "migrated_files_2": "and the tape"},
    "the key of files, with ids": {"migrated_files": "file-1,file-2"},
    "the key of stores": {"migrated_vector_stores": "vs_1"},
    "both, with a name": {"migrated_from": "crm-export 7", "migrated_name": "Mr Mint"},
    "a key of our second set": {"assistants_migrate_from": "hello"},
    "keys of both sets": {"migrated_from": "crm", "assistants_migrate_name": "x"},
}


def test_every_type_of_service_can_be_in_a_stamp() -> None:
    assert set(SERVICE_TYPES) == set(CODECS)


def furnish(world: World, metadata: Json) -> tuple[str, str, str]:
    """An assistant whose name is no valid agent name, a store and a thread, each with this metadata."""
    table = file(world.source, 1, "table.txt")
    papers = store(world.source, 1, "papers", [table], metadata=metadata)
    add(world.source, assistant(1, "Front Desk", metadata=metadata))
    held = {"code_interpreter": {"file_ids": [table]}, "file_search": {"vector_store_ids": [papers]}}
    talk = thread(world.source, 1, ["hello", "good day"], metadata=metadata, tool_resources=held)
    return assistant(1, "")["id"], papers, talk


@pytest.mark.exhaustive(8)
@pytest.mark.parametrize("name", OWNERS)
@pytest.mark.parametrize("target", ["foundry-classic", "foundry"])
def test_a_key_of_the_owners_arrives_and_is_compared(launch: Launch, name: str, target: str) -> None:
    given = OWNERS[name]
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", target))
    furnish(world, given)
    moved(world)
    estate = world.target.estate
    agents = [row["versions"]["latest"] for row in estate.agents.values()]
    rows = [*agents, *estate.assistants.values(), *estate.vector_stores.values()]
    rows += [*estate.threads.values(), *estate.conversations.values()]
    assert len(rows) == 3
    for row in rows:
        assert {k: row["metadata"].get(k) for k in given} == given
    assert world("verify", world.plan).ok()["findings"] == []
    assert not again(world, "create", "update")
    for row in rows:  # it is compared: if others remove it, that is a difference
        row["metadata"] = {k: v for k, v in row["metadata"].items() if k not in given}
    found = world("verify", world.plan).ok(1)["findings"]
    assert {one["kind"] for one in found} == {"assistant", "vector_store", "thread"}
    assert {one["path"].split(".")[0] for one in found} <= {"metadata", "tool_resources", "name"}


def again(world: World, *actions: str) -> int:
    plan = world.planned()
    return sum(plan["actions"][action] for action in actions)


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("name", OWNERS)
def test_without_the_journal_the_objects_are_recognised_all_the_same(launch: Launch, name: str) -> None:
    world = to_agents(launch)
    furnish(world, OWNERS[name])
    moved(world)
    other = str(world.folder / "another.db")
    world("snapshot", "source", "-o", other)
    plan = world("plan", other, "target", "-o", world.plan, "--accept-loss", "all").ok()
    if name == "keys of both sets":  # no key is left for our stamp, and the plan reports that
        reasons = [row["reason"] for row in plan["losses"] if row["field"] == "metadata"]
        assert any("no room for the stamp" in reason for reason in reasons)
    else:
        assert plan["actions"]["create"] == plan["actions"]["update"] == 0
        assert plan["actions"]["adopt"] >= 3


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("name", [name for name in OWNERS if name != "keys of both sets"])
def test_a_second_move_keeps_the_owners_keys_and_names_the_second_place(launch: Launch, name: str) -> None:
    """From the first project to a second one, and from there to a third."""
    given = OWNERS[name]
    first = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry-classic", "foundry"))
    furnish(first, given)
    moved(first)
    second = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry"))
    here, there = second.source.estate, first.target.estate
    for table in ("agents", "files", "vector_stores", "conversations"):
        for id_, row in getattr(there, table).items():
            getattr(here, table)[id_] = row
    for table in ("content", "agent_versions", "vector_store_files", "items"):
        getattr(here, table).update(getattr(there, table))
    moved(second)
    (row,) = second.target.estate.conversations.values()
    assert {k: row["metadata"].get(k) for k in given} == given
    (conversation,) = there.conversations
    assert f"foundry:{conversation}" in row["metadata"].values()
    assert not [v for v in row["metadata"].values() if str(v).startswith("foundry-classic:")]
    (called,) = second.target.estate.agents
    assert {k: latest(second.target, called)["metadata"].get(k) for k in given} == given
    assert second("verify", second.plan).ok()["findings"] == []
    assert second("diff", "source", "target", "--kind", "assistant", "--kind", "thread").code in (0, 1)


# ------------------------------------------------------------------------- created by another tool


def by_script(world: World, name: str, id_: str, **others: Any) -> Json:
    """An agent as the other tool leaves it: the definition, and five keys of its own."""
    row = agent(world.target, name, model="gpt-4o", instructions="You are number 1.", **others)
    version = row["versions"]["latest"]
    version["description"] = ""
    version["metadata"] = {
        "team": "night",
        "migrated_from": SCRIPT,
        "original_v1_id": id_,
        "migrated_at": "2026-11-01T00:00:00",
        "feature_one": "yes",
        "feature_two": "no",
    }
    return row


def test_an_agent_of_another_tool_is_taken_over_and_its_threads_follow(launch: Launch) -> None:
    world = to_agents(launch, assistant(1, "Front Desk", metadata={"team": "night"}))
    id_ = assistant(1, "")["id"]
    thread(world.source, 1, ["hello"])
    row = by_script(world, "front-desk", id_)
    before = dict(row["versions"]["latest"]["metadata"])
    world.snapshot()
    plan = world.planned()
    told = [loss for loss in plan["losses"] if loss["id"] == id_ and loss["field"] == "id"]
    assert [loss["grade"] for loss in told] == ["adapted"]
    assert "front-desk" in told[0]["reason"]
    assert plan["actions"]["blocked"] == 0
    world.apply().ok()
    assert list(world.target.estate.agents) == ["front-desk"]
    after = latest(world.target, "front-desk")["metadata"]
    assert {k: after[k] for k in before} == before
    assert len(world.target.estate.conversations) == 1
    assert world("verify", world.plan).ok()["findings"] == []
    known = versions(world.target, "front-desk")
    assert again(world, "create", "update") == 0
    assert versions(world.target, "front-desk") == known


def test_an_equal_agent_of_another_tool_gets_no_version(launch: Launch) -> None:
    world = to_agents(launch, assistant(1, "desk", metadata={"team": "night"}))
    by_script(world, "desk", assistant(1, "")["id"])
    world.snapshot()
    assert world.planned()["actions"]["adopt"] == 1
    world.apply().ok()
    assert versions(world.target, "desk") == 1
    assert world("verify", world.plan).ok()["findings"] == []


def test_its_own_keys_stay_when_the_assistant_changes_later(launch: Launch) -> None:
    world = to_agents(launch, assistant(1, "desk", metadata={"team": "night"}))
    id_ = assistant(1, "")["id"]
    by_script(world, "desk", id_)
    moved(world)
    change(world.source, id_, instructions="You are somebody else.", metadata={"team": "day", "floor": "2"})
    world.snapshot()
    assert world.planned()["actions"]["update"] == 1
    world.apply().ok()
    version = latest(world.target, "desk")
    assert version["definition"]["instructions"] == "You are somebody else."
    metadata = version["metadata"]
    assert (metadata["migrated_from"], metadata["original_v1_id"]) == (SCRIPT, id_)
    assert (metadata["team"], metadata["floor"]) == ("day", "2")
    assert f"foundry-classic:{id_}" in metadata.values()
    assert world("verify", world.plan).ok()["findings"] == []
    assert again(world, "create", "update") == 0


def synced(world: World, *options: str) -> Any:
    return world("sync", "source", "target", "-o", world.db, "--accept-loss", "all", *options)


def test_a_sync_takes_over_what_another_tool_made_equal_and_adds_only_our_keys(launch: Launch) -> None:
    """The original name is only in metadata; everything that the other tool wrote stays."""
    world = to_agents(launch, assistant(1, "Front Desk", metadata={"team": "night"}))
    id_ = assistant(1, "")["id"]
    thread(world.source, 1, ["hello"])
    before = dict(by_script(world, "front-desk", id_)["versions"]["latest"]["metadata"])
    synced(world).ok()
    after = latest(world.target, "front-desk")["metadata"]
    assert {k: after[k] for k in before} == before
    assert (versions(world.target, "front-desk"), len(world.target.estate.conversations)) == (2, 1)
    change(world.source, id_, instructions="You are somebody else.")
    synced(world).ok()
    assert latest(world.target, "front-desk")["definition"]["instructions"] == "You are somebody else."
    assert synced(world).ok()["plan"]["actions"]["update"] == 0


@pytest.mark.parametrize("differs", ["instructions", "metadata"])
def test_a_sync_asks_before_it_writes_over_what_another_tool_made(launch: Launch, differs: str) -> None:
    """It was not moved by this program, so it is unknown which text is right; either option resolves it."""
    own = (
        {"instructions": "You are the desk."} if differs == "instructions" else {"metadata": {"team": "day"}}
    )
    world = to_agents(launch, assistant(1, "Front Desk", **own))
    by_script(world, "front-desk", assistant(1, "")["id"])
    before = deepcopy(latest(world.target, "front-desk"))
    synced(world).error(4, "created by another tool", differs, "--on-conflict")
    assert latest(world.target, "front-desk") == before
    synced(world, "--on-conflict", "keep").ok()
    assert latest(world.target, "front-desk") == before
    synced(world).error(4, "--on-conflict")  # the source still differs: reported as a conflict, never written
    synced(world, "--on-conflict", "overwrite").ok()
    after = latest(world.target, "front-desk")
    assert after["metadata"]["original_v1_id"] == assistant(1, "")["id"]
    synced(world).ok()
    assert latest(world.target, "front-desk") == after


def test_full_metadata_with_keys_of_another_tool_is_reported(launch: Launch) -> None:
    full = {f"key{n:02}": "taken" for n in range(14)}
    world = to_agents(launch, assistant(1, "Front Desk", metadata=full))
    id_ = assistant(1, "")["id"]
    by_script(world, "front-desk", id_)
    world.snapshot()
    plan = world.planned()
    lost = {row["field"] for row in plan["losses"] if row["id"] == id_ and row["grade"] == "lost"}
    assert lost == {"metadata", "name"}
    world.apply().ok()
    metadata = latest(world.target, "front-desk")["metadata"]
    assert (len(metadata), metadata["original_v1_id"]) == (16, id_)
    assert world("verify", world.plan).ok()["findings"] == []
    assert again(world, "create", "update") == 0


def test_an_agent_that_names_an_unknown_assistant_is_not_ours(launch: Launch) -> None:
    world = to_agents(launch, assistant(1, "desk"))
    by_script(world, "desk", "asst_of_somebody_else")
    moved(world)
    assert len(world.target.estate.agents) == 2
    assert versions(world.target, "desk") == 1


def test_diff_finds_which_assistant_it_was(launch: Launch) -> None:
    world = to_agents(launch, assistant(1, "Front Desk", metadata={"team": "night"}))
    by_script(world, "somebodys-name", assistant(1, "")["id"])
    rows = world("diff", "source", "target", "--kind", "assistant").ok(1)["changes"]
    assert [row["action"] for row in rows] == ["changed"]
