"""Files that cannot be downloaded: taken from a folder of originals, or as parsed text, or reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import file, moved, project, store
from tests.e2e.running import World

HANDBOOK = b"# Handbook\n\nWater in the evening.\n"


def kept(launch: Launch, **others: object) -> World:
    """A project of the newer generation without downloads: one file is in a store, one is not."""
    made = launch(
        project("SOURCE_KEY", downloads=False, **others), project("TARGET_KEY"), types=("foundry", "foundry")
    )
    searched, loose = (
        file(made.source, 1, "handbook.md", HANDBOOK),
        file(made.source, 2, "table.csv", b"a,b\n"),
    )
    store(made.source, 1, "papers", [searched])
    assert {searched, loose} == set(made.source.estate.files)
    return made


def losses(made: World, code: int = 1) -> dict[tuple[str, str], str]:
    """The losses of the plan about the bytes of each file."""
    plan = made("plan", made.db, "target", "-o", made.plan).ok(code)
    rows = (row for row in plan["losses"] if row["kind"] == "file" and row["id"] != "*")
    return {(row["name"], row["field"]): row["grade"] for row in rows}


def there(made: World) -> dict[str, bytes]:
    estate = made.target.estate
    return {row["filename"]: estate.content[id_].read() for id_, row in estate.files.items()}


def test_parsed_text_takes_the_place_of_a_file_and_is_called_so(launch: Launch) -> None:
    made = kept(launch)
    answer = made.snapshot(code=3)
    reasons = {row["name"]: row["reason"] for row in answer["missing"]}
    assert reasons.keys() == {"handbook.md", "table.csv"}
    assert "parsed text" in reasons["handbook.md"]
    assert "only its parsed text is kept" not in reasons["table.csv"]
    told = losses(made)
    assert told["handbook.md", "bytes"] == "lost"
    assert told["table.csv", "bytes"] == "blocked"
    made.planned()
    assert made.apply().ok(0)["failed"] == []
    assert list(there(made)) == ["handbook.md.parsed.txt"]
    assert b"Water in the evening." in there(made)["handbook.md.parsed.txt"]
    assert made("verify", made.plan).ok()["ok"] is True


def test_parsed_text_is_searched_where_the_file_was(launch: Launch) -> None:
    made = kept(launch)
    made.snapshot(code=3)
    made.planned()
    made.apply().ok()
    ((_, held),) = made.target.estate.vector_store_files.items()
    (entry,) = held.values()
    assert entry["status"] == "completed"
    assert made.target.estate.files[entry["id"]]["filename"] == "handbook.md.parsed.txt"


def test_originals_are_better_than_parsed_text(launch: Launch, tmp_path: Path) -> None:
    made = kept(launch)
    (tmp_path / "handbook.md").write_bytes(HANDBOOK)
    (tmp_path / "table.csv").write_bytes(b"a,b\n")
    answer = made.snapshot("--originals", str(tmp_path))
    assert (answer["state"], answer["missing"]) == ("complete", [])
    assert losses(made, code=0)["handbook.md", "bytes"] == "adapted"
    made.planned()
    made.apply().ok()
    assert there(made) == {"handbook.md": HANDBOOK, "table.csv": b"a,b\n"}


def test_originals_that_come_later_take_the_place_of_parsed_text(launch: Launch, tmp_path: Path) -> None:
    made = kept(launch)
    made.snapshot(code=3)
    (tmp_path / "handbook.md").write_bytes(HANDBOOK)
    answer = made.snapshot("--originals", str(tmp_path), code=3)
    assert [row["name"] for row in answer["missing"]] == ["table.csv"]
    made.planned()
    made.apply().ok()
    assert there(made) == {"handbook.md": HANDBOOK}


def test_what_nobody_has_is_reported_and_the_rest_goes(launch: Launch) -> None:
    made = kept(launch)
    made.snapshot(code=3)
    losses(made)
    answer = made.apply().ok(3)
    assert [row["name"] for row in answer["failed"]] == ["table.csv"]
    assert list(there(made)) == ["handbook.md.parsed.txt"]


def test_a_second_time_nothing_is_uploaded(launch: Launch) -> None:
    made = kept(launch)
    made.snapshot(code=3)
    made.planned()
    made.apply().ok()
    asked = len(made.target.requests)
    made.snapshot(code=3)
    actions = made.planned()["actions"]
    assert (actions["create"], actions["update"]) == (0, 0)
    made.apply().ok()
    assert made.writes(asked) == []


def test_classic_agents_show_no_parsed_text(launch: Launch) -> None:
    made = launch(
        project("SOURCE_KEY", downloads=False), project("TARGET_KEY"), types=("foundry-classic", "foundry")
    )
    store(made.source, 1, "papers", [file(made.source, 1, "handbook.md", HANDBOOK)])
    (row,) = made.snapshot()["missing"]
    assert (row["kind"], row["name"], row["expected"]) == ("file", "handbook.md", True)
    assert losses(made)["handbook.md", "bytes"] == "blocked"
    rows = made.planned()["losses"]
    (of_store,) = [r for r in rows if (r["kind"], r["field"]) == ("vector_store", "files")]
    assert "handbook.md" in of_store["reason"]


@pytest.mark.parametrize("downloads", [True, False])
def test_a_target_that_keeps_bytes_is_verified_as_far_as_it_lets(launch: Launch, downloads: bool) -> None:
    made = launch(
        project("SOURCE_KEY"), project("TARGET_KEY", downloads=downloads), types=("foundry", "foundry")
    )
    file(made.source, 1, "handbook.md", HANDBOOK)
    moved(made)
    answer = made("verify", made.plan).ok()
    assert bool([note for note in answer["notes"] if "bytes" in note]) is not downloads


def test_parsed_text_makes_no_difference_of_a_file(launch: Launch) -> None:
    """Its size and hash are not those of the file, neither for diff nor for an export."""
    made = kept(launch)
    made.snapshot(code=3)
    assert made("diff", made.db, "source").ok(0)["differences"] == 0
    folder = made.folder / "agents"
    made("export", made.db, str(folder)).ok()
    assert f"bytes: {len(HANDBOOK)}" in (folder / "files.yaml").read_text()
    assert "sha256" not in (folder / "files.yaml").read_text()
    assert made("diff", str(folder), "source").ok(0)["differences"] == 0
