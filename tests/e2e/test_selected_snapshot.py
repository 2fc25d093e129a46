"""A snapshot with a selection contains what was selected and what that needs, and is marked as filtered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Emulator
from tests.e2e.faults import Fault, send_answer
from tests.e2e.projects import EPOCH
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world
from tests.e2e.test_selection import needs
from tests.e2e.test_selection_everywhere import by_name

DAY_S = 86_400


def closure(cloud: Emulator, ids: set[str]) -> set[str]:
    """The ids, and those of everything that these objects need."""
    needed, found, waiting = needs(cloud), set(ids), list(ids)
    while waiting:
        more = needed[waiting.pop()] - found
        found |= more
        waiting += more
    return found


def ids_of(cloud: Emulator) -> list[str]:
    """The ids of all objects without a parent."""
    estate = cloud.estate
    tables = (estate.files, estate.vector_stores, estate.assistants, estate.threads, estate.agents,
              estate.conversations)  # fmt: skip
    return [id_ for table in tables for id_ in table]


class BadRequest(Fault):
    """Answers with 400, which is not retried."""

    async def spoil(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        await send_answer(send, 400, {"error": {"message": "Not now.", "type": "invalid_request_error"}})


# Half a day after everything of these estates began.
BETWEEN = datetime.fromtimestamp(EPOCH + DAY_S // 2, timezone.utc).isoformat()


@pytest.fixture(params=TYPES)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An estate with all kinds, for each type of service, without a snapshot."""
    ends = service("SOURCE_KEY", request.param), service("TARGET_KEY", "foundry")
    with world(tmp_path, *ends, types=(request.param, "foundry")) as made:
        furnish(made.source, request.param)
        yield made


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[World]:
    """The same, of one type."""
    with world(tmp_path, service("SOURCE_KEY", "azure-openai"), service("TARGET_KEY", "openai")) as made:
        furnish(made.source, "azure-openai")
        yield made


def kept(made: World, number: int) -> set[str]:
    """The ids of the objects in a snapshot."""
    rows = made("ls", f"{made.db}@{number}").ok()
    return {row["id"] for row in rows}


def requests(made: World, before: int = 0) -> list[str]:
    return [request.path for request in made.source.requests[before:]]


def threads_of(made: World) -> dict[str, Any]:
    return {**made.source.estate.threads, **made.source.estate.conversations}


@pytest.mark.slow
def test_each_object_is_kept_with_what_it_needs(made: World) -> None:
    for number, id_ in enumerate(ids_of(made.source), 1):
        done = made.snapshot("--id", id_)
        assert done["filtered"]
        assert kept(made, number) == closure(made.source, {id_}), id_
        made.snapshot("--id", id_, "--no-dependencies", "-o", str(made.folder / "bare.db"))
        rows = made("ls", f"{made.folder / 'bare.db'}@{number}").ok()
        assert [row["id"] for row in rows] == [id_]
    made("check", made.db).ok()


def test_a_selected_thread_is_whole_and_no_other_is_requested(made: World) -> None:
    thread, *others = threads_of(made)
    made.snapshot("--id", thread)
    paths = requests(made)
    assert not [path for path in paths for other in others if other in path]
    listed = [path for path in paths if path.endswith(("/threads", "/conversations"))]
    assert len(listed) == 1  # the probe, which checks whether the service lists them
    rows = made("ls", made.db, "--kind", "message").ok()
    below = {**made.source.estate.messages, **made.source.estate.items}
    assert {row["parent"] for row in rows} == {thread}
    assert len(rows) == len(below[thread])


def test_metadata_select_threads_by_the_list(azure: World) -> None:
    first, *_ = azure.source.estate.threads
    azure.snapshot("--meta", "who=Ada")
    assert {id_ for id_ in kept(azure, 1) if id_.startswith("thread_")} == {first}
    assert kept(azure, 1) == closure(azure.source, {first})


def test_dates_ask_each_thread_for_its_newest_message(azure: World) -> None:
    estate = azure.source.estate
    for number, (id_, thread) in enumerate(estate.threads.items()):
        thread["created_at"] = EPOCH
        for message in estate.messages[id_].values():
            message["created_at"] = EPOCH + number * DAY_S
    old, newer, empty, newest = estate.threads
    azure.snapshot("--after", BETWEEN)  # of the newest message; an empty thread counts by its own time
    found = {id_ for id_ in kept(azure, 1) if id_ in estate.threads}
    assert found == {newer, newest}
    assert kept(azure, 1) == closure(azure.source, found)
    azure.snapshot("--before", BETWEEN)
    assert {id_ for id_ in kept(azure, 2) if id_ in estate.threads} == {old, empty}


def test_a_conversation_is_selected_by_its_own_time_which_is_reported(tmp_path: Path) -> None:
    ends = service("SOURCE_KEY", "foundry"), service("TARGET_KEY", "foundry")
    with world(tmp_path, *ends, types=("foundry", "foundry")) as made:
        furnish(made.source, "foundry")
        first, second, *_ = made.source.estate.conversations
        for id_, conversation in made.source.estate.conversations.items():
            conversation["created_at"] = EPOCH + (DAY_S if id_ == second else 0)
        done = made.snapshot("--after", BETWEEN)
        assert {id_ for id_ in kept(made, 1) if id_.startswith("conv_")} == {second}
        assert any("items of conversations carry no time" in note for note in done["notes"])
        assert not [path for path in requests(made) if first in path]


def test_it_is_marked_as_filtered_and_is_not_the_latest(azure: World) -> None:
    azure.snapshot()
    azure.snapshot("--id", "reader")
    rows = azure("snapshots", azure.db).ok()
    assert [row["filtered"] for row in rows] == [False, True]
    assert rows[1]["left_out"] == ["what --id reader did not select"]
    assert "complete (filtered)" in azure.plain("snapshots", azure.db).out
    assert len(azure("ls", azure.db).ok()) == len(ids_of(azure.source))
    result = azure("plan", f"{azure.db}@2", "target", "-o", azure.plan, "--prune")
    result.error(4, "--prune needs a snapshot that read every", "only what was selected")


def test_what_it_lacks_is_not_counted_as_gone(azure: World) -> None:
    azure.snapshot()
    azure.snapshot("--id", "reader")
    thread = next(iter(azure.source.estate.threads))
    assert not [row for row in azure("history", azure.db, thread).json if row.get("action") == "deleted"]
    differing = azure("diff", f"{azure.db}@1", f"{azure.db}@2")
    assert not [row for row in differing.json["changes"] if row["action"] in ("delete", "removed")]


def test_what_it_keeps_can_be_moved(azure: World) -> None:
    azure.snapshot("--id", "reader", "--no-dependencies")
    plan = azure.planned()
    assert plan["actions"]["create"] == 1
    azure.apply()
    assert azure("verify", azure.plan).json["findings"] == []


def test_unknown_ids_and_rules_are_reported(azure: World) -> None:
    done = azure.snapshot("--id", "reader", "--id", "thread_gone", "--id", "nobody", code=3)
    assert sorted(done["unknown_ids"]) == ["nobody", "thread_gone"]
    assert done["state"] == "complete"
    done = azure.snapshot("--id", "reader", "--include", "assistant:nobody*", code=1)
    assert done["unmatched"] == ["assistant:nobody*"]


def test_bad_selections_make_no_archive(azure: World) -> None:
    snapshot = ("snapshot", "source", "-o", azure.db)
    azure(*snapshot, "--id", "nobody").error(1, "nothing in", "matches --id nobody")
    azure(*snapshot, "--meta", "who=nobody").error(1, "matches --meta who=nobody")
    azure(*snapshot, "--id", "clerk").error(2, "'clerk' matches 2 objects")
    azure(*snapshot, "--ids", "-", stdin="\n").error(1, "there is no id in it")
    azure(*snapshot, "--shard", "1/2", "--tag", "t", "--id", "reader").error(2, "--shard cannot be combined")
    assert not Path(azure.db).exists()


def test_rules_about_other_kinds_narrow_what_belongs_to_the_selected(azure: World) -> None:
    thread = next(iter(azure.source.estate.threads))
    azure.snapshot("--id", thread, "--exclude", "run:*", "--exclude", "file:chart*")
    assert "run" not in azure("snapshots", azure.db).json[0]["counts"]
    names = {azure.source.estate.files[id_]["filename"] for id_ in kept(azure, 1) if id_.startswith("ass")}
    everything = closure(azure.source, {thread})
    needed = {
        azure.source.estate.files[id_]["filename"] for id_ in everything if id_ in azure.source.estate.files
    }
    assert names == needed - {"chart.png"}


def killed(made: World, selection: tuple[str, ...], left: int) -> None:
    """Kill a snapshot when all but some of its requests were sent."""
    before = len(made.source.requests)
    made.snapshot(*selection, "-o", str(made.folder / "count.db"), "--workers", "1")
    number = len(made.source.requests) - before
    before = len(made.source.requests)
    process = made.popen("snapshot", "source", "-o", made.db, "--workers", "1", *selection)
    deadline = time.monotonic() + 30
    while len(made.source.requests) < before + number - left:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("left", [2, 6])
def test_an_interrupted_one_is_continued_with_the_same_selection_alone(tmp_path: Path, left: int) -> None:
    source = replace(service("SOURCE_KEY", "azure-openai"), latency=0.03)
    with world(tmp_path, source) as made:
        furnish(made.source, "azure-openai")
        thread = next(iter(made.source.estate.threads))
        selection = ("--id", thread, "--id", "reader")
        killed(made, selection, left)
        (row,) = made("snapshots", made.db).ok()
        assert row["interrupted"]
        made.snapshot("--id", thread)
        assert len(made("snapshots", made.db).ok()) == 2
        assert kept(made, 2) == closure(made.source, {thread})
        Path(made.db).unlink()
        killed(made, selection, left)
        done = made.snapshot(*selection)
        assert done["snapshot"] == 1
        assert kept(made, 1) == closure(made.source, {thread, by_name(made, "reader")})


@pytest.mark.parametrize("number", [2, 3], ids=["while it looks", "while it reads"])
def test_a_list_that_fails_once_makes_it_partial(tmp_path: Path, number: int) -> None:
    lists = BadRequest(lambda _method, path, _query: path.endswith("/vector_stores"), number, number)
    with world(tmp_path, service("SOURCE_KEY", "azure-openai"), wrap_source=lists) as made:
        furnish(made.source, "azure-openai")
        done = made.snapshot("--id", "reader", "--id", "papers", code=3)
        assert lists.spoiled
        assert done["state"] == "partial"
        assert [row["kind"] for row in done["missing"] if row["id"] == "*"] == ["vector_store"]


def test_a_thread_whose_date_is_unknown_is_a_gap(tmp_path: Path) -> None:
    spoiled = BadRequest(lambda _method, path, query: path.endswith("/messages") and "order=desc" in query)
    with world(tmp_path, service("SOURCE_KEY", "azure-openai"), wrap_source=spoiled) as made:
        furnish(made.source, "azure-openai")
        done = made.snapshot("--before", "2100-01-01", "--workers", "1", code=3)
        assert spoiled.spoiled
        (gap,) = done["missing"]
        assert gap["kind"] == "thread"
        assert "its newest message" in gap["reason"]
        assert done["counts"]["thread"] == len(made.source.estate.threads) - 1
