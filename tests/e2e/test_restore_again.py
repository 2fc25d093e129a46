"""Restored, lost and restored again: an object stays the same object under any number of ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.faults import Refusal
from tests.e2e.projects import say, thread
from tests.e2e.restore_judge import lose
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world
from tests.e2e.service_view import ServiceView
from tests.e2e.test_restore import held
from tests.e2e.test_restore_command import PREVIOUS_TYPES, archived, restored

Json = dict[str, Any]
INNER = {"vector_stores": "vector_store_files", "threads": "messages", "conversations": "items"}


def forget(made: World, table: str, id_: str) -> None:
    """Delete an object with its members."""
    estate = made.target.estate
    del getattr(estate, table)[id_]
    if table in INNER:
        del getattr(estate, INNER[table])[id_]


def assert_complete(made: World, which: str) -> None:
    """Check that nothing of a snapshot is missing; this writes nothing."""
    asked = len(made.target.requests)
    found = made("restore", f"{made.db}{which}", "--accept-loss", "all", "--yes").ok()
    assert (found["actions"]["create"], found["actions"]["update"]) == (0, 0), which
    assert not [row for row in found["losses"] if "gone from within" in row["reason"]]
    assert made.writes(asked) == []


@pytest.mark.parametrize("type_", TYPES)
def test_a_second_loss_is_restored_from_either_snapshot(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        old = lose(made, type_)
        first = {row["source_id"]: row["target_id"] for row in restored(made)["ids"]}
        made("snapshot", "source", "-o", made.db)
        for table in ("threads", "conversations", "vector_stores"):
            if table in old:
                forget(made, table, first[old[table]])
        second = {row["source_id"]: row["target_id"] for row in restored(made)["ids"]}
        assert set(second) == {first[old[table]] for table in INNER if table in old}
        assert_complete(made, "@1")
        assert_complete(made, "@2")
        texts = [json.dumps(row) for row in (*estate.assistants.values(), *estate.threads.values())]
        texts += [json.dumps(row["versions"]["latest"]) for row in estate.agents.values()]
        dead = (old["vector_stores"], first[old["vector_stores"]])
        assert not [text for text in texts if any(f'"{id_}"' in text for id_ in dead)]


@pytest.mark.parametrize("type_", TYPES)
def test_what_names_a_restored_store_that_was_lost_too_is_re_pointed(type_: str, tmp_path: Path) -> None:
    """Both times from the first snapshot: references to the store have the id of the first restore."""
    with archived(tmp_path, type_) as made:
        old = lose(made, type_)
        new = {row["source_id"]: row["target_id"] for row in restored(made)["ids"]}[old["vector_stores"]]
        forget(made, "vector_stores", new)
        result = restored(made)
        assert result["findings"] == []
        (last,) = (row["target_id"] for row in result["ids"])
        assert [row["names"] for row in result["relinked"]] == [[new]] * len(result["relinked"])
        assert result["relinked"]
        estate = made.target.estate
        texts = [json.dumps(row) for row in (*estate.assistants.values(), *estate.threads.values())]
        texts += [json.dumps(row["versions"]["latest"]) for row in estate.agents.values()]
        assert not [text for text in texts if new in text]
        assert [text for text in texts if last in text]
        assert_complete(made, "@1")


@pytest.mark.parametrize("type_", TYPES)
def test_what_came_to_name_a_store_since_is_re_pointed_or_named(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        store = next(iter(made.target.estate.vector_stores))
        changed = next(id_ for id_ in view.agents if not view.stores(id_))
        view.use_store(changed, store)
        later = view.add_agent("later", store)
        before = held(made)
        view.delete_store(store)
        result = restored(made, "--id", store)
        (new,) = (row["target_id"] for row in result["ids"])
        assert view.stores(changed) == [new]
        table = "agents" if view.is_new else "assistants"
        assert held(made)[table, "", later] == before[table, "", later]
        left = [row for row in result["losses"] if "the snapshot does not have it" in row["reason"]]
        assert [(row["id"], store in row["reason"]) for row in left] == [(later, True)]


@pytest.mark.parametrize("type_", PREVIOUS_TYPES)
def test_a_newer_thread_is_named_where_threads_are_listed(type_: str, tmp_path: Path) -> None:
    """It names a store that comes back, and is left as it is. Without a list it is not found, and a note says
    so."""
    with archived(tmp_path, type_) as made:
        store = next(iter(made.target.estate.vector_stores))
        later = thread(made.target, 88, [])
        searched = {"file_search": {"vector_store_ids": [store]}}
        made.target.estate.threads[later]["tool_resources"] = searched
        forget(made, "vector_stores", store)
        dry = made("restore", made.db, "--id", store, "--accept-loss", "all", "--dry-run")
        assert later not in dry.out
        assert [note for note in dry.json["notes"] if "newer than the snapshot" in note]
        result = restored(made)
        left = [row for row in result["losses"] if "the snapshot does not have it" in row["reason"]]
        assert [(row["kind"], row["id"], store in row["reason"]) for row in left] == [("thread", later, True)]
        assert made.target.estate.threads[later]["tool_resources"] == searched


def test_only_messages_that_stay_are_listed(tmp_path: Path) -> None:
    """A thread that is restored too is written with the new ids, and a deleted one has no references."""
    with archived(tmp_path, "openai") as made:
        estate = made.target.estate
        thread = next(iter(estate.threads))
        file = next(id_ for id_, row in estate.files.items() if row["filename"] == "chart.png")
        forget(made, "files", file)
        forget(made, "threads", thread)
        result = restored(made, "--id", file)
        assert not [row for row in result["losses"] if row["kind"] == "message"]
        (new,) = (row["target_id"] for row in result["ids"])
        forget(made, "files", new)
        asked = len(made.target.requests)
        result = restored(made)
        assert not [r for r in made.target.requests[asked:] if r.path.endswith(f"/threads/{thread}")]
        assert not [r for r in result["losses"] if r["kind"] == "message" and "comes back" in r["reason"]]
        (last,) = (row["target_id"] for row in result["ids"] if row["kind"] == "file")
        (thread,) = (row["target_id"] for row in result["ids"] if row["kind"] == "thread")
        assert last in json.dumps(estate.messages[thread])


def test_a_message_that_comes_back_at_the_end_names_the_new_file(tmp_path: Path) -> None:
    with archived(tmp_path, "openai") as made:
        estate = made.target.estate
        thread = next(iter(estate.threads))
        picture = [{"type": "image_file", "image_file": {"file_id": "", "detail": "auto"}}]
        file = next(id_ for id_, row in estate.files.items() if row["filename"] == "photo.png")
        picture[0]["image_file"]["file_id"] = file
        say(made.target, thread, "", content=picture)
        made.snapshot()
        last = list(estate.messages[thread])[-1]
        del estate.messages[thread][last], estate.files[file]
        result = restored(made)
        assert result["findings"] == []
        (new,) = (row["target_id"] for row in result["ids"])
        named = [r["id"] for r in result["losses"] if r["kind"] == "message" and "comes back" in r["reason"]]
        assert last not in named
        assert len(named) == 1  # an earlier message that shows the same picture
        assert new in json.dumps(list(estate.messages[thread].values())[-1])


@pytest.mark.parametrize("type_", TYPES)
def test_a_second_restore_that_stopped_midway_is_continued(type_: str, tmp_path: Path) -> None:
    """What arrived in the first restored thread, which was deleted, proves nothing about the second one."""
    refusal = Refusal(
        lambda method, path, _: method == "POST" and path.endswith(("/messages", "/items")), 0, -1
    )
    one = service("SOURCE_KEY", type_)
    with world(tmp_path, one, one, types=(type_, type_), wrap_target=refusal) as made:
        furnish(made.source, type_)
        made.snapshot()
        estate = made.target.estate
        table, inner = ("conversations", "items") if type_ == "foundry" else ("threads", "messages")
        old = list(getattr(estate, table))[1]
        count = len(getattr(estate, inner)[old])
        forget(made, table, old)
        (first,) = (row["target_id"] for row in restored(made)["ids"])
        forget(made, table, first)
        refusal.seen, refusal.first, refusal.last = 0, 1 if type_ == "foundry" else 3, 9
        stopped = made("restore", made.db, "--accept-loss", "all", "--yes").ok(3)
        (second,) = (row["target_id"] for row in stopped["ids"])
        assert 0 < len(getattr(estate, inner)[second]) < count
        refusal.last = -1
        result = restored(made)
        assert (result["findings"], result["ids"]) == ([], [])
        assert len(getattr(estate, inner)[second]) == count
        assert_complete(made, "")


@pytest.mark.parametrize("type_", TYPES[2:])
def test_what_names_an_id_of_an_earlier_restore_did_not_change(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        store = next(iter(estate.vector_stores))
        for _ in range(2):
            forget(made, "vector_stores", store)
            result = restored(made)
            assert [row["kind"] for row in result["relinked"]] == ["assistant"]
            assert not [row for row in result["losses"] if "changed since" in row["reason"]]
            (store,) = (row["target_id"] for row in result["ids"] if row["kind"] == "vector_store")


@pytest.mark.parametrize("type_", TYPES)
def test_no_relink_lists_the_stores_that_lack_a_file(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        store, rows = next((id_, rows) for id_, rows in estate.vector_store_files.items() if rows)
        file = next(iter(rows))
        holders = {id_ for id_, rows in estate.vector_store_files.items() if file in rows}
        for id_ in holders:
            del estate.vector_store_files[id_][file]
        forget(made, "files", file)
        result = restored(made, "--id", file, "--no-relink")
        (new,) = (row["target_id"] for row in result["ids"])
        left = [row for row in result["losses"] if "leaves the store without it" in row["reason"]]
        assert {(row["kind"], row["id"]) for row in left} == {("vector_store", id_) for id_ in holders}
        assert all(f"[{file}]" in row["reason"] for row in left)
        assert not [rows for rows in estate.vector_store_files.values() if new in rows]
        restored(made, "--id", file)
        assert {id_ for id_, rows in estate.vector_store_files.items() if new in rows} == holders
        assert store in holders


@pytest.mark.parametrize("type_", PREVIOUS_TYPES)
def test_messages_that_name_a_dead_id_are_known_later(type_: str, tmp_path: Path) -> None:
    """The first restore reported them. A message that is gone since is reported as gone only."""
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        file = next(id_ for id_, row in estate.files.items() if row["filename"] == "sales.csv")
        talk = next(iter(estate.threads))
        naming = [id_ for id_, row in estate.messages[talk].items() if file in json.dumps(row)]
        forget(made, "files", file)

        def named(*options: str) -> list[tuple[str, bool]]:
            command = ("restore", made.db, "--accept-loss", "all", "--yes", *options)
            losses = made(*command).ok()["losses"]
            rows = [row for row in losses if row["kind"] == "message" and file in row["reason"]]
            return [(row["id"], row["known"]) for row in rows]

        assert naming
        assert named("--id", file) == [(id_, False) for id_ in naming]
        assert named("--id", file) == named() == [(id_, True) for id_ in naming]
        del estate.messages[talk][naming[0]]
        assert named() == [(id_, True) for id_ in naming[1:]]
