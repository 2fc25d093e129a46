"""`--prune` deletes what we created from this source and the source no longer has, and nothing else."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer
from tests.e2e.running import World, options


def moved(launch: Launch) -> World:
    world = launch()
    world.snapshot()
    world.planned()
    assert world.apply().code == 0
    return world


def pruned(world: World, code: int = 0) -> object:
    return world.planned("--prune", "--max-delete", "100%", code=code)


def test_what_the_source_lost_is_deleted(launch: Launch) -> None:
    world = moved(launch)
    gone = next(iter(world.source.estate.assistants))
    new = next(r["target_id"] for r in world("ids", world.db, gone).ok())
    del world.source.estate.assistants[gone]
    world.snapshot()
    pruned(world)
    assert world.apply().ok()["deleted"] == 1
    assert new not in world.target.estate.assistants


@pytest.mark.parametrize(
    "filters",
    [("--threads", "none"), ("--exclude", "assistant:Lab*"), ("--include", "vector_store:nothing")],
    ids=["no threads", "excluded", "included"],
)
def test_what_was_not_read_is_not_deleted(launch: Launch, filters: tuple[str, ...]) -> None:
    world = moved(launch)
    before = world.target.estate.counts()
    world.snapshot(
        *filters, code=int("vector_store:nothing" in filters)
    )  # a filter without matches is reported
    # Without a number, the newest snapshot that was not filtered would be planned.
    plan = ("plan", f"{world.db}@2", "target", "-o", world.plan, "--accept-loss", "all")
    world(*plan, "--prune", "--max-delete", "100%").error(4)
    assert world.target.estate.counts() == before


def test_threads_that_were_only_given_by_id_are_not_deleted(launch: Launch) -> None:
    source = options("SOURCE_KEY", "openai-v2", "openai", list_threads="missing", downloads=True)
    target = options("TARGET_KEY", service="openai", list_threads="works", downloads=True)
    world = launch(source, target)
    ids = list(world.source.estate.threads)
    world("snapshot", "source", "-o", world.db, "--threads", "-", stdin="\n".join(ids)).ok()
    world.planned()
    assert world.apply().code == 0
    world("snapshot", "source", "-o", world.db, "--threads", "-", stdin=ids[0]).ok()
    pruned(world, code=4)


def test_what_another_estate_brought_is_not_deleted(launch: Launch) -> None:
    world = moved(launch)
    other = launch(options("SOURCE_KEY", "openai-v2", "openai", list_threads="works", downloads=True))
    other.snapshot()
    other.config.write_text(other.config.read_text().replace(other.target.url, world.target.url))
    found = pruned(other)
    assert found["actions"]["delete"] == 0  # type: ignore[index]


def test_after_a_refused_deletion_the_plan_can_be_rolled_back_and_made_again(launch: Launch) -> None:
    fault = FixedAnswer(lambda method, path, query: method == "DELETE", last=10**6, status=403, body=b"{}")
    world = launch(wrap_target=fault)
    world.snapshot()
    world.planned()
    world.apply().ok()
    del world.source.estate.assistants[next(iter(world.source.estate.assistants))]
    world.snapshot()
    pruned(world)
    assert world.apply().code == 3
    assert fault.spoiled
    assert world("rollback", world.plan, "--yes").code == 3
    assert pruned(world)["actions"]["delete"] == 1  # type: ignore[index]
