"""`restore --to` another place that holds what was made from the snapshot's objects: what is gone there comes
back, and what named it there names it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.faults import Refusal
from tests.e2e.rounds import TYPES, chain, furnish, service
from tests.e2e.running import World, world
from tests.e2e.small_estate import saved_state, state_changes
from tests.e2e.test_restore import TABLES, held

Json = dict[str, Any]
ROUTES = (
    ("openai", "azure-openai"),
    ("azure-openai", "openai"),
    ("foundry-classic", "foundry-classic"),
    ("openai", "foundry"),
    ("foundry", "foundry"),
)


@contextmanager
def moved(folder: Path, types: tuple[str, str]) -> Iterator[World]:
    """An estate with all kinds, a snapshot of it, and a complete restore to another place."""
    ends = service("SOURCE_KEY", types[0]), service("TARGET_KEY", types[1])
    with world(folder, *ends, types=types) as made:
        furnish(made.source, types[0])
        made.snapshot()
        restored(made)
        yield made


def restored(made: World, *options: str, code: int = 0) -> Json:
    found: Json = made("restore", made.db, "--to", "target", "--accept-loss", "all", "--yes", *options).ok(
        code
    )
    return found


def named(made: World, table: str, name: str) -> str:
    """The id of the one object of the target with a name."""
    (found,) = (
        id_
        for id_, row in getattr(made.target.estate, table).items()
        if name in (row.get("name"), row.get("filename"))
    )
    return str(found)


def lose_store(made: World, name: str = "papers") -> str:
    estate, id_ = made.target.estate, named(made, "vector_stores", name)
    del estate.vector_stores[id_], estate.vector_store_files[id_]
    return id_


def lose_file(made: World, name: str = "sales.csv") -> str:
    estate, id_ = made.target.estate, named(made, "files", name)
    del estate.files[id_]
    for rows in estate.vector_store_files.values():
        rows.pop(id_, None)
    return id_


def texts(made: World) -> dict[tuple[str, str], str]:
    """The present content of each object, without its stamp; of an agent, its newest version."""
    found = {}
    for name in TABLES:
        for id_, row in getattr(made.target.estate, name).items():
            metadata = {k: v for k, v in (row.get("metadata") or {}).items() if k != "migrated_from"}
            found[name, id_] = json.dumps({**row, "metadata": metadata, "id": ""})
    return found


@pytest.mark.parametrize("types", ROUTES, ids=" to ".join)
def test_what_named_a_lost_object_names_the_one_that_came_back(
    types: tuple[str, str], tmp_path: Path
) -> None:
    with moved(tmp_path, types) as made:
        gone = {lose_store(made), lose_file(made)}
        naming = {key[1] for key, text in texts(made).items() if any(id_ in text for id_ in gone)}
        assert naming
        before, asked = held(made), len(made.target.requests)
        result = restored(made)
        assert (result["findings"], result["failed"]) == ([], [])
        assert {row["id"] for row in result["relinked"]} == naming
        now = texts(made)
        assert not [key for key, text in now.items() if any(id_ in text for id_ in gone)]
        new = {row["target_id"] for row in result["ids"] if row["kind"] in ("file", "vector_store")}
        assert len(new) == 2
        assert all(any(id_ in now[key] for id_ in new) for key in now if key[1] in naming)
        assert {name for row in result["relinked"] for name in row["names"]} == gone
        after = held(made)
        for key, body in before.items():
            if not naming & {key[1], key[2], key[2].partition(":")[0]}:
                assert after[key] == body, key
        touched = [line for line in made.writes(asked) if any(f"/{key[2]}" in line for key in before)]
        assert not [line for line in touched if not any(id_ in line for id_ in naming | new)]
        asked = len(made.target.requests)
        again = restored(made)
        assert made.writes(asked) == []
        assert (again["actions"]["create"], again["actions"]["update"]) == (0, 0)


def test_no_relink_lists_what_names_a_dead_id(tmp_path: Path) -> None:
    with moved(tmp_path, ("openai", "azure-openai")) as made:
        gone = lose_store(made)
        reader = named(made, "assistants", "reader")
        before = held(made)
        result = restored(made, "--no-relink")
        assert result["relinked"] == []
        left = [row for row in result["losses"] if "--no-relink leaves it" in row["reason"]]
        assert [(row["name"], gone in row["reason"]) for row in left] == [("reader", True)]
        assert held(made)["assistants", "", reader] == before["assistants", "", reader]


def test_what_no_journal_knows_is_reported_and_written_on_request(tmp_path: Path) -> None:
    """The archive of the copies is lost: stamps show the pairs, but nothing maps the old id."""
    with moved(tmp_path, ("openai", "azure-openai")) as made:
        gone = lose_store(made)
        Path(made.db).unlink()
        made.snapshot()
        dry = made("restore", made.db, "--to", "target", "--accept-loss", "all", "--dry-run").ok()
        losses = [row for row in dry["losses"] if "this archive does not know" in row["reason"]]
        assert [(row["name"], row["grade"]) for row in losses] == [("reader", "lost")]
        assert gone in losses[0]["reason"]
        result = restored(made, "--changed")
        assert result["findings"] == []
        assert not [key for key, text in texts(made).items() if gone in text]


@pytest.mark.parametrize("first", TYPES[:3])
def test_what_was_made_over_two_moves_is_the_same_object(first: str, tmp_path: Path) -> None:
    """From `first` to a project, then to its newer generation, into which `first` is restored."""
    with chain(tmp_path, first) as made:
        for source, target in (("first", "old"), ("old", "new")):
            made("sync", source, target, "-o", made.db, "--copy-files", "--accept-loss", "all").ok()
        number = min(row["id"] for row in made("snapshots", made.db).ok() if row["type"] == first)
        again = ("restore", f"{made.db}@{number}", "--to", "new", "--accept-loss", "all", "--yes")
        before = saved_state(made.target.estate)
        result = made(*again).ok()
        assert (result["actions"]["create"], result["actions"]["update"]) == (0, 0)
        assert state_changes(before, saved_state(made.target.estate)) == []
        text = json.dumps(made.target.estate.agents["reader"]["versions"]["latest"])
        (gone,) = (id_ for id_ in made.target.estate.vector_stores if id_ in text)
        del made.target.estate.vector_stores[gone], made.target.estate.vector_store_files[gone]
        result = made(*again).ok()
        assert result["findings"] == []
        assert "reader" in {row["id"] for row in result["relinked"]}
        assert gone not in json.dumps(made.target.estate.agents["reader"]["versions"]["latest"])


def test_nothing_is_created_with_an_id_that_is_gone(tmp_path: Path) -> None:
    """If the store cannot be created again, no agent is created with a reference to the old one."""
    refusal = Refusal(lambda method, path, _: method == "POST" and path.endswith("/vector_stores"), 1, 0)
    ends = service("SOURCE_KEY", "openai"), service("TARGET_KEY", "azure-openai")
    with world(tmp_path, *ends, wrap_target=refusal) as made:
        furnish(made.source, "openai")
        made.snapshot()
        restored(made)
        lose_store(made)
        del made.target.estate.assistants[named(made, "assistants", "reader")]
        asked, refusal.last = len(made.target.requests), refusal.seen + 1
        refusal.first = refusal.last
        result = restored(made, code=3)
        failed = {row["kind"]: row for row in result["failed"]}
        assert set(failed) == {"vector_store", "vector_store_file", "assistant"}
        assert "which could not be created" in failed["assistant"]["reason"]
        assert [line for line in made.writes(asked) if "/assistants" in line] == []
        assert restored(made)["findings"] == []


@pytest.mark.parametrize("types", [("openai", "azure-openai"), ("foundry", "foundry")], ids=" to ".join)
def test_a_copy_gets_its_end_back_and_nothing_within(types: tuple[str, str], tmp_path: Path) -> None:
    with moved(tmp_path, types) as made:
        estate = made.target.estate
        table = estate.items if types[1] == "foundry" else estate.messages
        (long,) = (id_ for id_, rows in table.items() if len(rows) >= 40)
        contents = [row["content"] for row in table[long].values()]
        *_, last = list(table[long])
        del table[long][last]
        result = restored(made)
        assert result["findings"] == []
        assert [row["content"] for row in table[long].values()] == contents
        del table[long][list(table[long])[5]]
        asked = len(made.target.requests)
        result = restored(made)
        assert made.writes(asked) == []
        gone = [row for row in result["losses"] if "gone from within" in row["reason"]]
        assert [(row["kind"], row["grade"]) for row in gone] == [("message", "lost")]


@pytest.mark.parametrize("types", ROUTES, ids=" to ".join)
def test_what_the_first_restore_reported_is_known_to_later_ones(
    types: tuple[str, str], tmp_path: Path
) -> None:
    """Nothing is missing, so they write nothing, and what was lost before decides nothing."""
    ends = service("SOURCE_KEY", types[0]), service("TARGET_KEY", types[1])
    with world(tmp_path, *ends, types=types) as made:
        furnish(made.source, types[0])
        if types[0] == "foundry":  # an item that nobody can write
            items = next(iter(made.source.estate.items.values()))
            thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
            items["item_thought"] = {"id": "item_thought", **thought}
        made.snapshot()
        first = losses_of_objects(restored(made))
        assert first
        assert types[0] != "foundry" or "item_thought" in {row[1] for row in first}
        asked = len(made.target.requests)
        for _ in range(2):
            again = made("restore", made.db, "--to", "target", "--yes").ok()
            assert (again["actions"]["create"], again["actions"]["update"]) == (0, 0)
            assert losses_of_objects(again) == first
            assert all(row["known"] for row in again["losses"])
        text = made.plain("restore", made.db, "--to", "target", "--yes").out
        assert f"{len(again['losses'])} known losses of earlier moves" in text
        assert made.writes(asked) == []


def losses_of_objects(result: Json) -> list[tuple[str, ...]]:
    """Losses of single objects; those of all objects of a kind have the id `*`."""
    rows = [row for row in result["losses"] if row["id"] != "*"]
    return sorted((row["kind"], row["id"], row["field"], row["grade"]) for row in rows)
