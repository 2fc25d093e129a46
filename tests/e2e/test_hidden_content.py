"""Content that a service returns only on request: it is in the archive or reported as missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import project
from tests.e2e.running import World
from tests.e2e.small_estate import converse

Json = dict[str, Any]
PICTURE = "https://example.com/p.png"
ITEMS: tuple[Json, ...] = (
    {"type": "message", "role": "user", "status": "completed",
     "content": [{"type": "input_image", "image_url": PICTURE, "detail": "auto"}]},
    {"type": "code_interpreter_call", "code": "2+2", "container_id": "c", "status": "completed",
     "outputs": [{"type": "logs", "logs": "four"}]},
    {"type": "file_search_call", "queries": ["q"], "status": "completed", "results": [{"text": "found"}]},
)  # fmt: skip
LATER: Json = {
    "type": "message", "role": "user", "status": "completed",
    "content": [{"type": "input_text", "text": "hi"}],
}  # fmt: skip
HIDES, REFUSES = {"what": "hides-content"}, {"what": "refuses-include"}
Start = Callable[..., World]


@pytest.fixture
def start(launch: Launch, tmp_path: Path) -> Start:
    def started(*rows: Json) -> World:
        faults = tmp_path / "faults.json"
        faults.write_text(json.dumps({"fault": rows}), encoding="utf-8")
        world = launch(
            project("SOURCE_KEY", faults=faults), project("TARGET_KEY"), types=("foundry", "foundry")
        )
        id_ = converse(world.source, 1, ["hello"])
        for number, item in enumerate(ITEMS):
            world.source.estate.items[id_][f"item_{number}"] = {"id": f"item_{number}", **item}
        return world

    return started


def shown(world: World, id_: str) -> Json:
    found: Json = world("show", world.db, id_).ok()
    return found


def test_what_has_to_be_asked_for_is_in_the_archive(start: Start) -> None:
    world = start(HIDES)
    answer = world.snapshot()
    assert (answer["state"], answer["hidden"]) == ("complete", [])
    for number, item in enumerate(ITEMS):
        assert shown(world, f"item_{number}") == {
            "kind": "message", "parent": answer and f"conv_{1:050}", "body": {"id": f"item_{number}", **item}
        }  # fmt: skip
    asked = [r for r in world.source.requests if r.path.endswith("/items")]
    assert len(asked) == 2, "one page, and one look at the order"


class TestRefused:
    """A service that answers 400 to `include[]` and leaves out that content."""

    @pytest.fixture
    def world(self, start: Start) -> World:
        return start({**REFUSES, "path": "*/items*"})

    def test_it_is_read_without_and_its_absence_is_reported(self, world: World) -> None:
        answer = world.snapshot(code=3)
        assert answer["counts"]["message"] == 4
        assert [(row["id"], row["parent"]) for row in answer["missing"]] == [("item_0", f"conv_{1:050}")]
        assert "image" in answer["missing"][0]["reason"]
        assert "message: code_interpreter_call.outputs" in answer["hidden"]
        (row,) = world("snapshots", world.db).ok()
        assert row["hidden"] == answer["hidden"]
        text = world.plain("snapshots", world.db).out
        assert "refuses to show message: code_interpreter_call.outputs" in text
        assert "code_interpreter_call.outputs" in shown(world, "item_1")["hidden"]
        assert any("image" in words for words in shown(world, "item_0")["hidden"])
        assert "hidden" not in shown(world, f"conv_{1:050}")

    def test_assess_and_plan_report_it(self, world: World) -> None:
        world.snapshot(code=3)
        told = world("assess", world.db, "--to", "foundry").ok(1)
        assert "message: file_search_call.results" in told["hidden"]
        assert "refuses to show" in world.plain("assess", world.db, "--to", "foundry").out
        assert "message: file_search_call.results" in world.planned()["hidden"]

    def test_a_further_snapshot_lacks_the_same(self, world: World) -> None:
        first = world.snapshot(code=3)
        second = world.snapshot(code=3)
        assert second["missing"] == first["missing"]
        assert second["hidden"] == first["hidden"]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("value", ["reasoning.encrypted_content", "web_search_call.action.sources"])
def test_one_value_that_is_unknown_costs_the_others_nothing(start: Start, value: str) -> None:
    world = start({**REFUSES, "value": value})
    answer = world.snapshot()
    assert answer["hidden"] == [f"message: {value}"]
    assert shown(world, "item_1")["body"]["outputs"] == ITEMS[1]["outputs"]


def test_what_was_hidden_is_read_once_it_is_shown(start: Start) -> None:
    world = start({**REFUSES, "path": "*/items*", "times": 10**6})
    world.snapshot(code=3)
    for row in world.source.faults.request_rules:
        row.times_applied = 10**6  # the service supports it from now on
    assert world.snapshot()["state"] == "complete"
    assert shown(world, "item_0")["body"]["content"][0]["image_url"] == PICTURE


class TestIgnored:
    """A service that ignores `include[]` as an unknown parameter, answers 200, and leaves out that
    content."""

    @pytest.fixture
    def world(self, start: Start) -> World:
        return start({"what": "ignores-include", "path": "*/items*", "times": 10**6})

    def test_requested_content_that_is_missing_is_reported(self, world: World) -> None:
        answer = world.snapshot(code=3)
        assert answer["hidden"] == [
            "message: code_interpreter_call.outputs", "message: file_search_call.results"
        ]  # fmt: skip
        assert "code_interpreter_call.outputs" in shown(world, "item_1")["hidden"]
        assert "message: file_search_call.results" in world.planned()["hidden"]

    def test_a_listing_that_is_carried_over_lacks_the_same(self, world: World) -> None:
        first = world.snapshot(code=3)
        for rows in world.source.estate.items.values():  # longer than the part that is checked again
            for n in range(120):
                rows[f"late_{n}"] = {**LATER, "id": f"late_{n}"}
        second = world.snapshot(code=3)
        third = world.snapshot(code=3)
        assert first["hidden"] == second["hidden"] == third["hidden"]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("changes", [{"status": "in_progress"}, {"status": "failed"}, {"outputs": []}])
def test_a_call_that_has_nothing_to_show_hides_nothing(start: Start, changes: Json) -> None:
    world = start(HIDES)
    (rows,) = world.source.estate.items.values()
    rows["item_1"] = {**rows["item_1"], "outputs": None, **changes}
    assert world.snapshot()["hidden"] == []


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("number", [1, 2])
def test_a_merge_keeps_what_was_not_shown(start: Start, number: int) -> None:
    world = start({**REFUSES, "value": "reasoning.encrypted_content"})
    converse(world.source, 2, ["hi", "there"])
    files = [str(world.folder / f"{n}.db") for n in range(1, number + 1)]
    for n, file in enumerate(files, 1):
        part = ("--shard", f"{n}/{number}", "--tag", "one") if number > 1 else ()
        world("snapshot", "source", "-o", file, *part).ok()
    whole = str(world.folder / "all.db")
    world("merge", *files, "-o", whole).ok()
    (row,) = world("snapshots", whole).ok()
    assert row["hidden"] == ["message: reasoning.encrypted_content"]
    at = len(world.source.requests)
    world("snapshot", "source", "-o", whole).ok()
    asked = [r.path for r in world.source.requests[at:] if r.path.endswith("/items")]
    assert len(asked) <= 2 + 12, "each conversation once, and what the service knows of include[]"
