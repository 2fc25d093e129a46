"""A restore is rolled back: what cannot be restored keeps what it uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world
from tests.e2e.test_restore import held

ACCEPTED = ("--accept-loss", "all", "--yes")


def lose_store_and_file(made: World) -> None:
    """The store that an assistant uses is gone, and a file that nothing but this store has."""
    estate = made.target.estate
    papers, guide = next(iter(estate.vector_stores)), list(estate.files)[5]
    del estate.vector_stores[papers], estate.vector_store_files[papers], estate.files[guide]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES[:3])
def test_what_an_object_still_uses_is_kept(type_: str, tmp_path: Path) -> None:
    """These services refuse the old id, which is of nothing. The new store stays, whole."""
    one = service("SOURCE_KEY", type_)
    with world(tmp_path, one, one, types=(type_, type_)) as made:
        furnish(made.source, type_)
        made.snapshot()
        lose_store_and_file(made)
        made("restore", made.db, *ACCEPTED).ok()
        restored = held(made)
        result = made("rollback", made.db, "--apply", "1", "--yes").ok(3)
        failed = {row["kind"]: row["reason"] for row in result["failed"]}
        assert "is not as it was before" in failed["assistant"]
        assert failed["vector_store"] == "assistant reader could not be restored and uses it"
        assert "could not be restored and uses it" not in failed["assistant"]
        assert failed["file"].endswith("could not be restored and uses it")
        assert held(made) == restored
        again = made("restore", made.db, *ACCEPTED).ok()
        assert (again["actions"]["create"], again["actions"]["update"]) == (0, 0)
        assert [row for row in again["losses"] if row["grade"] == "lost"] == []


def test_an_agent_gets_its_version_back_and_the_store_goes(tmp_path: Path) -> None:
    one = service("SOURCE_KEY", "foundry")
    with world(tmp_path, one, one, types=("foundry", "foundry")) as made:
        furnish(made.source, "foundry")
        made.snapshot()
        lose_store_and_file(made)
        before = held(made)
        made("restore", made.db, *ACCEPTED).ok()
        assert made("rollback", made.db, "--apply", "1", "--yes").ok()["failed"] == []
        assert held(made) == before


def test_it_is_rolled_back_after_a_merge_too(tmp_path: Path) -> None:
    """A merge gives the snapshots of one of the archives other numbers."""
    one = service("SOURCE_KEY", "foundry")
    with world(tmp_path, one, one, types=("foundry", "foundry")) as made:
        furnish(made.source, "foundry")
        archives = [str(tmp_path / name) for name in ("first.db", "second.db")]
        for path in archives:
            made("snapshot", "source", "-o", path).ok()
            store = next(iter(made.target.estate.vector_stores))
            del made.target.estate.vector_stores[store], made.target.estate.vector_store_files[store]
            before = held(made)
            made("restore", path, *ACCEPTED).ok()
        made("merge", *archives, "-o", made.db).ok()
        assert made("rollback", made.db, "--apply", "2", "--yes").ok()["failed"] == []
        assert held(made) == before
