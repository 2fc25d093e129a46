"""What a restore says about restored objects is true: which ids their messages name, and what they lack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rounds import TYPES
from tests.e2e.running import World
from tests.e2e.service_view import ServiceView
from tests.e2e.test_restore import TABLES
from tests.e2e.test_restore_again import forget
from tests.e2e.test_restore_command import archived, restored

Json = dict[str, Any]
NAMES_A_DEAD_ID = "comes back under another id"


def lose_everything(made: World) -> None:
    for table in TABLES:
        for id_ in list(getattr(made.target.estate, table)):
            forget(made, table, id_)


def told(result: Json, words: str) -> list[tuple[str, str]]:
    return [(row["kind"], row["reason"]) for row in result["losses"] if words in row["reason"]]


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES)
def test_messages_of_a_restored_thread_name_the_ids_of_that_time(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        lose_everything(made)
        ids = {row["source_id"]: row["target_id"] for row in restored(made)["ids"]}
        assert told(restored(made), NAMES_A_DEAD_ID) == []
        made.snapshot()
        assert told(restored(made), NAMES_A_DEAD_ID) == []
        photo = next(id_ for id_, row in made.target.estate.files.items() if row["filename"] == "photo.png")
        assert photo in ids.values()
        forget(made, "files", photo)
        ((kind, reason),) = told(restored(made, "--include", "thread:*"), NAMES_A_DEAD_ID)
        assert (kind, f"names {photo}," in reason) == ("message", True)


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES)
def test_what_came_back_without_something_is_said_again(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        store = next(iter(made.target.estate.vector_stores))
        lose_everything(made)
        restored(made, "--exclude", f"vector_store:{store}")
        rows = [row["name"] for row in restored(made)["losses"] if "it stays as it is" in row["reason"]]
        assert rows == ["reader"]
        assert restored(made, "--changed")["updated"] == 1
        assert told(restored(made), "it stays as it is") == []


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES)
def test_what_the_snapshot_lacks_and_the_place_has_is_referred_to(type_: str, tmp_path: Path) -> None:
    """A snapshot of one assistant, without the store that it uses."""
    with archived(tmp_path, type_) as made:
        agents = ServiceView(made.target, type_).agents
        reader = next(id_ for id_, row in agents.items() if row["name"] == "reader")
        store, wanted = next(iter(made.target.estate.vector_stores)), len(agents)
        made("snapshot", "source", "-o", made.db, "--id", reader, "--no-dependencies").ok()
        forget(made, "agents" if type_ == "foundry" else "assistants", reader)
        result = made("restore", f"{made.db}@2", "--yes").ok()
        assert (result["actions"]["create"], result["findings"]) == (1, [])
        assert len(agents) == wanted
        assert store in json.dumps(list(agents.values())[-1])
        assert made("restore", f"{made.db}@2", "--yes").ok()["actions"]["create"] == 0


def test_nothing_is_missing_only_where_that_is_so(tmp_path: Path) -> None:
    """A message is gone from within a thread: it is not written, and it is missing."""
    again = ("restore", str(tmp_path / "estate.db"), "--accept-loss", "all", "--yes")
    with archived(tmp_path, "azure-openai") as made:
        assert made.plain(*again).code == 0
        assert made.plain(*again).out.endswith("nothing is missing\n")
        messages = max(made.target.estate.messages.values(), key=len)
        del messages[list(messages)[3]]
        said = made.plain(*again)
        assert (said.code, "gone from within" in said.out) == (0, True)
        assert said.out.endswith("nothing was written\n")


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES)
def test_a_store_that_expired_since_is_reported(type_: str, tmp_path: Path) -> None:
    """It is still there, and cannot be searched. Deleted, it comes back."""
    with archived(tmp_path, type_) as made:
        store, *_ = made.target.estate.vector_stores
        made.target.estate.vector_stores[store]["status"] = "expired"
        asked = len(made.target.requests)
        (row,) = [row for row in made("restore", made.db, "--yes").ok(1)["losses"] if row["grade"] == "lost"]
        assert (row["id"], row["field"], made.writes(asked)) == (store, "status", [])
        forget(made, "vector_stores", store)
        assert restored(made)["relinked"] != []
        assert [
            row for row in restored(made)["losses"] if row["field"] == "status" and row["id"] == store
        ] == []


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("type_", TYPES)
def test_what_an_older_snapshot_gave_back_is_not_created_from_a_newer_one(type_: str, tmp_path: Path) -> None:
    """Restored from the first snapshot, then from a second one that has the new id, then from the first."""
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        tables = [("vector_stores", 0), ("conversations" if type_ == "foundry" else "threads", 1)]
        ids = {table: list(getattr(estate, table))[place] for table, place in tables}
        for number in (1, 2, 1):
            for table, id_ in ids.items():
                forget(made, table, id_)
            result = made("restore", f"{made.db}@{number}", "--accept-loss", "all", "--yes").ok()
            ids = dict(zip(ids, (row["target_id"] for row in result["ids"]), strict=True))
            made.snapshot()
        for number in (1, 2):
            asked = len(made.target.requests)
            again = made("restore", f"{made.db}@{number}", "--accept-loss", "all", "--yes").ok()
            assert again["actions"]["create"] == again["actions"]["update"] == 0, number
            assert made.writes(asked) == []
