"""Conversations: every message once and in order, at most twenty in a request, one request at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.common_form import conversations_of
from tests.e2e.conftest import Launch
from tests.e2e.faults import ConcurrencyCounter, is_create
from tests.e2e.projects import moved, posted, project, say, thread
from tests.e2e.running import World, world

MOST = 20
LENGTHS = (0, 1, 20, 21, 45, 104)


def texts(made: World, id_: str) -> list[tuple[str, str]]:
    """Role and text of each message of a conversation on the target, in order."""
    talk = conversations_of(made.target.estate, "foundry")[id_]
    return [(message.role, text) for message in talk.messages for _, text in message.parts]


def said(made: World, id_: str) -> list[tuple[str, str]]:
    """The same for a thread of the source."""
    talk = conversations_of(made.source.estate, "foundry-classic")[id_]
    return [(message.role, text) for message in talk.messages for _, text in message.parts]


def counterpart(made: World, id_: str) -> str:
    """The conversation or item for a thread or message."""
    (row,) = made("ids", made.db, id_).ok()
    return str(row["target_id"])


def talking(launch: Launch, *threads: list[str], **others: Any) -> tuple[World, list[str]]:
    """Threads of a project, and another project as the target."""
    target = others.pop("target", None) or project("TARGET_KEY")
    made = launch(project("SOURCE_KEY"), target, types=("foundry-classic", "foundry"), **others)
    return made, [thread(made.source, number, each) for number, each in enumerate(threads, 1)]


# ------------------------------------------------------------------------------------------ of any length


@pytest.fixture(scope="module")
def watch() -> ConcurrencyCounter:
    return ConcurrencyCounter(is_create("/items"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory, watch: ConcurrencyCounter) -> Iterator[World]:
    """Threads of every length that matters, after a move."""
    source, target = project("SOURCE_KEY"), project("TARGET_KEY", latency=0.002)
    folder = tmp_path_factory.mktemp("long")
    with world(folder, source, target, types=("foundry-classic", "foundry"), wrap_target=watch) as made:
        for number, length in enumerate(LENGTHS, 1):
            thread(made.source, number, [f"{number}.{place}" for place in range(length)])
        assert moved(made)["created"] == len(LENGTHS) + sum(LENGTHS)
        yield made


@pytest.fixture
def threads(long: World) -> dict[int, str]:
    """Number of messages -> the thread."""
    return dict(zip(LENGTHS, long.source.estate.threads, strict=True))


@pytest.mark.parametrize("length", LENGTHS)
def test_every_message_arrives_once_and_in_order(long: World, threads: dict[int, str], length: int) -> None:
    there = counterpart(long, threads[length])
    assert texts(long, there) == said(long, threads[length])
    assert len(texts(long, there)) == length


@pytest.mark.parametrize("length", LENGTHS)
def test_each_call_brings_as_many_as_it_may(long: World, threads: dict[int, str], length: int) -> None:
    there = counterpart(long, threads[length])
    calls = posted(long, f"/conversations/{there}/items")
    assert len(calls) == max(0, -(-length // MOST) - 1), "the first twenty come with the conversation itself"


def test_no_call_brings_more_than_twenty(long: World) -> None:
    asked = [r for r in long.target.requests if r.method == "POST"]
    sizes = [len(json.loads(r.body).get("items", [])) for r in asked]
    assert max(sizes) == MOST
    assert sum(sizes) == sum(LENGTHS)
    assert {r.status for r in asked} == {200}


def test_a_conversation_is_sent_one_call_at_a_time(long: World, watch: ConcurrencyCounter) -> None:
    assert sum(watch.most.values()) == len(watch.most) > 1


def test_every_item_has_the_required_keys(long: World) -> None:
    bodies = [json.loads(r.body) for r in long.target.requests if r.method == "POST"]
    for item in (item for body in bodies for item in body.get("items", [])):
        assert item["type"] == "message"
        (part,) = item["content"]
        kind = "output_text" if item["role"] == "assistant" else "input_text"
        assert part["type"] == kind
        assert ("annotations" in part) is (kind == "output_text")


@pytest.mark.parametrize("length", LENGTHS)
def test_the_id_map_names_every_item(long: World, threads: dict[int, str], length: int) -> None:
    ours = list(long.source.estate.messages[threads[length]])
    theirs = list(long.target.estate.items[counterpart(long, threads[length])])
    rows = {row["source_id"]: row for row in long("ids", long.db).ok() if row["kind"] == "message"}
    assert [rows[id_]["target_id"] for id_ in ours] == theirs


def test_verify_has_seen_every_message(long: World) -> None:
    answer = long("verify", long.plan).ok()
    assert (answer["ok"], answer["checked_by_kind"]["message"]) == (True, sum(LENGTHS))


def test_no_run_is_started(long: World) -> None:
    assert long.target.estate.forbidden_calls == long.source.estate.forbidden_calls == []
    assert not [r.path for r in long.target.requests if "responses" in r.path or "/runs" in r.path]


# ------------------------------------------------------------------------------------------ again, and more


def test_a_second_time_nothing_is_sent(launch: Launch) -> None:
    made, _ = talking(launch, ["a", "b"], [], [f"{n}" for n in range(25)])
    moved(made)
    asked = len(made.target.requests)
    made.snapshot()
    assert {name for name, number in made.planned()["actions"].items() if number} == {"skip"}
    made.apply().ok()
    assert made.writes(asked) == []


def test_a_lost_archive_makes_no_conversation_twice(launch: Launch) -> None:
    made, ids = talking(launch, ["a", "b"], [], ["ok"] * 25)
    moved(made)
    before = {id_: counterpart(made, id_) for id_ in ids}
    Path(made.db).unlink()
    asked = len(made.target.requests)
    made.snapshot()
    assert made.planned()["actions"]["create"] == 0
    assert made.apply().ok()["adopted"] == 3
    assert made.writes(asked) == []
    assert {id_: counterpart(made, id_) for id_ in ids} == before
    assert len([r for r in made("ids", made.db).ok() if r["kind"] == "message"]) == 27


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(("first", "later"), [(0, 2), (1, 1), (19, 3), (20, 1), (25, 45)])
def test_later_messages_are_appended(launch: Launch, first: int, later: int) -> None:
    made, (id_,) = talking(launch, [f"{n}" for n in range(first)])
    moved(made)
    there, asked = counterpart(made, id_), len(made.target.requests)
    before = list(made.target.estate.items[there])
    for number in range(later):
        say(made.source, id_, f"later {number}")
    assert moved(made)["created"] == later
    assert list(made.target.estate.items[there])[:first] == before
    assert texts(made, there) == said(made, id_)
    calls = made.writes(asked)
    assert calls == [f"POST /api/projects/demo/openai/v1/conversations/{there}/items"] * -(-later // MOST)
    assert made("verify", made.plan).ok()["ok"] is True


def test_metadata_of_a_thread_that_changed_is_written_once(launch: Launch) -> None:
    made, (id_,) = talking(launch, ["a"])
    moved(made)
    made.source.estate.threads[id_]["metadata"] = {"team": "night"}
    assert moved(made)["updated"] == 1
    row = made.target.estate.conversations[counterpart(made, id_)]
    assert row["metadata"] == {"team": "night", "migrated_from": f"foundry-classic:{id_}"}
    made.snapshot()
    assert made.planned()["actions"]["update"] == 0


# ------------------------------------------------------------------------------------------ by others


def add_message_of_others(made: World, there: str, place: int | None = None) -> None:
    """Another user adds a message to a conversation on the target at `place`; default: the end."""
    items = made.target.estate.items[there]
    rows = list(items.values())
    text = {"type": "input_text", "text": "I was never asked."}
    row = {"type": "message", "id": "msg_stranger", "status": "completed", "role": "user", "content": [text]}
    rows.insert(len(rows) if place is None else place, row)
    made.target.estate.items.pop(there)
    for each in rows:
        made.target.estate.items[there][each["id"]] = each


def test_messages_of_others_at_the_end_are_reported_and_left(launch: Launch) -> None:
    made, (id_,) = talking(launch, ["a", "b"])
    moved(made)
    there = counterpart(made, id_)
    add_message_of_others(made, there)
    made.snapshot()
    plan = made("plan", made.db, "target", "-o", made.plan).ok(1)
    assert [(row["kind"], row["id"]) for row in plan["losses"] if row["field"] == "messages"] == [
        ("thread", id_)
    ]
    asked = len(made.target.requests)
    made.apply()
    assert made.writes(asked) == []
    assert "msg_stranger" in made.target.estate.items[there]
    found = made("verify", made.plan).ok(1)["findings"]
    assert [row["target_id"] for row in found] == ["msg_stranger"]


@pytest.mark.parametrize("place", [0, 1, None])
def test_nothing_is_appended_after_messages_of_others(launch: Launch, place: int | None) -> None:
    made, (id_,) = talking(launch, ["a", "b"])
    moved(made)
    there = counterpart(made, id_)
    add_message_of_others(made, there, place)
    say(made.source, id_, "c")
    made.snapshot()
    plan = made("plan", made.db, "target", "-o", made.plan).ok(1)
    assert [row["parent"] for row in plan["losses"] if row["grade"] == "blocked"] == [id_]
    asked = len(made.target.requests)
    assert made.apply().ok(3)["failed"]
    assert made.writes(asked) == []


def test_messages_of_others_between_plan_and_apply_are_found(launch: Launch) -> None:
    made, (id_, other) = talking(launch, ["a", "b"], ["x"])
    moved(made)
    there = counterpart(made, id_)
    for each in (id_, other):
        say(made.source, each, "later")
    made.snapshot()
    made.planned()
    add_message_of_others(made, there)
    asked = len(made.target.requests)
    answer = made.apply().ok(3)
    assert [(row["kind"], row["id"]) for row in answer["failed"]] == [("thread", id_)]
    assert made.writes(asked) == [
        f"POST /api/projects/demo/openai/v1/conversations/{counterpart(made, other)}/items"
    ]


def test_diff_pairs_what_apply_made_of_what(launch: Launch) -> None:
    made, (id_,) = talking(launch, ["a", "b"])
    address = [{"type": "image_url", "image_url": {"url": "https://example.com/leaf.jpg"}}]
    picture = say(made.source, id_, "", content=address, role="assistant")
    say(made.source, id_, "c")
    moved(made)
    changes = made("diff", made.db, "target").ok(1)["changes"]
    assert [(c["kind"], c["left_id"], c["action"]) for c in changes] == [("message", picture, "changed")]
