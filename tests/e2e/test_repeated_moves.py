"""A repeated move finds nothing and writes nothing, and objects created by a move are not moved again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.projects import file, store
from tests.e2e.rounds import ROUTES, TYPES, Route, chain, move, run
from tests.e2e.running import World

Json = dict[str, Any]


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.id)
def test_rounds_two_to_four_find_and_write_nothing(route: Route, tmp_path: Path) -> None:
    assert run(route, tmp_path) == []


@pytest.mark.parametrize("first", TYPES[:2])
def test_moved_to_both_generations_of_one_project(first: str, tmp_path: Path) -> None:
    """Purposes of files change in the move; both generations share what the first move created."""
    with chain(tmp_path, first) as made:
        move(made, "first", "old")
        held = dict(made.target.estate.files)
        plan = move(made, "first", "new")
        assert plan["actions"]["adopt"] > 10
        assert dict(made.target.estate.files) == held, "no file is there twice"


@pytest.mark.parametrize("first", TYPES[:2])
def test_both_generations_without_the_archive_of_the_first_move(first: str, tmp_path: Path) -> None:
    with chain(tmp_path, first) as made:
        move(made, "first", "old")
        Path(made.db).unlink()
        move(made, "first", "new")


def counts(made: World) -> tuple[Json, Json]:
    return dict(made.source.estate.counts()), dict(made.target.estate.counts())


@pytest.mark.slow
@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("first", TYPES)
def test_a_copy_is_not_copied_back_over_any_number_of_moves(first: str, tmp_path: Path) -> None:
    with chain(tmp_path, first) as made:
        move(made, "first", "old")
        assert move(made, "old", "new")["actions"]["adopt"] > 10, "for the id map of this move"
        before = counts(made)
        for source, target in (("new", "old"), ("new", "first"), ("old", "first")) * 2:
            plan = move(made, source, target)
            assert plan["actions"]["create"] == 0, (source, target)
        assert counts(made) == before


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("first", TYPES)
def test_a_second_copy_of_one_origin_is_not_copied_back(first: str, tmp_path: Path) -> None:
    """Both generations of a project have a copy of each file: neither is copied back to the origin."""
    with chain(tmp_path, first) as made:
        move(made, "first", "old")
        move(made, "old", "new", "--copy-files")
        before = counts(made)
        for _ in range(2):
            assert move(made, "new", "first")["actions"]["create"] == 0
        assert counts(made) == before


def test_a_second_copy_that_holds_more_is_made(tmp_path: Path) -> None:
    """What users added to the copy of a store exists nowhere else."""
    with chain(tmp_path, "openai") as made:
        move(made, "first", "old")
        held = set(made.target.estate.vector_stores)
        move(made, "old", "new", "--copy-files")
        stores = made.target.estate.vector_stores
        copy = next(id_ for id_, row in stores.items() if id_ not in held and row["name"] == "papers")
        later = file(made.target, 77, "later.md", b"later")
        made.target.estate.vector_store_files[copy][later] = {
            **next(iter(made.target.estate.vector_store_files[copy].values())), "id": later
        }  # fmt: skip
        move(made, "new", "first")
        source = made.source.estate
        names = {source.files[f]["filename"] for rows in source.vector_store_files.values() for f in rows}
        assert "later.md" in names


def test_a_copy_whose_origin_is_gone_is_an_ordinary_object(tmp_path: Path) -> None:
    """It is moved back: a restored object is no further copy."""
    with chain(tmp_path, "openai") as made:
        move(made, "first", "old")
        del made.source.estate.assistants[next(iter(made.source.estate.assistants))]
        plan = move(made, "old", "first")
        assert plan["actions"]["create"] == 1


def test_what_others_add_to_the_project_is_moved(tmp_path: Path) -> None:
    """A further round leaves out only what the journal lists as created, not later objects."""
    with chain(tmp_path, "openai") as made:
        move(made, "first", "old")
        move(made, "old", "new")
        notes = file(made.target, 77, "later.md", b"later")
        store(made.target, 77, "later", [notes])
        actions = move(made, "old", "new")["actions"]
        assert (actions["create"], actions["adopt"]) == (0, 3)
        assert move(made, "old", "first")["actions"]["create"] == 3
