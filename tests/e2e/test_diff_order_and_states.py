"""Differences without a changed field: the order of messages, and states."""

from __future__ import annotations

from tests.e2e.conftest import Launch
from tests.e2e.running import World, options


def big(launch: Launch) -> World:
    world = launch(options("SOURCE_KEY", "azure-v2", list_threads="works", downloads=True))
    world.snapshot()
    return world


def test_messages_that_changed_places(launch: Launch) -> None:
    world = big(launch)
    thread, messages = next((t, m) for t, m in world.source.estate.messages.items() if len(m) > 3)
    order = list(messages.values())
    for id_ in list(messages):
        del messages[id_]
    for row in (order[1], order[0], *order[2:]):
        messages[row["id"]] = {**row, "created_at": order[0]["created_at"]}
    found = world("diff", world.db, "source").ok(1)
    assert {change["left_id"] for change in found["changes"]} == {order[0]["id"], order[1]["id"]}
    assert {path for change in found["changes"] for path in change["paths"]} == {"[place]"}
    assert thread


def test_a_store_that_expired_and_a_file_that_failed(launch: Launch) -> None:
    world = big(launch)
    estate = world.source.estate
    store = next(id_ for id_, s in estate.vector_stores.items() if s["status"] == "completed")
    estate.vector_stores[store] = {**estate.vector_stores[store], "status": "expired"}
    owner, files = next((s, f) for s, f in estate.vector_store_files.items() if f)
    file = next(id_ for id_, f in files.items() if f["status"] == "completed")
    files[file] = {**files[file], "status": "failed"}
    found = world("diff", world.db, "source").ok(1)
    assert {(c["kind"], *c["paths"]) for c in found["changes"]} == {
        ("vector_store", "status"),
        ("vector_store_file", "status"),
    }
    assert owner
