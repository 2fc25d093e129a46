"""Old and new ids: an application gets the object by either, under the id that it requested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.archive import Archive
from migrate.archive.id_map import Side
from migrate.archive.journal import Journal
from tests.archive.filling import rows
from tests.serve.api.archives import (
    AZURE,
    AZURE_URL,
    Made,
    MadeSnapshot,
    journal_move,
    make_archive,
    messages,
    named,
)
from tests.serve.api.serving import VERSION, ServedApi, serving_api

HERE, THERE = Side(AZURE, AZURE_URL), Side(AZURE, "https://west.openai.azure.com")
MOVED = [
    ("assistant", "", "asst_old", "", "asst_new"),
    ("thread", "", "t_old", "", "t_new"),
    ("message", "t_old", "msg_1", "t_new", "msg_new1"),
    ("file", "", "file_old", "", "file_new"),
    ("vector_store", "", "vs_old", "", "vs_new"),
    ("vector_store_file", "vs_old", "file_old", "vs_new", "file_new"),
]
ESTATE = [
    Made("assistant", "", named("asst_old", object="assistant")),
    Made("thread", "", named("t_old", "t_other")),
    Made("message", "t_old", messages(3, "t_old", run_id=None)),
    Made("run", "t_old", named("run_1", thread_id="t_old")),
    Made("run_step", "t_old", named("step_1", run_id="run_1", thread_id="t_old")),
    Made("file", "", named("file_old", purpose="assistants")),
    Made("vector_store", "", named("vs_old")),
    Made("vector_store_file", "vs_old", named("file_old", vector_store_id="vs_old")),
]
PATHS = {
    "assistants/asst_{}": {"id": "asst_{}", "object": "assistant"},
    "threads/t_{}": {"id": "t_{}"},
    "threads/t_{}/messages/msg_2": {"id": "msg_2", "thread_id": "t_{}", "run_id": None},
    "threads/t_{}/runs/run_1": {"id": "run_1", "thread_id": "t_{}"},
    "threads/t_{}/runs/run_1/steps/step_1": {"id": "step_1", "run_id": "run_1", "thread_id": "t_{}"},
    "files/file_{}": {"id": "file_{}", "purpose": "assistants"},
    "vector_stores/vs_{}": {"id": "vs_{}"},
    "vector_stores/vs_{}/files/file_{}": {"id": "file_{}", "vector_store_id": "vs_{}"},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    path = make_archive(
        tmp_path_factory.mktemp("moved") / "a.db",
        MadeSnapshot(ESTATE, files={"file_old": (b"x", "download")}),
    )
    journal_move(path, HERE, THERE, MOVED)
    with serving_api(path) as served:
        yield served


@pytest.mark.parametrize("age", ["old", "new"])
@pytest.mark.parametrize("path", PATHS)
def test_an_object_has_the_id_that_was_asked_for(api: ServedApi, path: str, age: str) -> None:
    body = api.azure(path.replace("{}", age)).json
    for key, value in PATHS[path].items():
        assert body[key] == (value.replace("{}", age) if value else value)


def test_a_list_below_a_new_id_names_its_owner_by_it(api: ServedApi) -> None:
    for age in ("old", "new"):
        page = api.azure(f"threads/t_{age}/messages", "order=asc").json
        assert [row["id"] for row in page["data"]] == ["msg_0", "msg_1", "msg_2"]
        assert {row["thread_id"] for row in page["data"]} == {f"t_{age}"}
        assert api.azure(f"vector_stores/vs_{age}/files").json["data"][0]["vector_store_id"] == f"vs_{age}"
    assert api.azure("files/file_new/content").body == b"x"


def test_a_new_id_is_a_message_of_its_thread_and_a_cursor(api: ServedApi) -> None:
    for thread in ("t_old", "t_new"):
        assert api.azure(f"threads/{thread}/messages/msg_new1").json["id"] == "msg_new1"
        assert api.azure(f"threads/{thread}/messages", "after=msg_new1&order=asc").ids == ["msg_2"]
    api.refused(f"/openai/threads/t_other/messages/msg_new1?{VERSION}", 424)
    api.refused(f"/openai/threads/nobody?{VERSION}", 404)
    api.refused(f"/openai/threads/asst_new?{VERSION}", 404)


def test_an_old_id_finds_what_became_of_it(tmp_path: Path) -> None:
    """The archive has only the target of the move; and an object that was restored twice in one place."""
    target = [
        Made("thread", "", named("t_new", "t_3")),
        Made("message", "t_new", [{**body, "id": f"{body['id']}_new"} for body in messages(1, "t_new")]),
    ]
    path = make_archive(tmp_path / "a.db", MadeSnapshot(target, url=THERE.url))
    journal_move(path, HERE, THERE, [*MOVED, ("message", "t_old", "msg_0", "t_new", "msg_0_new")])
    journal_move(path, THERE, THERE, [("thread", "", "t_1", "", "t_2")], "r" * 64)
    journal_move(path, THERE, THERE, [("thread", "", "t_2", "", "t_3")], "s" * 64)
    with serving_api(path) as api:
        assert api.azure("threads/t_old").json == {"id": "t_old"}
        assert api.azure("threads/t_old/messages").json["data"][0]["thread_id"] == "t_old"
        assert api.azure("threads/t_old/messages/msg_0").json["id"] == "msg_0"
        assert api.azure("threads/t_1").json == {"id": "t_1"}


def test_what_was_rolled_back_is_no_alias(tmp_path: Path) -> None:
    path = make_archive(tmp_path / "a.db", MadeSnapshot(ESTATE))
    journal_move(path, HERE, THERE, MOVED)
    with Archive.open(path, write=True) as archive:
        journal = Journal(archive, "p" * 64, HERE, THERE)
        (entry,) = journal.record_intent([("undo", "thread", "", "t_old", "")])
        journal.record_done(entry, None)
    with serving_api(path) as api:
        api.refused(f"/openai/threads/t_new?{VERSION}", 404)
        assert api.azure("assistants/asst_new").json["id"] == "asst_new"


def test_a_changed_journal_answers_nothing(tmp_path: Path) -> None:
    path = make_archive(tmp_path / "a.db", MadeSnapshot(ESTATE))
    journal_move(path, HERE, THERE, MOVED)
    with Archive.open(path, write=True) as archive:
        archive.conn.execute("UPDATE journal SET target_id = 't_other' WHERE target_id = 't_new'")
        assert rows(archive, "journal") == len(MOVED)
    with serving_api(path) as api:
        assert api.azure("threads/t_other").json == {"id": "t_other"}
        assert api.azure("threads/t_old").json == {"id": "t_old"}
        api.refused(f"/openai/threads/t_new?{VERSION}", 404)
        with Archive.open(path, write=True) as archive:
            archive.conn.execute("UPDATE journal SET source_id = 't_other' WHERE source_id = 'asst_old'")
        assert "changed" in api.refused(f"/openai/assistants/asst_new?{VERSION}", 424).message
