"""Objects deleted in the source: pruned where they are ours and unchanged, otherwise always reported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import add, assistant, change, file, latest, say, store, thread
from tests.e2e.running import World
from tests.e2e.small_estate import FULL
from tests.e2e.test_repeated_plan import recount
from tests.e2e.test_sync_again import TYPES, estate, sync

Json = dict[str, Any]
PRUNE = ("--prune", "--max-delete", "100%")


@pytest.fixture(params=TYPES)
def world(request: pytest.FixtureRequest, launch: Launch) -> World:
    """One object of each kind, and a second file in the store."""
    made = estate(launch, request.param)
    more = file(made.source, 2, "more.md", b"more")
    (papers,) = made.source.estate.vector_stores
    rows = made.source.estate.vector_store_files[papers]
    rows[more] = {**next(iter(rows.values())), "id": more}
    return made


def reported_losses(answer: Json, word: str) -> list[Json]:
    return [loss for loss in answer["plan"]["losses"] if word in loss["reason"]]


def rows(world: World) -> list[int]:
    return [len(held) for held in world.target.estate.vector_store_files.values()]


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("whole", [False, True], ids=["taken out", "deleted"])
def test_a_file_removed_from_a_store_is_reported_and_removed_with_prune(world: World, whole: bool) -> None:
    sync(world)
    assert rows(world) == [2]
    here = world.source.estate
    (papers,) = here.vector_stores
    gone = list(here.vector_store_files[papers])[-1]
    del here.vector_store_files[papers][gone]
    recount(world, papers)
    if whole:
        del here.files[gone]
    done = sync(world)
    (line,) = reported_losses(done, "removed from it")
    assert "more.md" in line["reason"]
    assert line["grade"] == "adapted"
    assert rows(world) == [2]
    pruned = sync(world, *PRUNE)
    assert (pruned["apply"]["deleted"], rows(world)) == (1, [1])
    assert not reported_losses(pruned, "removed from it")
    again = sync(world, *PRUNE)
    assert again["plan"]["actions"]["delete"] == 0
    if not whole:
        assert world("diff", world.db, "target", "--journal", world.db).json["differences"] == 0


def test_a_file_that_others_put_into_our_store_is_never_taken_out(world: World) -> None:
    sync(world)
    papers = file(world.target, 7, "theirs.md", b"theirs")
    (there,) = world.target.estate.vector_stores
    held = world.target.estate.vector_store_files[there]
    held[papers] = {**next(iter(held.values())), "id": papers}
    world("sync", "source", "target", "-o", world.db, "--accept-loss", "all", *PRUNE)
    assert papers in held


def test_a_store_whose_files_were_not_read_loses_none(world: World) -> None:
    sync(world)
    (papers,) = world.source.estate.vector_stores
    held = world.source.estate.vector_store_files[papers]
    del held[list(held)[-1]]
    world.snapshot("--exclude", "vector_store_file:*")
    assert world.planned("--prune", "--max-delete", "100%")["actions"]["delete"] == 0


# ------------------------------------------------------------------------------------------- whole objects


@pytest.fixture(params=TYPES)
def unstamped(request: pytest.FixtureRequest, launch: Launch) -> World:
    """Objects of every kind without room for a stamp, and one more assistant that stays in the source."""
    made = estate(launch, request.param)
    add(made.source, assistant(2, "clerk at the desk", metadata=FULL), assistant(3, "stays"))
    store(made.source, 2, "shelf", [], metadata=FULL)
    thread(made.source, 2, ["hello"], metadata=FULL)
    return made


def vanish(world: World) -> None:
    here = world.source.estate
    del here.assistants[assistant(2, "")["id"]]
    del here.vector_stores[list(here.vector_stores)[1]]
    del here.threads[list(here.threads)[1]]


def counts(world: World) -> dict[str, int]:
    there = dict(world.target.estate.counts())
    names = ("assistant", "thread", "vector_store")
    if world.types[1] == "foundry":
        names = ("agent", "conversation", "vector_store")
    return {name: there[name] for name in names}


def test_what_had_no_room_for_a_stamp_is_pruned_as_we_left_it(unstamped: World) -> None:
    sync(unstamped)
    before = counts(unstamped)
    vanish(unstamped)
    done = sync(unstamped, *PRUNE)
    assert done["apply"]["deleted"] == 3
    assert counts(unstamped) == {name: number - 1 for name, number in before.items()}
    assert sync(unstamped, *PRUNE)["plan"]["actions"]["delete"] == 0


def test_what_others_changed_is_reported_and_stays(unstamped: World) -> None:
    sync(unstamped)
    vanish(unstamped)
    there, before = unstamped.target.estate, counts(unstamped)
    if unstamped.types[1] == "foundry":
        latest(unstamped.target, "clerk-at-the-desk")["definition"]["instructions"] = "Mine."
        talk = next(id_ for id_, row in there.conversations.items() if row["metadata"] == FULL)
        held = there.items[talk]
        held["msg_theirs"] = {**next(iter(held.values())), "id": "msg_theirs"}
    else:
        clerk = next(row["id"] for row in there.assistants.values() if row["name"] == "clerk at the desk")
        change(unstamped.target, clerk, instructions="Mine.")
        talk = next(id_ for id_, row in there.threads.items() if row["metadata"] == FULL)
        say(unstamped.target, talk, "and one more thing")
    shelf = next(row for row in there.vector_stores.values() if row["name"] == "shelf")
    shelf["name"] = "mine now"
    done = sync(unstamped, *PRUNE)
    assert done["apply"]["deleted"] == 0
    assert counts(unstamped) == before
    lines = reported_losses(done, "gone on the source")
    assert sorted(line["kind"] for line in lines) == ["assistant", "thread", "vector_store"]
