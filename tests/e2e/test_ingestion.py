"""Ingestion of files into vector stores: apply waits for it and reports what was refused."""

from __future__ import annotations

from tests.e2e.conftest import Launch
from tests.e2e.running import World, options


def to_a_slow_target(launch: Launch) -> World:
    source = options("SOURCE_KEY", "openai-v2", "openai", list_threads="works", downloads=True)
    target = options(
        "TARGET_KEY", service="openai", list_threads="works", downloads=True, ingestion_seconds=0.7
    )
    world = launch(source, target)
    world.snapshot()
    return world


def test_apply_waits_until_every_file_can_be_searched(launch: Launch) -> None:
    world = to_a_slow_target(launch)
    world.planned()
    assert world.apply().code == 0
    entries = list(world.target.estate.vector_store_files.rows())
    assert entries
    assert {entry["status"] for entry in entries} == {"completed"}


def test_apply_does_not_wait_for_ever(launch: Launch) -> None:
    world = to_a_slow_target(launch)
    world.planned()
    answer = world("apply", world.plan, "--yes", "--wait", "0").ok(3)
    assert {failure["kind"] for failure in answer["failed"]} == {"vector_store"}
    assert "ingested" in answer["failed"][0]["reason"]


def test_a_file_that_the_service_refuses_is_named_by_apply_and_verify(launch: Launch) -> None:
    world = to_a_slow_target(launch)
    here = world.source.estate
    id_ = next(iter(next(table for table in here.vector_store_files.values() if table)))
    here.files[id_]["filename"] = "film.mp4"
    world.snapshot()
    world.planned()
    answer = world.apply().ok(3)
    assert {(failure["kind"], failure["id"]) for failure in answer["failed"]} == {("vector_store_file", id_)}
    found = world("verify", world.plan).ok(1)["findings"]
    assert {(row["kind"], row["source_id"]) for row in found} == {("vector_store_file", id_)}
    assert world.apply().code == 3, "a second apply must not call it done"
