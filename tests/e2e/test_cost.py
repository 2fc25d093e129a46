"""The cost in a plan, compared with what the services received."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from math import ceil
from typing import Any
from unittest.mock import patch

import pytest

from migrate.archive.applies import last_apply_duration
from migrate.archive.id_map import Side
from migrate.emulator import Emulator
from tests.e2e import rounds
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, agent, assistant, file, say, store, thread
from tests.e2e.rounds import PROJECTS, ROUTES, Route
from tests.e2e.running import World

Json = dict[str, Any]
TWO_PLACES = [route for route in ROUTES if not route.shared]


def _world(launch: Launch, route: Route, citations: bool = False) -> World:
    source, target = route.ends()
    world = launch(source, target, types=(route.source, route.target))
    rounds.furnish(world.source, route.source)
    if not citations:
        _remove_citations(world.source)
    return world


def _remove_citations(cloud: Emulator) -> None:
    for rows in (*cloud.estate.messages.values(), *cloud.estate.items.values()):
        for row in rows.values():
            for part in row.get("content") or ():
                for holder in (part, part.get("text")):
                    if isinstance(holder, dict) and "annotations" in holder:
                        holder["annotations"] = []


def _uploaded(cloud: Emulator) -> int:
    """Bytes of all files of a service."""
    return sum(len(blob.read()) for blob in cloud.estate.content.values())


def _agents(cloud: Emulator) -> int:
    return len(cloud.estate.agents)


def _apply_and_compare(world: World, *options: str) -> Json:
    """Plan and apply, and check that the plan's cost is what the target received."""
    cost: Json = world.planned(*options)["cost"]
    began, size, agents = len(world.target.requests), _uploaded(world.target), _agents(world.target)
    world.apply().ok()
    writes = world.writes(began)
    assert cost["requests"] == len(writes), "\n".join(writes)
    assert cost["bytes"] == _uploaded(world.target) - size
    assert cost["identities"] == max(0, _agents(world.target) - agents)
    return cost


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("route", TWO_PLACES, ids=lambda route: route.id)
def test_a_plan_counts_the_requests_that_apply_sends(launch: Launch, route: Route) -> None:
    world = _world(launch, route)
    world.snapshot()
    first = _apply_and_compare(world)
    assert first["requests"] > 10
    assert first["bytes"] > 0
    world.snapshot()
    assert _apply_and_compare(world)["requests"] == 0


@pytest.mark.parametrize("target", rounds.TYPES)
def test_changes_and_deletions_are_counted_too(launch: Launch, target: str) -> None:
    world = _world(launch, Route("foundry-classic", target))
    estate = world.source.estate
    gone = thread(world.source, 8, [f"text {n}" for n in range(45)])
    add(world.source, assistant(9, "leaver"))
    world.snapshot()
    _apply_and_compare(world)

    first = next(iter(estate.assistants.values()))
    first["instructions"] = "Changed."
    kept = next(iter(estate.threads))
    estate.threads[kept]["metadata"] = {"who": "Grace"}
    for number in range(25):
        say(world.source, kept, f"more {number}")
    fresh = file(world.source, 9, "fresh.md", b"fresh bytes")
    store(world.source, 9, "second shelf", [fresh])
    del estate.threads[gone]
    del estate.messages[gone]
    del estate.assistants[assistant(9, "leaver")["id"]]
    world.snapshot()
    cost = _apply_and_compare(world, "--prune")
    assert cost["bytes"] == len(b"fresh bytes")
    assert cost["requests"] > 6


@pytest.mark.parametrize("target", rounds.TYPES)
def test_files_of_stores_are_counted_by_batches_and_attributes(launch: Launch, target: str) -> None:
    world = launch(rounds.service("SOURCE_KEY", "openai"), rounds.service("TARGET_KEY", target),
                   types=("openai", target))  # fmt: skip
    files = [file(world.source, number, f"note{number}.md", b"%05d" % number) for number in range(1, 10)]
    for number, (start, end) in enumerate([(0, 9), (0, 1), (2, 4)], 1):
        store(world.source, number, f"shelf {number}", files[start:end])
    rows = world.source.estate.vector_store_files["vs_" + "1".zfill(24)]
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}}
    for id_ in files[:3]:
        rows[id_]["attributes"] = {"year": 2020}
    for id_ in files[5:7]:
        rows[id_]["chunking_strategy"] = chunking
    world.snapshot()
    _apply_and_compare(world)


def test_a_conversation_is_deleted_item_by_item(launch: Launch) -> None:
    world = launch(rounds.service("SOURCE_KEY", "foundry"), rounds.service("TARGET_KEY", "foundry"),
                   types=PROJECTS[1:] * 2)  # fmt: skip
    agent(world.source, "keeper", model="gpt-4.1")
    gone = rounds.converse(world.source, 1, ["hello"] * 7)
    rounds.converse(world.source, 2, ["hello"])
    world.snapshot()
    _apply_and_compare(world)
    del world.source.estate.conversations[gone]
    del world.source.estate.items[gone]
    world.snapshot()
    assert _apply_and_compare(world, "--prune")["requests"] == 8


def test_the_cost_is_shown_before_apply_asks(launch: Launch) -> None:
    world = _world(launch, Route("openai", "foundry"))
    world.snapshot()
    cost = world.planned()["cost"]
    words = f"{cost['requests']} writing requests, {cost['bytes']} bytes to upload"
    report = world.plain("plan", world.db, "target", "-o", world.plan, "--accept-loss", "all").out
    assert f"note: apply: {words}" in report
    assert f"{cost['identities']} new Entra identities" in report
    asked = world.plain("apply", world.plan, stdin="n\n")
    assert words in asked.out + asked.err
    assert world.writes() == []


def test_the_time_is_not_known_from_a_few_requests(launch: Launch) -> None:
    world = _world(launch, Route("openai", "foundry"))
    world.snapshot()
    cost = world.planned()["cost"]
    assert (cost["minutes"], cost["pace"]) == (None, "")
    assert "time not known" in world.plain("apply", world.plan, stdin="n\n").err


def test_the_time_follows_the_pace_at_which_the_target_was_read(launch: Launch) -> None:
    world = _world(launch, Route("openai", "azure-openai"))
    for number in range(30):
        store(world.target, 100 + number, f"shelf {number}", [])
    world.snapshot()
    cost = world.planned()["cost"]
    assert cost["pace"] == "reading"
    assert 0 <= cost["minutes"] < 1
    assert (
        "less than a minute if writing is as fast as reading the target was"
        in world.plain("apply", world.plan, stdin="n\n").err
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("finished_at = strftime('%Y-%m-%dT%H:%M:%S', finished_at, '+600 seconds')", 600),
        ("finished_at = strftime('%Y-%m-%dT%H:%M:%S', finished_at, '+601 seconds')", None),
        ("finished_at = strftime('%Y-%m-%dT%H:%M:%S', finished_at, '+9 seconds')", None),
        ("finished_at = strftime('%Y-%m-%dT%H:%M:%S', finished_at, '+60 seconds'), state = 'failed'", None),
    ],
)
def test_the_time_follows_the_last_apply_that_was_not_interrupted(
    launch: Launch, change: str, expected: int | None
) -> None:
    world = _world(launch, Route("openai", "openai"))
    world.snapshot()
    digest = world.planned()["digest"]
    world.apply().ok()
    with closing(sqlite3.connect(world.db)) as conn:
        conn.execute(
            "UPDATE journal SET started_at = '2026-12-01T00:00:00', finished_at = '2026-12-01T00:00:00'"
        )
        conn.execute(
            f"UPDATE journal SET {change} WHERE id = (SELECT max(id) FROM journal WHERE action = 'create')"
        )
        found = last_apply_duration(conn, Side("openai", world.target.url))  # type: ignore[arg-type]
        conn.execute("DELETE FROM journal WHERE action = 'finished'")
        stopped = last_apply_duration(conn, Side("openai", world.target.url))  # type: ignore[arg-type]
    assert [found and (found[0], round(found[1]))] == [expected and (digest, expected)]
    assert stopped is None, "a part of an apply says nothing of the whole"


def test_a_later_plan_uses_the_pace_of_the_last_apply(launch: Launch) -> None:
    world = _world(launch, Route("openai", "openai"))
    world.snapshot()
    first = world.planned()
    world.apply().ok()
    say(world.source, next(iter(world.source.estate.threads)), "one more")
    world.snapshot()
    with patch(
        "migrate.stages.plan.cost.last_apply_duration", lambda conn, target: (first["digest"], 7_200.0)
    ):
        cost = world.planned()["cost"]
    assert (cost["requests"], cost["pace"]) == (1, "last apply")
    assert cost["minutes"] == round(120 / first["cost"]["requests"], 1)
    said = world.plain("apply", world.plan, stdin="n\n").err
    assert f"about {ceil(cost['minutes'])} minutes at the pace of the last apply" in said


def test_the_first_citations_may_split_one_request_into_three(launch: Launch) -> None:
    world = _world(launch, Route("openai", "foundry"), citations=True)
    world.snapshot()
    planned = world.planned()["cost"]["requests"]
    world.apply().ok()
    assert len(world.writes()) == planned + 2, "before the message with citations, that message, the rest"
