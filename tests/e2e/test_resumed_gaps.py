"""What an interrupted snapshot could not read is read, or listed, when it continues."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer
from tests.e2e.running import World, options

REFUSED = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}


def interrupt(world: World) -> None:
    """Reset the snapshot as if the program had been killed before it closed it."""
    with closing(sqlite3.connect(world.db)) as conn, conn:
        conn.execute("UPDATE snapshots SET state = 'reading', finished_at = NULL, digest = NULL")


def test_an_unknown_id_is_named_again(launch: Launch) -> None:
    world = launch()
    first = world("snapshot", "source", "-o", world.db, "--threads", "-", stdin="thread_nowhere\n")
    interrupt(world)
    again = world("snapshot", "source", "-o", world.db, "--threads", "-", stdin="thread_nowhere\n")
    assert (first.code, again.code) == (3, 3)
    assert [gap["id"] for gap in again.json["missing"]] == ["thread_nowhere"]


@pytest.mark.parametrize("ending", ["/threads", "/steps"])
def test_a_listing_that_failed_is_read_when_it_answers(launch: Launch, ending: str) -> None:
    fault = FixedAnswer(
        lambda method, path, query: path.endswith(ending) and "limit=100" in query, status=403, body=REFUSED
    )
    source = options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True)
    world = launch(source, options("TARGET_KEY"), wrap_source=fault)
    world.snapshot(code=3)
    interrupt(world)
    again = world.snapshot()
    assert fault.spoiled
    assert again["state"] == "complete"
    assert again["counts"]["thread"] == len(world.source.estate.threads)
    assert again["counts"]["run_step"] == sum(map(len, world.source.estate.run_steps.values()))


def test_ids_that_are_given_later_are_read_too(launch: Launch) -> None:
    source = options("SOURCE_KEY", "openai-v2", "openai", list_threads="missing", downloads=True)
    world = launch(source)
    ids = list(world.source.estate.threads)
    world("snapshot", "source", "-o", world.db, "--threads", "-", stdin=ids[0]).ok()
    interrupt(world)
    again = world(
        "snapshot", "source", "-o", world.db, "--threads", "-", "--tag", "all", stdin="\n".join(ids)
    )
    assert again.ok()["counts"]["thread"] == len(ids)
    assert world("ls", f"{world.db}@all").ok()
    assert world("check", world.db).ok()["ok"] is True


def test_what_is_added_to_a_resumed_snapshot_leaves_earlier_ones_alone(launch: Launch) -> None:
    source = options("SOURCE_KEY", "openai-v2", "openai", list_threads="missing", downloads=True)
    world = launch(source)
    ids = list(world.source.estate.threads)
    for _ in range(2):
        world("snapshot", "source", "-o", world.db, "--threads", "-", stdin=ids[0]).ok()
    with closing(sqlite3.connect(world.db)) as conn, conn:
        conn.execute("UPDATE snapshots SET state = 'reading', finished_at = NULL, digest = NULL WHERE id = 2")
    world("snapshot", "source", "-o", world.db, "--threads", "-", stdin="\n".join(ids)).ok()
    one, two = world("snapshots", world.db).ok()
    assert (one["counts"]["thread"], two["counts"]["thread"]) == (1, len(ids))
    assert world("check", world.db).ok()["ok"] is True
