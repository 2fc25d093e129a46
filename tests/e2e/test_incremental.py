"""A second snapshot: known objects are not read again, and changed ones are."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from migrate.endpoints.http import retry
from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, is_second_page
from tests.e2e.running import World, options


@pytest.fixture
def world(launch: Launch) -> World:
    return launch(options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True))


def below_threads(world: World) -> list[str]:
    """Paths of the requests below threads since the start."""
    return [r.path for r in world.source.requests if "/threads/" in r.path]


def longest(world: World) -> dict[str, Any]:
    table: dict[str, Any] = max(world.source.estate.messages.values(), key=len)
    assert len(table) > 200
    return table


def equals_its_source(world: World) -> None:
    assert world("diff", world.db, "source").ok()["differences"] == 0


@pytest.mark.parametrize(("options", "kinds"), [([], ["messages", "runs"]), (["--no-runs"], ["messages"])])
def test_an_unchanged_thread_costs_one_request_a_listing_and_no_bytes(
    world: World, options: list[str], kinds: list[str]
) -> None:
    first = world.snapshot(*options)
    before = len(below_threads(world))
    second = world.snapshot(*options)
    asked = below_threads(world)[before:]
    assert len(asked) == len(kinds) * len(world.source.estate.threads)
    for kind in kinds:
        looked = [path for path in asked if path.endswith(f"/{kind}")]
        assert len(looked) == len(set(looked)) == len(world.source.estate.threads), "one look at each thread"
    assert second["counts"] == first["counts"]
    rows = world("snapshots", world.db).ok()
    assert rows[1]["bodies_added"] == 0
    equals_its_source(world)


def test_bytes_are_never_fetched_twice(world: World) -> None:
    world.snapshot()
    before = sum(r.path.endswith("/content") for r in world.source.requests)
    world.snapshot("--full")
    assert sum(r.path.endswith("/content") for r in world.source.requests) == before > 0


def test_full_reads_everything_again(world: World) -> None:
    world.snapshot()
    first = len(below_threads(world))
    world.snapshot("--full")
    assert len(below_threads(world)) == 2 * first


def test_a_new_message_is_read(world: World) -> None:
    world.snapshot()
    table = longest(world)
    table["msg_new"] = {**copy.deepcopy(list(table.values())[-1]), "id": "msg_new"}
    after = world.snapshot()
    assert world("show", world.db, "msg_new").ok()["body"]["id"] == "msg_new"
    assert after["counts"]["message"] == sum(map(len, world.source.estate.messages.values()))
    equals_its_source(world)


@pytest.mark.parametrize("place", [-1, -2, -60])
def test_a_changed_message_near_the_end_is_read(world: World, place: int) -> None:
    world.snapshot()
    table = longest(world)
    id_ = list(table)[place]
    table[id_] = {**table[id_], "metadata": {"seen": "yes"}}
    world.snapshot()
    equals_its_source(world)


def test_a_deleted_message_near_the_end_is_noticed(world: World) -> None:
    world.snapshot()
    table = longest(world)
    del table[list(table)[-3]]
    world.snapshot()
    equals_its_source(world)


class TestRunsWithoutMessages:
    """A run ends, fails or continues without a new message in its thread."""

    @pytest.fixture
    def thread(self, world: World) -> str:
        """A thread with two runs, of which the older one has not ended, and their steps."""
        estate = world.source.estate
        thread = max(estate.messages, key=lambda id_: len(estate.messages[id_]))
        run, step = _any(estate.runs), _any(estate.run_steps)
        for number, status in enumerate(("in_progress", "completed")):
            id_ = f"run_{number}"
            made = {"id": id_, "thread_id": thread, "status": status, "created_at": 1_900_000_000 + number}
            estate.runs[thread][id_] = {**run, **made}
            held = {"id": f"step_{number}", "run_id": id_, "thread_id": thread, "created_at": 1_900_000_000}
            estate.run_steps[id_][f"step_{number}"] = {**step, **held}
        world.snapshot()
        return thread

    @pytest.mark.exhaustive(2)
    @pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "expired", "incomplete"])
    def test_a_run_that_ended_is_read(self, world: World, thread: str, status: str) -> None:
        world.source.estate.runs[thread]["run_0"]["status"] = status
        assert world.snapshot()["state"] == "complete"
        assert world("show", world.db, "run_0").ok()["body"]["status"] == status

    def test_a_new_run_is_read_with_its_steps(self, world: World, thread: str) -> None:
        estate = world.source.estate
        run, step = estate.runs[thread]["run_1"], estate.run_steps["run_1"]["step_1"]
        estate.runs[thread]["run_2"] = {**run, "id": "run_2", "created_at": run["created_at"] + 1}
        estate.run_steps["run_2"]["step_2"] = {**step, "id": "step_2", "run_id": "run_2"}
        world.snapshot()
        assert world("show", world.db, "run_2").ok()["body"]["id"] == "run_2"
        assert world("show", world.db, "step_2").ok()["body"]["run_id"] == "run_2"

    def test_a_new_step_of_a_run_that_goes_on_is_read(self, world: World, thread: str) -> None:
        steps = world.source.estate.run_steps["run_0"]
        steps["step_new"] = {**steps["step_0"], "id": "step_new"}
        world.snapshot()
        assert world("show", world.db, "step_new").ok()["body"]["run_id"] == "run_0"

    def test_a_run_that_is_gone_is_gone(self, world: World, thread: str) -> None:
        before = world.snapshot()["counts"]["run"]
        del world.source.estate.runs[thread]["run_1"]
        assert world.snapshot()["counts"]["run"] == before - 1

    def test_a_run_behind_the_newest_page_that_had_not_ended_is_read_again(
        self, world: World, thread: str
    ) -> None:
        runs = world.source.estate.runs[thread]
        for number in range(2, 120):
            runs[f"run_{number}"] = {
                **runs["run_1"],
                "id": f"run_{number}",
                "created_at": 1_900_000_000 + number,
            }
        world.snapshot()
        runs["run_0"]["status"] = "expired"
        world.snapshot()
        assert world("show", world.db, "run_0").ok()["body"]["status"] == "expired"
        before = len(below_threads(world))
        world.snapshot()
        asked = [path for path in below_threads(world)[before:] if f"{thread}/runs" in path]
        assert len(asked) == 1, "all have ended now: one look at the newest page"

    def test_an_assistant_that_only_a_new_run_uses_is_not_unused(self, world: World, thread: str) -> None:
        estate = world.source.estate
        like = next(iter(estate.assistants.values()))
        estate.assistants["asst_late"] = {**like, "id": "asst_late", "name": "late"}
        world.snapshot()
        assert "asst_late" in self.unused(world)
        run = estate.runs[thread]["run_1"]
        new = {"id": "run_9", "assistant_id": "asst_late", "created_at": run["created_at"] + 9}
        estate.runs[thread]["run_9"] = {**run, **new}
        world.snapshot()
        assert "asst_late" not in self.unused(world)

    def unused(self, world: World) -> set[str]:
        return {row["id"] for row in world("ls", world.db, "--unused", "--kind", "assistant").ok()["objects"]}

    def test_a_run_whose_time_is_over_makes_no_steps(self, world: World, thread: str) -> None:
        world.source.estate.runs[thread]["run_0"]["expires_at"] = 1_900_000_000
        world.snapshot()
        before = len(below_threads(world))
        world.snapshot()
        steps = [path for path in below_threads(world)[before:] if path.endswith("/steps")]
        assert len(steps) == len(world.source.estate.runs[thread]), "its time is in the future"
        world.source.estate.runs[thread]["run_0"]["expires_at"] = 1_700_000_000
        world.snapshot()
        before = len(below_threads(world))
        world.snapshot()
        assert not [path for path in below_threads(world)[before:] if path.endswith("/steps")]


def _any(tables: dict[str, Any]) -> dict[str, Any]:
    return next(row for table in tables.values() for row in table.values())


def test_a_partial_reading_is_not_taken_for_known(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "retry_wait_s", lambda attempt, headers: 0.0)
    once = FixedAnswer(is_second_page("/messages"), last=retry.MAX_ATTEMPTS, status=500, body={"error": {}})
    source = options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True)
    world = launch(source, wrap_source=once)
    assert world.snapshot(code=3)["state"] == "partial"
    assert world.snapshot()["state"] == "complete"
    equals_its_source(world)


def test_other_filters_share_nothing(world: World) -> None:
    world.snapshot("--exclude", "message:*")
    assert world.snapshot()["counts"]["message"] > 0
    equals_its_source(world)
