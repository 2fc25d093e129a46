"""Servers that ignore `order`, end early or count otherwise: read completely and in order, or reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Options
from tests.e2e.conftest import Launch
from tests.e2e.projects import project, say, store, thread
from tests.e2e.running import World, options
from tests.e2e.small_estate import converse, furnish, furnish_new

Json = dict[str, Any]


def faulty(folder: Path, key: str, *rows: Json, service: str = "azure-openai", **others: Any) -> Options:
    """An empty service with these faults."""
    file = folder / f"{key}.json"
    file.write_text(json.dumps({"fault": rows}), encoding="utf-8")
    given = {"list_threads": "works", "downloads": True, "faults": file, **others}
    return project(key, **given) if service == "foundry" else options(key, service=service, **given)


def correct_service(key: str = "TARGET_KEY") -> Options:
    return options(key, list_threads="works", downloads=True)


def texts(table: Json) -> list[str]:
    """The texts of a thread of a service, in order."""
    parts = [row["content"][0] for row in table.values()]
    return [part["text"]["value"] if isinstance(part["text"], dict) else part["text"] for part in parts]


def talking(world: World, number: int = 250) -> str:
    """A thread of three pages with several messages in each second."""
    return thread(world.source, 7, (f"sentence {n}" for n in range(number)))


class TestOrderIsIgnored:
    COMES = pytest.mark.parametrize("comes", ["newest-first", "oldest-first"])

    @pytest.mark.exhaustive(2)
    @COMES
    @pytest.mark.parametrize("path", ["*", "*/messages"])
    def test_a_thread_is_archived_and_written_in_its_order(
        self, launch: Launch, tmp_path: Path, comes: str, path: str
    ) -> None:
        fault = {"what": "ignores-order", "path": path, "comes": comes}
        world = launch(faulty(tmp_path, "SOURCE_KEY", fault), correct_service())
        id_ = talking(world)
        assert world.snapshot()["state"] == "complete"
        said = texts(world.source.estate.messages[id_])
        assert ordinals(world, "messages") == list(world.source.estate.messages[id_])
        world.planned()
        assert world.apply().code == 0
        assert world("verify", world.plan).ok()["findings"] == []
        (there,) = world.target.estate.messages.values()
        assert texts(there) == said

    @COMES
    def test_a_target_is_read_back_as_it_was_written(
        self, launch: Launch, tmp_path: Path, comes: str
    ) -> None:
        fault = {"what": "ignores-order", "comes": comes}
        world = launch(correct_service("SOURCE_KEY"), faulty(tmp_path, "TARGET_KEY", fault))
        id_ = thread(world.source, 7, (f"sentence {n}" for n in range(40)))
        other = thread(world.source, 8, ("one", "two"))
        world.source.estate.messages[other][f"msg_{8:012}{1:012}"]["created_at"] += 5
        world.snapshot()
        world.planned()
        said = world.apply()
        (there,) = (t for t in world.target.estate.messages.values() if len(t) == 40)
        assert texts(there) == texts(world.source.estate.messages[id_])
        # All objects have the same second, so the order is unknown: reported, and never reversed.
        found = world("verify", world.plan).ok(1 if said.code else 0)["findings"]
        assert {row["path"] for row in found} <= {"messages"}

    @pytest.mark.exhaustive(4)
    @pytest.mark.parametrize(
        ("view", "path"),
        [
            ("assistants", "*/assistants"),
            ("threads", "*/threads"),
            ("runs", "*/runs"),
            ("run_steps", "*/steps"),
            ("files", "*/files"),
            ("vector_stores", "*/vector_stores"),
            ("vector_store_files", "*/vector_stores/*/files"),
        ],
    )
    @COMES
    def test_every_kind_is_archived_in_its_order(
        self, launch: Launch, tmp_path: Path, view: str, path: str, comes: str
    ) -> None:
        fault = {"what": "ignores-order", "path": path, "comes": comes}
        world = launch(faulty(tmp_path, "SOURCE_KEY", fault), correct_service())
        furnish(world.source)
        runs(world)
        aged(world)
        assert world.snapshot()["state"] == "complete"
        estate = world.source.estate
        tables = {
            "runs": [estate.runs],
            "run_steps": [estate.run_steps],
            "vector_store_files": [estate.vector_store_files],
        }.get(view)
        held = (
            [id_ for table in tables[0].values() for id_ in table] if tables else list(getattr(estate, view))
        )
        assert ordinals(world, view) == held

    def test_conversations_and_agents_too(self, launch: Launch, tmp_path: Path) -> None:
        rows = [{"what": "ignores-order", "path": f"*/{name}"} for name in ("conversations", "agents")]
        world = launch(
            faulty(tmp_path, "SOURCE_KEY", *rows, service="foundry"), types=("foundry", "azure-openai")
        )
        furnish_new(world.source, 5)
        agents = world.source.estate.agents
        names = list(agents)
        for number, name in enumerate(names):
            agents[name]["versions"]["latest"]["created_at"] += number
        assert world.snapshot()["state"] == "complete"
        assert ordinals(world, "threads") == list(world.source.estate.conversations)
        assert ordinals(world, "assistants") == names

    @COMES
    def test_items_have_no_time_so_a_conversation_is_reported(
        self, launch: Launch, tmp_path: Path, comes: str
    ) -> None:
        fault = {"what": "ignores-order", "path": "*/items", "comes": comes}
        world = launch(
            faulty(tmp_path, "SOURCE_KEY", fault, service="foundry"), types=("foundry", "azure-openai")
        )
        long, short = converse(world.source, 1, ["a", "b"]), converse(world.source, 2, ["a"])
        answer = world.snapshot(code=3)
        assert [(row["kind"], row["parent"]) for row in answer["missing"]] == [("message", long)]
        assert "order" in answer["missing"][0]["reason"]
        assert ordinals(world, "messages") == list(world.source.estate.items[short])

    def test_a_further_snapshot_keeps_the_order(self, launch: Launch, tmp_path: Path) -> None:
        world = launch(faulty(tmp_path, "SOURCE_KEY", {"what": "ignores-order"}), correct_service())
        id_ = talking(world)
        world.snapshot()
        say(world.source, id_, "one more")
        assert world.snapshot()["state"] == "complete"
        assert ordinals(world, "messages", 2) == list(world.source.estate.messages[id_])
        before = len(world.source.requests)
        world.snapshot("--no-runs")
        assert ordinals(world, "messages", 3) == list(world.source.estate.messages[id_])
        assert len(world.source.requests) > before

    def test_order_and_after_ignored_is_reported(self, launch: Launch, tmp_path: Path) -> None:
        rows = [
            {"what": "ignores-after", "path": "*/messages"},
            {"what": "ignores-order", "path": "*/messages"},
        ]
        world = launch(faulty(tmp_path, "SOURCE_KEY", *rows), correct_service())
        id_ = talking(world)
        answer = world.snapshot(code=3)
        assert [(row["kind"], row["parent"]) for row in answer["missing"]] == [("message", id_)]


class TestTheEnd:
    @pytest.mark.exhaustive(2)
    @pytest.mark.parametrize("number", [100, 150, 200, 250])
    def test_a_full_page_that_calls_itself_the_last(
        self, launch: Launch, tmp_path: Path, number: int
    ) -> None:
        world = launch(
            faulty(tmp_path, "SOURCE_KEY", {"what": "ends-early", "path": "*/messages"}), correct_service()
        )
        id_ = talking(world, number)
        assert world.snapshot()["counts"]["message"] == number
        assert ordinals(world, "messages") == list(world.source.estate.messages[id_])

    @pytest.mark.parametrize("what", ["ends-early", "no-has-more"])
    def test_threads_files_and_agents_as_well(self, launch: Launch, tmp_path: Path, what: str) -> None:
        world = launch(faulty(tmp_path, "SOURCE_KEY", {"what": what}), correct_service())
        for number in range(130):
            thread(world.source, number, ())
        assert world.snapshot()["counts"]["thread"] == 130

    def test_a_full_page_and_a_server_that_ignores_after_is_reported(
        self, launch: Launch, tmp_path: Path
    ) -> None:
        rows = [
            {"what": "ignores-after", "path": "*/messages"},
            {"what": "ends-early", "path": "*/messages"},
        ]
        world = launch(faulty(tmp_path, "SOURCE_KEY", *rows), correct_service())
        talking(world, 150)
        answer = world.snapshot(code=3)
        assert [row["kind"] for row in answer["missing"]] == ["message"]
        assert "after" in answer["missing"][0]["reason"]

    def test_one_more_request_only_behind_a_full_page(self, launch: Launch) -> None:
        world = launch(correct_service("SOURCE_KEY"), correct_service())
        talking(world, 99)
        world.snapshot("--no-runs")
        asked = [r.path for r in world.source.requests if r.path.endswith("/messages")]
        assert len(asked) == 1
        say(world.source, f"thread_{7:024}", "the hundredth")
        world.snapshot("--no-runs", "--full")
        asked = [r.path for r in world.source.requests if r.path.endswith("/messages")]
        assert len(asked) == 3


class TestAStoreThatCountsMore:
    @pytest.fixture
    def world(self, launch: Launch, tmp_path: Path) -> World:
        fault = {"what": "counts-more", "path": "*/vector_stores*", "method": "GET", "more": 2}
        world = launch(faulty(tmp_path, "SOURCE_KEY", fault), correct_service())
        furnish(world.source)
        return world

    def test_its_listing_is_named_and_what_came_is_kept(self, world: World) -> None:
        answer = world.snapshot(code=3)
        assert [(row["kind"], row["id"]) for row in answer["missing"]] == [("vector_store_file", "*")]
        assert "counts 4 files" in answer["missing"][0]["reason"]
        assert answer["counts"]["vector_store_file"] == 2

    def test_a_file_that_left_between_is_no_gap(self, launch: Launch, tmp_path: Path) -> None:
        fault = {"what": "counts-more", "path": "*/vector_stores", "method": "GET", "more": 1}
        world = launch(faulty(tmp_path, "SOURCE_KEY", fault), correct_service())
        furnish(world.source)
        assert world.snapshot()["state"] == "complete"

    def test_filtered_rows_are_counted_all_the_same(self, launch: Launch) -> None:
        world = launch(correct_service("SOURCE_KEY"), correct_service())
        furnish(world.source)
        held = next(iter(world.source.estate.vector_store_files.values()))
        one = next(iter(held))
        assert world.snapshot("--exclude", f"vector_store_file:{one}")["state"] == "complete"

    def test_a_target_that_counts_more_can_be_planned_for(self, launch: Launch, tmp_path: Path) -> None:
        fault = {"what": "counts-more", "path": "*/vector_stores*", "method": "GET", "more": 2}
        world = launch(correct_service("SOURCE_KEY"), faulty(tmp_path, "TARGET_KEY", fault))
        furnish(world.source)
        store(world.target, 5, "of others", [])
        world.snapshot()
        world.planned()


def ordinals(world: World, view: str, snapshot: int = 1) -> list[str]:
    """Ids of a view of the archive, in the order of its listings."""
    import sqlite3
    from contextlib import closing

    from migrate.archive.packs import register_sql_functions

    parent = {
        "messages": "thread_id", "runs": "thread_id", "run_steps": "thread_id",
        "vector_store_files": "vector_store_id",
    }.get(view, "1")  # fmt: skip
    with closing(sqlite3.connect(world.db)) as conn:
        register_sql_functions(conn)
        rows = conn.execute(
            f"SELECT id FROM {view} WHERE snapshot = ? ORDER BY {parent}, ordinal", (snapshot,)
        ).fetchall()
    return [row[0] for row in rows]


def runs(world: World) -> None:
    """Two more runs of the first thread, one with two more steps."""
    estate = world.source.estate
    thread_id, table = next((t, rows) for t, rows in estate.runs.items() if rows)
    first = next(iter(table.values()))
    step = next(iter(estate.run_steps[first["id"]].values()))
    for number in (1, 2):
        run = f"run_{number}"
        table[run] = {**first, "id": run, "created_at": first["created_at"] + number}
        for place in range(number):
            estate.run_steps[run][f"step_{number}{place}"] = {
                **step, "id": f"step_{number}{place}", "run_id": run, "created_at": step["created_at"] + place
            }  # fmt: skip
    assert thread_id in estate.threads


def aged(world: World) -> None:
    """Files of a store each one second younger than the one before."""
    for table in world.source.estate.vector_store_files.values():
        for place, row in enumerate(table.values()):
            row["created_at"] += place
