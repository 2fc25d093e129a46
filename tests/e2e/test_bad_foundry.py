"""What a project cannot accept is in the plan before anything is written, and the rest arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.projects import (
    CONNECTIONS,
    add,
    assistant,
    file,
    latest,
    project,
    store,
    thread,
)
from tests.e2e.running import World, world

Json = dict[str, Any]
ROOT = "/subscriptions/0/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/a/projects/p"
LONG = "x" * 513


def grounding(connection: str) -> Json:
    rows = [{"connection_id": f"{ROOT}/connections/{connection}"}]
    return {"type": "bing_grounding", "bing_grounding": {"search_configurations": rows}}


def connected(id_: str) -> Json:
    inner = {"id": id_, "name": "who", "description": "Knows."}
    return {"type": "connected_agent", "connected_agent": inner}


FUNCTION = {"type": "function", "function": {"name": "list_orders"}}
FULL = {f"key{n:02}": str(n) for n in range(17)}
ASSISTANTS = {
    "fine": assistant(1, "fine", tools=[grounding("web-search"), {"type": "code_interpreter"}]),
    "name in another script": assistant(2, "注文受付係"),
    "name of signs": assistant(3, "!!! ???"),
    "no name": assistant(4, None),
    "long name": assistant(5, "n" * 256),
    "deployment": assistant(6, "deployment", model="gpt-4-32k"),
    "connection": assistant(7, "connection", tools=[grounding("gone")]),
    "function": assistant(8, "function", tools=[FUNCTION]),
    "search": assistant(9, "search", tools=[{"type": "file_search"}]),
    "pairs": assistant(10, "pairs", metadata=FULL),
    "value": assistant(11, "value", metadata={"long": LONG, "key" * 22: "x", "fits": "x"}),
    "instructions": assistant(12, "instructions", instructions="i" * 256_001),
    "unknown tool": assistant(
        13, "unknown-tool", tools=[{"type": "weather_machine"}, grounding("web-search")]
    ),
    "deleted agent": assistant(14, "deleted-agent", tools=[connected("asst_nobody")]),
    "template": assistant(15, "template", instructions="Speak with {{name}}."),
    "description": assistant(16, "description", description="d" * 513),
    "sampling": assistant(18, "sampling", model="o4-mini", temperature=0.2, top_p=1.0),
    "missing file": assistant(
        17,
        "missing-file",
        tools=[{"type": "code_interpreter"}],
        tool_resources={"code_interpreter": {"file_ids": ["assistant-gone"]}},
    ),
}
TABLE, EXPIRED = "sales.csv", "vs_000000000000000000000002"


@dataclass(frozen=True)
class Told:
    """A loss that must be in the plan. Its reason contains `words`, its advice contains `way`."""

    who: str
    field: str
    grade: str
    words: tuple[str, ...]
    way: str = ""


EXPECTED = (
    Told("name in another script", "name", "adapted", ("注文受付係", "ZhuWenShouFuXi")),
    Told("name of signs", "name", "adapted", ("!!! ???", "agent-")),
    Told("no name", "name", "adapted", ("needs a name", "agent-")),
    Told("long name", "name", "adapted", ("n" * 63,)),
    Told(
        "deployment",
        "model",
        "blocked",
        ("gpt-4-32k", "gpt-4.1, gpt-4o, o4-mini"),
        '"gpt-4-32k" = "DEPLOYMENT"',
    ),
    Told("deployment", "model", "blocked", (), "[models]"),
    Told("connection", "connections", "blocked", ("gone", ", ".join(sorted(CONNECTIONS))), '"gone" = '),
    Told("connection", "connections", "blocked", (), "[connections]"),
    Told("function", "tools", "adapted", ("list_orders", "empty parameters")),
    Told("search", "tools", "lost", ("file_search", "vector store"), "by hand"),
    Told("pairs", "metadata", "lost", ("key16", "16")),
    Told("value", "metadata", "lost", ("long",)),
    Told("value", "metadata", "lost", ("keykey",)),
    Told("instructions", "instructions", "lost", ("256,001",)),
    Told("unknown tool", "tools", "lost", ("weather_machine",)),
    Told("deleted agent", "tools", "lost", ("connected_agent",), "by hand"),
    Told("template", "instructions", "adapted", ("{{name}}",), "another way"),
    Told("description", "description", "lost", ("513",)),
    Told("sampling", "temperature", "lost", ("0.2", "o4-mini")),
    Told("missing file", "tool_resources.code_interpreter.file_ids", "lost", ("assistant-gone",)),
)


@dataclass
class Bad:
    """A world with every unacceptable object, and what the commands reported."""

    world: World
    strict: Json = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    applied: Json = field(default_factory=dict)
    code: int = 0


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bad]:
    source, target = project("SOURCE_KEY"), project("TARGET_KEY")
    folder = tmp_path_factory.mktemp("bad")
    with world(folder, source, target, types=("foundry-classic", "foundry")) as made:
        cloud = made.source
        add(cloud, *ASSISTANTS.values())
        table, notes = file(cloud, 1, TABLE, b"a,b\n"), file(cloud, 2, "notes.md")
        store(cloud, 1, "papers", [table, notes], metadata={"long": LONG})
        store(cloud, 2, "expired", [notes], status="expired", expires_at=1)
        thread(cloud, 1, ["hello"], metadata=FULL)
        made.snapshot()
        found = Bad(made, made("plan", made.db, "target", "-o", made.plan).ok(1))
        found.writes = made.writes()
        said = made.apply()
        found.code, found.applied = said.code, said.json
        yield found


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("told", EXPECTED, ids=lambda told: f"{told.who}: {told.field}")
def test_what_cannot_be_taken_is_reported(bad: Bad, told: Told) -> None:
    row = ASSISTANTS[told.who]
    losses = [r for r in bad.strict["losses"] if (r["kind"], r["id"]) == ("assistant", row["id"])]
    fits = [r for r in losses if (r["field"], r["grade"]) == (told.field, told.grade)]
    assert [
        r for r in fits if all(word in r["reason"] for word in told.words) and told.way in r["way_out"]
    ], losses
    assert {r["name"] for r in losses} == {row["name"] or ""}


def test_an_assistant_without_a_fault_has_no_loss(bad: Bad) -> None:
    told = [row for row in bad.strict["losses"] if row["id"] == ASSISTANTS["fine"]["id"]]
    assert {(row["field"], row["grade"]) for row in told} == {("connections", "adapted")}


def test_a_table_in_a_store_is_reported(bad: Bad) -> None:
    rows = [r for r in bad.strict["losses"] if (r["kind"], r["grade"]) == ("vector_store_file", "blocked")]
    assert [(r["field"], r["id"], ".csv" in r["reason"], bool(r["way_out"])) for r in rows] == [
        ("file_id", next(iter(bad.world.source.estate.files)), True, True)
    ]
    (of_store,) = [r for r in bad.strict["losses"] if (r["kind"], r["field"]) == ("vector_store", "files")]
    assert (of_store["grade"], TABLE in of_store["reason"]) == ("lost", True)


def test_a_row_about_a_file_in_a_store_has_the_name_of_the_file(bad: Bad) -> None:
    rows = [r for r in bad.strict["losses"] if (r["kind"], r["grade"]) == ("vector_store_file", "blocked")]
    assert [r["name"] for r in rows] == [TABLE]


def test_an_expired_store_is_reported_and_created_again(bad: Bad) -> None:
    (row,) = [r for r in bad.strict["losses"] if (r["id"], r["field"]) == (EXPIRED, "status")]
    assert (row["kind"], row["grade"], row["name"]) == ("vector_store", "adapted", "expired")
    new = bad.world("ids", bad.world.db, EXPIRED).ok()[0]["target_id"]
    assert bad.world.target.estate.vector_stores[new]["status"] == "completed"
    assert len(bad.world.target.estate.vector_store_files[new]) == 1


def test_metadata_of_stores_and_threads_is_named_too(bad: Bad) -> None:
    told = {
        (r["kind"], r["grade"]) for r in bad.strict["losses"] if r["field"] == "metadata" and r["id"] != "*"
    }
    assert told >= {("vector_store", "lost"), ("thread", "lost")}


def test_every_loss_has_a_complete_description(bad: Bad) -> None:
    for row in bad.strict["losses"]:
        assert row.keys() >= {"kind", "id", "name", "field", "grade", "reason", "way_out", "parent"}
        assert row["kind"]
        assert row["id"]
        assert row["field"]
        assert row["reason"]
        assert row["grade"] in ("adapted", "lost", "blocked")
        assert row["way_out"] or row["grade"] != "blocked", row


def test_nothing_was_written_before(bad: Bad) -> None:
    assert bad.writes == []


def test_apply_refuses_what_is_blocked_and_moves_the_rest(bad: Bad) -> None:
    blocked = {ASSISTANTS["deployment"]["id"], ASSISTANTS["connection"]["id"]}
    blocked.add(next(iter(bad.world.source.estate.files)))
    assert bad.code == 3
    assert {row["id"] for row in bad.applied["failed"]} == blocked
    assert all("blocked" in row["reason"] for row in bad.applied["failed"])
    arrived = {latest(bad.world.target, name)["metadata"].get("migrated_from") for name in _agents(bad.world)}
    wanted = {f"foundry-classic:{row['id']}" for row in ASSISTANTS.values() if row["id"] not in blocked}
    unstamped = f"foundry-classic:{ASSISTANTS['pairs']['id']}"
    assert arrived == (wanted - {unstamped}) | {None}
    assert len(_agents(bad.world)) == len(wanted)
    findings = bad.world("verify", bad.world.plan).ok(1)["findings"]  # blocked, and not accepted
    assert {row["source_id"] for row in findings} == blocked


def _agents(made: World) -> list[str]:
    return list(made.target.estate.agents)


def test_names_that_were_made_valid_keep_the_original(bad: Bad) -> None:
    ids = {row["source_id"]: row["target_id"] for row in bad.world("ids", bad.world.db).ok()}
    for who in ("name in another script", "name of signs", "long name"):
        row = ASSISTANTS[who]
        assert latest(bad.world.target, ids[row["id"]])["metadata"]["migrated_name"] == row["name"]
    assert "migrated_name" not in latest(bad.world.target, ids[ASSISTANTS["no name"]["id"]])["metadata"]
