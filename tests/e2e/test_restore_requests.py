"""Which threads a restore asks for: none are listed where none is selected, and those that name a restored
object are requested by their ids, so that nothing of them is missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.projects import thread
from tests.e2e.rounds import TYPES, furnish, service
from tests.e2e.running import World, world
from tests.e2e.service_view import ServiceView
from tests.e2e.test_restore import held
from tests.e2e.test_restore_again import forget
from tests.e2e.test_restore_command import PREVIOUS_TYPES, archived, restored

Json = dict[str, Any]
# The steps of a restore that may each list the threads once: plan, apply, verify.
STEPS = 3


def listed(made: World, asked: int) -> int:
    """How often the threads were listed from request number `asked` on. Whether a service lists them is asked
    with a limit of 1, and a further page has a cursor."""
    lists = (r for r in made.target.requests[asked:] if r.method == "GET" and is_list(r.path))
    return sum(1 for r in lists if r.query["limit"] != "1" and "after" not in r.query)


def is_list(path: str) -> bool:
    return path.endswith(("/threads", "/conversations"))


def stores_of(made: World, id_: str) -> list[str]:
    """The vector stores that a thread of the older generation searches."""
    resources = made.target.estate.threads[id_]["tool_resources"]
    found: list[str] = resources["file_search"]["vector_store_ids"]
    return found


def use_store(made: World, id_: str, store: str) -> None:
    row = made.target.estate.threads[id_]
    row["tool_resources"] = {"file_search": {"vector_store_ids": [store]}}


@pytest.mark.parametrize("type_", TYPES)
def test_no_thread_is_listed_where_none_is_selected(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        reader, store = view.agent_with_store()
        forget(made, "vector_stores", store)
        if not view.is_new:
            forget(made, "assistants", reader)
        before, asked = held(made), len(made.target.requests)
        result = restored(made, "--id", reader)
        (new,) = (row["target_id"] for row in result["ids"] if row["kind"] == "vector_store")
        assert result["findings"] == []
        assert new in json.dumps(list(view.agents.values()))
        after = held(made)
        changed = {key[2] for key in before if after[key] != before[key]}
        assert changed == {row["id"] for row in result["relinked"]}
        assert [note for note in result["notes"] if "threads were not listed" in note]
        again = restored(made, "--id", reader)
        assert again["notes"] == []  # nothing comes back, so nothing names a dead id
        assert again["actions"]["create"] == again["actions"]["update"] == 0
        assert made("rollback", made.db, "--apply", "1", "--yes").json["removed"] > 0
        assert listed(made, asked) == 0
        asked = len(made.target.requests)
        restored(made, "--dry-run")
        assert listed(made, asked) == 1  # everything is selected


@pytest.mark.parametrize("type_", TYPES)
def test_threads_are_listed_at_most_once_in_each_step(type_: str, tmp_path: Path) -> None:
    with archived(tmp_path, type_) as made:
        view = ServiceView(made.target, type_)
        gone = list(view.threads)[1]
        view.delete_thread(gone)
        asked = len(made.target.requests)
        result = restored(made, "--id", gone)
        assert [row["source_id"] for row in result["ids"]] == [gone]
        assert result["findings"] == []
        assert 1 <= listed(made, asked) <= STEPS


@pytest.mark.parametrize("type_", PREVIOUS_TYPES)
def test_a_thread_under_its_third_id_is_re_pointed(type_: str, tmp_path: Path) -> None:
    """It came back twice, the second time from a newer snapshot; the store comes back from the first one."""
    with archived(tmp_path, type_) as made:
        old = next(iter(made.target.estate.threads))
        (store,) = stores_of(made, old)
        forget(made, "threads", old)
        (second,) = (row["target_id"] for row in restored(made)["ids"])
        made("snapshot", "source", "-o", made.db).ok()
        forget(made, "threads", second)
        (third,) = (row["target_id"] for row in restored(made)["ids"])
        forget(made, "vector_stores", store)
        asked = len(made.target.requests)
        result = made("restore", f"{made.db}@1", "--id", store, "--accept-loss", "all", "--yes").ok()
        (new,) = (row["target_id"] for row in result["ids"])
        assert result["findings"] == []
        assert [row["id"] for row in result["relinked"]] == [third]
        assert stores_of(made, third) == [new]
        requests = made.target.requests[asked:]
        assert [r for r in requests if r.method == "GET" and r.path.endswith(f"/threads/{third}")]
        assert listed(made, asked) == 0


def test_many_threads_are_re_pointed_without_a_list(tmp_path: Path) -> None:
    """More than are requested at once, and more than a third of what is listed of the target."""
    with archived(tmp_path, "openai") as made:
        store = next(iter(made.target.estate.vector_stores))
        ids = [thread(made.target, number, []) for number in range(100, 140)]
        for id_ in ids:
            use_store(made, id_, store)
        made("snapshot", "source", "-o", made.db).ok()
        forget(made, "vector_stores", store)
        asked = len(made.target.requests)
        result = restored(made, "--id", store, "--workers", "2")
        (new,) = (row["target_id"] for row in result["ids"])
        assert {row["id"] for row in result["relinked"]} >= set(ids)
        assert [stores_of(made, id_) for id_ in ids] == [[new]] * len(ids)
        assert result["findings"] == []
        assert listed(made, asked) == 0


def rename(made: World, id_: str) -> None:
    made.target.estate.threads[id_]["metadata"] = {"changed": "meanwhile"}


def release(made: World, id_: str) -> None:
    made.target.estate.threads[id_]["tool_resources"] = {}


def remove(made: World, id_: str) -> None:
    forget(made, "threads", id_)


@pytest.mark.parametrize("type_", PREVIOUS_TYPES)
@pytest.mark.parametrize("change", [rename, release, remove])
def test_a_thread_that_changed_after_the_question_is_not_written(
    change: Callable[[World, str], None], type_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is to be re-pointed, and was not listed."""
    with archived(tmp_path, type_) as made:
        id_ = next(iter(made.target.estate.threads))
        (store,) = stores_of(made, id_)
        forget(made, "vector_stores", store)
        monkeypatch.setattr("migrate.cli.commands.restore.confirm", lambda question: change(made, id_))
        asked = len(made.target.requests)
        command = ("restore", made.db, "--accept-loss", "all", "--id", store)
        made(*command).error(4, "was deleted" if change is remove else "was changed")
        assert made.writes(asked) == []
        assert listed(made, asked) == 0


@pytest.mark.parametrize("type_", PREVIOUS_TYPES)
def test_messages_of_threads_that_were_not_listed_are_named(type_: str, tmp_path: Path) -> None:
    """Those that name a file which comes back; not those of a thread that is gone."""
    with archived(tmp_path, type_) as made:
        estate = made.target.estate
        talk = next(iter(estate.threads))
        file = next(id_ for id_, row in estate.files.items() if row["filename"] == "sales.csv")
        naming = [id_ for id_, row in estate.messages[talk].items() if file in json.dumps(row)]
        assert naming
        before = held(made)
        forget(made, "files", file)
        asked = len(made.target.requests)
        result = made("restore", made.db, "--accept-loss", "all", "--id", file, "--dry-run").ok()
        rows = [row for row in result["losses"] if row["kind"] == "message" and file in row["reason"]]
        assert [(row["parent"], row["id"]) for row in rows] == [(talk, id_) for id_ in naming]
        assert talk in {row["id"] for row in result["relinked"]}
        forget(made, "threads", talk)
        result = restored(made, "--id", file)
        assert not [row for row in result["losses"] if row["kind"] == "message"]
        assert listed(made, asked) == 0
        assert before.keys() >= {key for key in held(made) if key[0] == "messages"}


ROUTES = (("openai", "azure-openai"), ("azure-openai", "foundry-classic"))


@pytest.mark.parametrize("types", ROUTES, ids=" to ".join)
def test_threads_of_another_place_are_re_pointed_without_a_list(
    types: tuple[str, str], tmp_path: Path
) -> None:
    ends = service("SOURCE_KEY", types[0]), service("TARGET_KEY", types[1])
    with world(tmp_path, *ends, types=types) as made:
        furnish(made.source, types[0])
        made.snapshot()
        talk = next(iter(made.source.estate.threads))
        (store,) = made.source.estate.threads[talk]["tool_resources"]["file_search"]["vector_store_ids"]
        ids = {row["source_id"]: row["target_id"] for row in restored(made, "--to", "target")["ids"]}
        forget(made, "vector_stores", ids[store])
        asked = len(made.target.requests)
        result = restored(made, "--to", "target", "--id", store)
        (new,) = (row["target_id"] for row in result["ids"])
        assert [row["id"] for row in result["relinked"]] == [ids[talk]]
        assert stores_of(made, ids[talk]) == [new]
        assert result["findings"] == []
        assert listed(made, asked) == 0


def test_stamps_of_threads_show_that_files_were_moved_before(tmp_path: Path) -> None:
    """The archive of the move is lost, and only threads have a stamp: a file is recognised by name and size,
    as it is where everything is selected."""
    with world(tmp_path, service("SOURCE_KEY", "openai"), service("TARGET_KEY", "azure-openai")) as made:
        furnish(made.source, "openai")
        made.snapshot()
        restored(made, "--to", "target")
        for table in ("assistants", "vector_stores"):
            for id_ in list(getattr(made.target.estate, table)):
                forget(made, table, id_)
        Path(made.db).unlink()
        made.snapshot()
        file = next(id_ for id_, row in made.source.estate.files.items() if row["filename"] == "sales.csv")
        asked = len(made.target.requests)
        result = restored(made, "--to", "target", "--id", file)
        assert (result["actions"]["create"], result["actions"]["adopt"]) == (0, 1)
        assert made.writes(asked) == []
        assert listed(made, asked) >= 1


def test_a_plan_of_an_assistant_lists_no_threads(tmp_path: Path) -> None:
    """A second one: of the first, nothing shows whether the source was moved there before."""
    with world(tmp_path, service("SOURCE_KEY", "openai"), service("TARGET_KEY", "azure-openai")) as made:
        furnish(made.source, "openai")
        made.snapshot()
        first, second, *_ = made.source.estate.assistants
        made.planned("--id", first)
        made.apply().ok()
        asked = len(made.target.requests)
        assert made.planned("--id", second)["actions"]["create"] > 0
        assert made.apply().ok()["failed"] == []
        assert made("verify", made.plan).ok()["findings"] == []
        assert listed(made, asked) == 0
