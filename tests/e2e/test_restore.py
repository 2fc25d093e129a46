"""An archive is restored to its own resource: what is missing there is created, the rest is not changed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.projects import assistant, say
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world

Json = dict[str, Any]
TABLES = ("assistants", "agents", "threads", "conversations", "files", "vector_stores")
INNER = ("messages", "items", "vector_store_files", "agent_versions")


def held(made: World) -> Json:
    """Every body by its table, parent and id."""
    estate = made.target.estate
    rows = {(name, "", id_): row for name in TABLES for id_, row in getattr(estate, name).items()}
    for name in INNER:
        for parent, table in getattr(estate, name).items():
            rows |= {(name, parent, id_): row for id_, row in table.items()}
    return deepcopy(rows)


def lose(made: World, type_: str) -> None:
    """One assistant and one thread are deleted."""
    estate = made.target.estate
    if type_ == "foundry":
        del estate.agents["reader"], estate.agent_versions["reader"]
        gone = list(estate.conversations)[1]
        del estate.conversations[gone], estate.items[gone]
        return
    del estate.assistants[next(iter(estate.assistants))]
    gone = next(iter(estate.threads))
    del estate.threads[gone], estate.messages[gone]


def restore(made: World, code: int = 0) -> Json:
    """Plan, apply and verify the first snapshot against its own resource; returns the plan."""
    planned: Json = made("plan", f"{made.db}@1", "source", "-o", made.plan, "--accept-loss", "all").ok(code)
    assert made.apply().ok()["failed"] == []
    assert made("verify", made.plan).ok()["findings"] == []
    return planned


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES)
def test_one_agent_and_one_thread_come_back_and_nothing_else_is_touched(type_: str, tmp_path: Path) -> None:
    one = service("SOURCE_KEY", type_)
    with world(tmp_path, one, one, types=(type_, type_)) as made:
        furnish(made.source, type_)
        made.snapshot()
        lose(made, type_)
        before, asked = held(made), len(made.target.requests)
        restore(made)
        after = held(made)
        assert {key: after.get(key) for key in before} == before
        new = [key for key in after if key not in before and key[0] in TABLES]
        assert len(new) == 2
        touched = [line for line in made.writes(asked) if any(key[2] in line for key in before)]
        assert touched == []
        asked = len(made.target.requests)
        assert set(restore(made)["actions"].items()) >= {("create", 0), ("update", 0), ("adopt", 0)}
        assert made.writes(asked) == []


def test_an_agent_that_refers_to_a_lost_one_keeps_its_tool_and_the_plan_reports_it(tmp_path: Path) -> None:
    one = service("SOURCE_KEY", "foundry-classic")
    with world(tmp_path, one, one, types=("foundry-classic", "foundry-classic")) as made:
        furnish(made.source, "foundry-classic")
        made.snapshot()
        lose(made, "foundry-classic")
        plan = restore(made)
        told = [row for row in plan["losses"] if "comes back under another id" in row["reason"]]
        assert [(row["name"], row["field"], row["grade"]) for row in told] == [("chief", "tools", "adapted")]


@pytest.mark.parametrize("type_", TYPES[:3])
def test_what_came_since_the_snapshot_stays(type_: str, tmp_path: Path) -> None:
    one = service("SOURCE_KEY", type_)
    with world(tmp_path, one, one, types=(type_, type_)) as made:
        furnish(made.source, type_)
        made.snapshot()
        lose(made, type_)
        estate = made.target.estate
        say(made.target, next(iter(estate.threads)), "one more")
        later = assistant(77, "later")
        estate.assistants[later["id"]] = later
        papers, guide = list(estate.vector_stores)[1], list(estate.files)[1]
        row = {
            **estate.vector_store_files[next(iter(estate.vector_stores))][guide],
            "vector_store_id": papers,
        }
        estate.vector_store_files[papers][guide] = row
        before = held(made)
        restore(made)
        after = held(made)
        assert {key: after.get(key) for key in before} == before


@pytest.mark.parametrize("type_", TYPES[:3])
def test_what_was_changed_since_is_set_back(type_: str, tmp_path: Path) -> None:
    one = service("SOURCE_KEY", type_)
    with world(tmp_path, one, one, types=(type_, type_)) as made:
        furnish(made.source, type_)
        made.snapshot()
        held = made.target.estate.assistants
        id_ = next(iter(held))
        held[id_] = {**held[id_], "instructions": "Changed."}
        assert restore(made)["actions"]["update"] == 1
        assert held[id_]["instructions"] != "Changed."
