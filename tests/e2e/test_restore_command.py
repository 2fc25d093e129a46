"""`restore`: what is missing is created, references to it are updated, and nothing else is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from migrate.archive.applies import applied_plan_document
from migrate.archive.database import Archive
from tests.e2e.restore_judge import assert_restored, lose
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world
from tests.e2e.service_view import ServiceView
from tests.e2e.small_estate import saved_state, state_changes
from tests.e2e.test_restore import TABLES, held

Json = dict[str, Any]
PREVIOUS_TYPES = TYPES[:3]


@contextmanager
def archived(folder: Path, type_: str) -> Iterator[World]:
    """An estate with all kinds of one service, and a snapshot of it."""
    one = service("SOURCE_KEY", type_)
    with world(folder, one, one, types=(type_, type_)) as made:
        furnish(made.source, type_)
        made.snapshot()
        yield made


def restored(made: World, *options: str, code: int = 0) -> Json:
    found: Json = made("restore", made.db, "--accept-loss", "all", "--yes", *options).ok(code)
    return found


@pytest.mark.parametrize("type_", TYPES)
def test_one_of_each_kind_comes_back(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        was = held(made)
        lost = lose(made, type_)
        before, asked = held(made), len(made.target.requests)
        assert_restored(made, was, lost, before, asked, restored(made))


@pytest.mark.parametrize("type_", TYPES)
def test_the_second_run_writes_nothing(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        lose(made, type_)
        restored(made)
        asked, now = len(made.target.requests), saved_state(made.target.estate)
        result = restored(made)
        assert made.writes(asked) == []
        assert state_changes(now, saved_state(made.target.estate)) == []
        assert (result["created"], result["updated"], result["ids"]) == (0, 0, [])
        assert result["actions"]["create"] == result["actions"]["update"] == 0
        assert not [row for row in result["losses"] if "changed since" in row["reason"]]


@pytest.mark.parametrize("type_", TYPES)
def test_it_is_taken_back_by_rollback(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        lose(made, type_)
        now = held(made)
        ids = {row["target_id"]: row["kind"] for row in restored(made)["ids"]}
        undone = made("rollback", made.db, "--apply", "1", "--yes")
        # A service may refuse an agent with a deleted store, which the agent had before the restore. Then the
        # new store stays, with its file.
        refused = bool(undone.json["failed"])
        kept = {"vector_store", "file"} if refused else set()
        assert {row["kind"] for row in undone.json["failed"]} == kept | ({"assistant"} if refused else set())
        assert undone.code == (3 if refused else 0)
        new = {key for key in held(made) if key[0] in TABLES} - now.keys()
        assert {ids.get(key[2]) for key in new} == kept
        assert {key for key in now if key[0] in TABLES} <= held(made).keys()


@pytest.mark.parametrize("type_", TYPES)
def test_a_file_alone_goes_back_into_the_stores_that_had_it(type_: str, tmp_path: Path) -> None:
    """Only the file is selected. Each store gets it with its own attributes, and that is compared."""
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        file = next(iter(estate.files))
        stores = [rows for rows in estate.vector_store_files.values() if file in rows]
        for rows in stores:
            del rows[file]
        del estate.files[file]
        result = restored(made, "--id", file)
        assert (result["failed"], result["findings"]) == ([], [])
        (row,) = result["ids"]
        assert len(stores) == 2
        assert all(row["target_id"] in rows for rows in stores)


def test_a_file_that_did_not_stay_in_its_store_is_found(tmp_path: Path) -> None:
    with archived(tmp_path, "azure-openai") as made:
        store, *_ = made.target.estate.vector_stores
        rows = made.target.estate.vector_store_files[store]
        file = next(iter(rows))
        for _ in range(2):
            del rows[file]
            result = restored(made)
        assert result["findings"] == []
        with Archive.open(Path(made.db)) as archive:
            document = applied_plan_document(archive.conn, 2)
        Path(made.plan).write_bytes(document)
        assert made("verify", made.plan).ok()["checked"] == 1
        del rows[file]
        (finding,) = made("verify", made.plan).ok(1)["findings"]
        assert (finding["kind"], finding["reason"]) == ("vector_store_file", "it is not on the target")


@pytest.mark.parametrize("type_", TYPES)
def test_newer_states_stay_unless_they_are_asked_back(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        first, second = list(view.agents)[:2]
        old = view.definition(first)["instructions"]
        view.change(first, "Newer.")
        before, asked = held(made), len(made.target.requests)
        result = restored(made)
        assert made.writes(asked) == []
        assert held(made) == before
        assert [row["id"] for row in result["losses"] if "it stays as it is" in row["reason"]] == [first]
        restored(made, "--changed", "--id", second)
        assert view.definition(first)["instructions"] == "Newer."
        asked = len(made.target.requests)
        result = restored(made, "--changed")
        assert view.definition(first)["instructions"] == old
        assert (result["updated"], result["findings"]) == (1, [])
        (row,) = result["changes"]
        (path,) = (value for value in row["values"] if value["path"] == "instructions")
        assert (path["left"], path["right"]) == ("Newer.", old)
        assert [line for line in made.writes(asked) if first not in line] == []
        after = held(made)
        untouched = [key for key in before if first not in key]
        assert {key: after[key] for key in untouched} == {key: before[key] for key in untouched}
        made("rollback", made.db, "--apply", str(len(made("applies", made.db).ok())), "--yes").ok()
        assert view.definition(first)["instructions"] == "Newer."


@pytest.mark.parametrize("type_", TYPES)
def test_an_object_that_changed_since_is_only_relinked(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        reader, store = view.agent_with_store()
        view.change(reader, "Newer.")
        view.delete_store(store)
        before = held(made)
        dry = made("restore", made.db, "--accept-loss", "all", "--dry-run", "--no-relink").ok()
        assert dry["relinked"] == []
        assert [r["id"] for r in dry["losses"] if "--no-relink leaves it" in r["reason"]] == [reader]
        result = restored(made, "--no-relink")
        assert (result["relinked"], result["updated"], result["findings"]) == ([], 0, [])
        after = held(made)
        assert {key: after[key] for key in before} == before
        result = restored(made)
        (new,) = set(made.target.estate.vector_stores) - {key[2] for key in before}
        assert view.definition(reader)["instructions"] == "Newer."
        assert view.stores(reader) == [new]
        assert {row["id"] for row in result["relinked"]} >= {reader}


@pytest.mark.parametrize("type_", TYPES)
def test_an_older_state_comes_back_with_the_new_id_of_its_store(type_: str, tmp_path: Path) -> None:
    """--changed writes the whole older state of an agent, and the store that it used is a new one."""
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        reader, store = view.agent_with_store()
        old = view.definition(reader)["instructions"]
        view.change(reader, "Newer.")
        view.delete_store(store)
        known = set(made.target.estate.vector_stores)
        result = restored(made, "--changed")
        (new,) = set(made.target.estate.vector_stores) - known
        assert (view.definition(reader)["instructions"], view.stores(reader)) == (old, [new])
        assert (result["findings"], result["failed"]) == ([], [])
        asked = len(made.target.requests)
        assert restored(made, "--changed")["actions"]["update"] == 0
        assert made.writes(asked) == []


@pytest.mark.parametrize("type_", TYPES)
def test_a_message_within_a_living_thread_is_reported_and_not_written(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        messages = view.messages(next(iter(view.threads)))
        *_, gone, _ = list(messages)
        del messages[gone]
        asked = len(made.target.requests)
        for options in ((), ("--changed",)):
            result = restored(made, *options)
            assert made.writes(asked) == []
            assert [r["id"] for r in result["losses"] if "gone from within a thread" in r["reason"]] == [gone]
            assert not [row for row in result["losses"] if "another order" in row["reason"]]


def test_messages_that_name_a_file_that_came_back_are_listed(tmp_path: Path) -> None:
    with archived(tmp_path, "openai") as made:
        estate = made.target.estate
        file = next(id_ for id_, row in estate.files.items() if row["filename"] == "chart.png")
        del estate.files[file]
        result = restored(made, "--id", file)
        named = [row for row in result["losses"] if row["kind"] == "message" and file in row["reason"]]
        assert len(named) == 1
        assert "comes back under another id" in named[0]["reason"]


def test_a_restored_object_is_the_same_object_for_a_standby(tmp_path: Path) -> None:
    """sync to a standby before and after the restore: nothing is created a second time there."""
    source, standby = service("SOURCE_KEY", "openai"), service("TARGET_KEY", "openai")
    with world(tmp_path, source, standby) as made:
        furnish(made.source, "openai")
        sync = ("sync", "source", "target", "-o", made.db, "--accept-loss", "all")
        made(*sync).ok()
        before = saved_state(made.target.estate)
        estate = made.source.estate
        store, reader = next(iter(estate.vector_stores)), next(iter(estate.assistants))
        del estate.vector_stores[store], estate.vector_store_files[store], estate.assistants[reader]
        made("restore", f"{made.db}@1", "--to", "source", "--accept-loss", "all", "--yes").ok()
        made.source.requests.clear()  # a source is written by `restore` alone
        result = made(*sync).ok()
        assert result["plan"]["actions"]["create"] == 0
        assert state_changes(before, saved_state(made.target.estate)) == []
        pruned = made(*sync, "--prune").ok()
        assert pruned["plan"]["actions"]["delete"] == pruned["plan"]["actions"]["create"] == 0
        assert state_changes(before, saved_state(made.target.estate)) == []
        again = made("restore", f"{made.db}@1", "--to", "source", "--accept-loss", "all", "--yes").ok()
        assert again["actions"]["create"] == again["actions"]["update"] == 0


def test_bad_input_writes_nothing(tmp_path: Path) -> None:
    with archived(tmp_path, "openai") as made:
        lose(made, "openai")
        asked = len(made.target.requests)
        made("restore", made.db, "--id", "nobody", "--yes").error(1, "nothing in snapshot 1 matches")
        made("restore", f"{made.db}@7", "--yes").error(2, "has no snapshot '7'", "it has 1")
        made("restore", "source", "--yes").error(2, "is not an archive")
        made("restore", made.db, "--meta", "user", "--yes").error(2, "a key and a pattern")
        assert made.writes(asked) == []
        text = made.plain("restore", made.db, "--dry-run", "--accept-loss", "all").out
        assert "nothing was written" in text
        assert made.writes(asked) == []


def test_a_retired_resource_advises_another_one(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("before", "after")]
    for folder in folders:
        folder.mkdir()
    with archived(folders[0], "azure-openai") as made:
        archive, port = made.db, urlsplit(made.source.url).port
    retired = replace(service("SOURCE_KEY", "azure-openai"), port=port or 0, retired=True)
    with world(folders[1], retired, retired, types=("azure-openai", "azure-openai")) as gone:
        assert gone.source.url == f"http://127.0.0.1:{port}"
        gone("restore", archive, "--accept-loss", "all", "--yes").error(5, "--to ESTATE")
        assert gone.writes() == []


def test_another_place_gets_what_it_lacks(tmp_path: Path) -> None:
    with world(tmp_path, service("SOURCE_KEY", "openai"), service("TARGET_KEY", "azure-openai")) as made:
        furnish(made.source, "openai")
        made.snapshot()
        reader = next(iter(made.source.estate.assistants))
        result = made(
            "restore", made.db, "--to", "target", "--id", reader, "--accept-loss", "all", "--yes"
        ).ok()
        assert result["findings"] == []
        assert [row["name"] for row in made.target.estate.assistants.values()] == ["reader"]
        assert [note for note in result["notes"] if "as in a move" in note]
        asked = len(made.target.requests)
        again = made(
            "restore", made.db, "--to", "target", "--id", reader, "--accept-loss", "all", "--yes"
        ).ok()
        assert again["actions"]["create"] == 0
        assert made.writes(asked) == []


def test_bytes_that_no_service_gives_back_come_from_a_folder(tmp_path: Path) -> None:
    silent = replace(service("SOURCE_KEY", "openai"), downloads=False)
    originals = tmp_path / "originals"
    originals.mkdir()
    with world(tmp_path, silent, silent, types=("openai", "openai")) as made:
        furnish(made.source, "openai")
        made("snapshot", "source", "-o", made.db)
        estate = made.target.estate
        file = next(id_ for id_, row in estate.files.items() if row["filename"] == "sales.csv")
        data = estate.content[file].read()
        (originals / "sales.csv").write_bytes(data)
        del estate.files[file]
        lacking = made("restore", made.db, "--id", file, "--yes")
        assert lacking.code in (1, 3)
        assert lacking.json["actions"]["blocked"] == 1
        result = restored(made, "--id", file, "--originals", str(originals))
        (new,) = [row["target_id"] for row in result["ids"] if row["kind"] == "file"]
        assert estate.content[new].read() == data


def test_threads_of_a_service_that_does_not_list_them_are_recognised_by_the_journal(tmp_path: Path) -> None:
    one = replace(service("SOURCE_KEY", "openai"), list_threads="missing")
    with world(tmp_path, one, one, types=("openai", "openai")) as made:
        furnish(made.source, "openai")
        threads = list(made.target.estate.threads)
        ids = tmp_path / "threads.txt"
        ids.write_text("\n".join(threads), encoding="utf-8")
        made("snapshot", "source", "-o", made.db, "--threads", str(ids)).ok()
        gone = threads[1]
        del made.target.estate.threads[gone], made.target.estate.messages[gone]
        result = restored(made)
        assert [row["source_id"] for row in result["ids"]] == [gone]
        assert [row["kind"] for row in result["losses"] if "would exist twice" in row["reason"]] == ["thread"]
        asked = len(made.target.requests)
        assert restored(made)["actions"]["create"] == 0
        assert made.writes(asked) == []


def test_a_target_that_changed_after_the_question_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archived(tmp_path, "openai") as made:
        lose(made, "openai")
        assistants = made.target.estate.assistants
        first = next(iter(assistants))

        def change(question: str) -> None:
            assistants[first] = {**assistants[first], "instructions": "Changed meanwhile."}

        monkeypatch.setattr("migrate.cli.commands.restore.confirm", change)
        asked = len(made.target.requests)
        made("restore", made.db, "--accept-loss", "all").error(4, "changed")
        assert made.writes(asked) == []


def test_an_archive_of_several_estates_needs_a_number(tmp_path: Path) -> None:
    with world(tmp_path, service("SOURCE_KEY", "openai"), service("TARGET_KEY", "openai")) as made:
        furnish(made.source, "openai")
        made.snapshot()
        made("snapshot", "target", "-o", made.db).ok()
        made("restore", made.db, "--yes").error(2, "has snapshots of 2 estates", "@NUMBER")
        made.source.estate.assistants.clear()
        assert (
            made("restore", made.db, "--to", "source", "--accept-loss", "all", "--dry-run").json["source"][
                "snapshot"
            ]
            == 1
        )


@pytest.mark.parametrize("type_", TYPES)
def test_the_last_message_comes_back_behind_a_citation(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        thread = next(iter(view.threads))  # in the older generation its fourth message cites a file
        contents = view.contents(thread)
        del view.messages(thread)[list(view.messages(thread))[-1]]
        result = restored(made)
        assert result["findings"] == []
        assert view.contents(thread) == contents
        asked = len(made.target.requests)
        assert restored(made)["actions"]["create"] == 0
        assert made.writes(asked) == []


@pytest.mark.parametrize("type_", TYPES)
def test_a_thread_that_came_back_is_left_as_others_leave_it(type_: str, tmp_path: Path) -> None:
    """A message that was deleted within it stays deleted; newer metadata and messages stay."""
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        old = list(view.threads)[1]
        view.delete_thread(old)
        (new,) = [row["target_id"] for row in restored(made)["ids"]]
        messages = view.messages(new)
        gone, marked, *_, last = list(messages)[2:]
        del messages[gone]
        if not view.is_new:
            messages[marked]["metadata"] = {"feedback": "up"}
        messages["msg_later"] = {**messages[last], "id": "msg_later"}
        before, asked = held(made), len(made.target.requests)
        result = restored(made)
        assert made.writes(asked) == []
        assert held(made) == before
        assert [row["kind"] for row in result["losses"] if "gone from within" in row["reason"]] == ["message"]


def test_a_thread_gets_its_last_message_and_its_store_back(tmp_path: Path) -> None:
    with archived(tmp_path, "openai") as made:
        estate = made.target.estate
        thread = next(iter(estate.threads))
        store = estate.threads[thread]["tool_resources"]["file_search"]["vector_store_ids"][0]
        del estate.vector_stores[store], estate.vector_store_files[store]
        del estate.messages[thread][list(estate.messages[thread])[-1]]
        count = len(estate.messages[thread])
        result = restored(made)
        assert result["findings"] == []
        (new,) = [row["target_id"] for row in result["ids"] if row["kind"] == "vector_store"]
        assert estate.threads[thread]["tool_resources"]["file_search"]["vector_store_ids"] == [new]
        assert len(estate.messages[thread]) == count + 1
        asked = len(made.target.requests)
        restored(made)
        assert made.writes(asked) == []


def test_a_store_of_a_thread_that_is_not_listed_is_re_pointed(tmp_path: Path) -> None:
    one = replace(service("SOURCE_KEY", "openai"), list_threads="missing")
    with world(tmp_path, one, one, types=("openai", "openai")) as made:
        furnish(made.source, "openai")
        estate = made.target.estate
        ids = tmp_path / "threads.txt"
        ids.write_text("\n".join(estate.threads), encoding="utf-8")
        made("snapshot", "source", "-o", made.db, "--threads", str(ids)).ok()
        thread = next(iter(estate.threads))
        store = estate.threads[thread]["tool_resources"]["file_search"]["vector_store_ids"][0]
        del estate.vector_stores[store], estate.vector_store_files[store]
        whole = made("restore", made.db, "--accept-loss", "all", "--dry-run").ok()
        assert [note for note in whole["notes"] if "threads were not listed" in note]
        result = restored(made, "--id", store)
        assert result["findings"] == []
        assert [row["id"] for row in result["relinked"]] == [thread]
        assert restored(made)["notes"] == []  # nothing comes back
