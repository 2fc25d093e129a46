"""Items of runs in a conversation: calls are moved in pairs, others are reported, the order stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import EPOCH, moved, project
from tests.e2e.running import World

Json = dict[str, Any]
CONVERSATION = "conv_" + "0" * 16 + "00" + "x" * 32


def message(text: str, role: str = "user") -> Json:
    type_ = "output_text" if role == "assistant" else "input_text"
    part = {"type": type_, "text": text, **({"annotations": []} if role == "assistant" else {})}
    return {"type": "message", "status": "completed", "role": role, "content": [part]}


def call(id_: str) -> Json:
    return {"type": "function_call", "status": "completed", "call_id": id_, "name": "find", "arguments": "{}"}


def output(id_: str) -> Json:
    return {"type": "function_call_output", "status": "completed", "call_id": id_, "output": "found"}


def thought(text: str) -> Json:
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}


def write(world: World, *rows: Json) -> list[str]:
    """Append items to the conversation; returns their ids."""
    table = world.source.estate.items[CONVERSATION]
    ids = [f"item_{len(table) + place:04}" for place in range(len(rows))]
    for id_, row in zip(ids, rows, strict=True):
        table[id_] = {"id": id_, **row}
    return ids


@pytest.fixture
def talk(launch: Launch) -> World:
    world = launch(project("SOURCE_KEY"), project("TARGET_KEY"), types=("foundry", "foundry"))
    row = {"id": CONVERSATION, "object": "conversation", "created_at": EPOCH, "metadata": {"a": "b"}}
    world.source.estate.conversations[CONVERSATION] = row
    return world


def there(world: World) -> list[Json]:
    """The items on the target, without what the server gives them."""
    (table,) = world.target.estate.items.values()
    return [{k: v for k, v in row.items() if k not in ("id", "status")} for row in table.values()]


def bare(*rows: Json) -> list[Json]:
    return [{k: v for k, v in row.items() if k != "status"} for row in rows]


def test_a_call_and_its_output_go_along(talk: World) -> None:
    rows = [message("Is it packed?"), call("c1"), output("c1"), message("Yes.", "assistant")]
    write(talk, *rows)
    assert moved(talk)["created"] == 5
    assert there(talk) == bare(*rows)
    assert talk("verify", talk.plan).ok()["ok"] is True


def test_items_that_are_no_messages_are_reported_and_left(talk: World) -> None:
    question, answer = message("Why?"), message("Because.", "assistant")
    _, left, _ = write(talk, question, thought("hm"), answer)
    talk.snapshot()
    plan = talk("plan", talk.db, "target", "-o", talk.plan).ok(1)
    (row,) = [row for row in plan["losses"] if row["grade"] == "lost"]
    assert (row["kind"], row["id"], row["parent"], row["field"]) == ("message", left, CONVERSATION, "*")
    assert "reasoning" in row["reason"]
    assert talk.apply().ok()["created"] == 3
    assert there(talk) == bare(question, answer)
    assert talk("verify", talk.plan).ok()["ok"] is True


def test_what_comes_later_is_put_behind_although_items_were_left(talk: World) -> None:
    first = [message("Why?"), thought("hm"), message("Because.", "assistant")]
    write(talk, *first)
    moved(talk)
    later = [message("And then?"), thought("well"), call("c1"), output("c1"), message("Done.", "assistant")]
    write(talk, *later)
    assert moved(talk)["created"] == 4
    assert there(talk) == bare(*(row for row in (*first, *later) if row["type"] != "reasoning"))
    talk.snapshot()
    assert talk.planned()["actions"]["create"] == 0


def test_a_call_that_waits_for_its_output_is_left_until_it_has_it(talk: World) -> None:
    _, waiting = write(talk, message("Is it packed?"), call("c1"))
    talk.snapshot()
    losses = talk("plan", talk.db, "target", "-o", talk.plan).ok(1)["losses"]
    assert [row["id"] for row in losses if row["grade"] == "lost"] == [waiting]
    talk.apply().ok()
    assert there(talk) == bare(message("Is it packed?"))
    write(talk, output("c1"), message("Yes.", "assistant"))
    assert moved(talk)["created"] == 3
    assert there(talk) == bare(
        message("Is it packed?"), call("c1"), output("c1"), message("Yes.", "assistant")
    )


def test_a_call_whose_output_comes_too_late_is_reported(talk: World) -> None:
    """Nothing can be inserted between existing messages: it is appended, and the plan reports that."""
    asked, late = message("Is it packed?"), message("Hello?")
    write(talk, asked, call("c1"), late)
    moved(talk)
    write(talk, output("c1"))
    talk.snapshot()
    plan = talk("plan", talk.db, "target", "-o", talk.plan).ok(1)
    told = [row for row in plan["losses"] if not row["accepted"] and "another order" in row["reason"]]
    assert [(row["kind"], row["id"], row["grade"]) for row in told] == [("thread", CONVERSATION, "lost")]
    talk.apply().ok()
    assert there(talk) == bare(asked, late, call("c1"), output("c1"))
    assert talk("verify", talk.plan).ok()["findings"] == []


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("count", [19, 20, 21, 40])
def test_a_pair_may_span_two_requests(talk: World, count: int) -> None:
    rows = [message(f"{n}") for n in range(count - 1)] + [call("c1"), output("c1"), message("x", "assistant")]
    write(talk, *rows)
    moved(talk)
    assert there(talk) == bare(*rows)
    assert talk.target.estate.forbidden_calls == []
