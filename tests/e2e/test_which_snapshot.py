"""Which snapshot of an archive is used by default, and which other one has an id that this one lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rounds import chain
from tests.e2e.running import World

Json = dict[str, Any]


def take(made: World, *estates: str) -> None:
    for name in estates:
        made("snapshot", name, "-o", made.db).ok()


def planned(made: World, source: str, target: str, *more: str) -> Any:
    plan = str(made.folder / "plan.json")
    return made("plan", source, target, "-o", plan, "--accept-loss", "all", *more)


@pytest.mark.parametrize(
    ("taken", "target", "number"),
    [
        (("first", "new"), "new", 1),
        (("first", "new", "new"), "new", 1),
        (("first", "first", "new"), "new", 2),
        (("new", "first"), "new", 2),
        (("new", "first"), "first", 1),
        (("old", "new"), "new", 1),
    ],
)
def test_without_a_number_the_newest_of_the_other_estate(
    taken: tuple[str, ...], target: str, number: int, tmp_path: Path
) -> None:
    with chain(tmp_path, "openai") as made:
        take(made, "first")
        made("plan", made.db, "old", "-o", made.plan, "--accept-loss", "all").ok()
        made.apply().ok()
        Path(made.db).unlink()
        take(made, *taken)
        plan = planned(made, made.db, target).ok()
        assert plan["source"]["snapshot"] == number


def test_of_several_other_estates_one_must_be_named(tmp_path: Path) -> None:
    with chain(tmp_path, "openai") as made:
        take(made, "first")
        made("plan", made.db, "old", "-o", made.plan, "--accept-loss", "all").ok()
        made.apply().ok()
        take(made, "old", "new")
        said = planned(made, made.db, "new")
        said.error(2, "1 of openai", "2 of foundry-classic", "@NUMBER")
        assert planned(made, f"{made.db}@1", "new").ok()["source"]["snapshot"] == 1


def test_an_archive_of_the_target_itself_is_refused_unless_a_snapshot_is_given(tmp_path: Path) -> None:
    with chain(tmp_path, "openai") as made:
        take(made, "first")
        made("snapshot", "first", "-o", made.db, "--tag", "whole").ok()
        planned(made, made.db, "first").error(4, "itself", "@2")
        for which in ("1", "2", "whole", "latest"):
            actions = planned(made, f"{made.db}@{which}", "first").ok()["actions"]
            assert (actions["create"], actions["update"]) == (0, 0)


def test_assess_looks_at_the_other_estate_too(tmp_path: Path) -> None:
    with chain(tmp_path, "openai") as made:
        take(made, "first", "first")
        before = made("assess", made.db, "--to", "new").out
        made("plan", made.db, "old", "-o", made.plan, "--accept-loss", "all").ok()
        made.apply().ok()
        assert made("assess", made.db, "--to", "first").code in (0, 1)
        assert before


def test_a_sync_of_an_estate_with_itself_is_refused(tmp_path: Path) -> None:
    with chain(tmp_path, "openai") as made:
        made("sync", "first", "first", "-o", made.db).error(4, "one estate")
        assert not Path(made.db).exists()


@pytest.mark.parametrize("command", ["show", "transcript", "extract", "ids"])
def test_an_id_in_another_snapshot_is_reported_with_its_number(command: str, tmp_path: Path) -> None:
    with chain(tmp_path, "openai") as made:
        take(made, "first")
        estate = made.source.estate
        table = {"transcript": estate.threads, "extract": estate.files}.get(command, estate.assistants)
        gone = next(iter(table))
        del table[gone]
        take(made, "first")
        more = ("--dir", str(tmp_path / "out")) if command == "extract" else ()
        said = made(command, made.db, gone, *more)
        assert said.code in (1, 2, 3)
        assert "snapshot 1 has" in said.out + said.err
        assert "snapshot 1 has" not in made(command, made.db, "nobody", *more).err
