"""Saved answers: served exactly and in order, whatever form they were saved in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from migrate.emulator import Estate, save
from migrate.emulator.saved_state import load
from migrate.emulator.uploads import SavedContent

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("ASSISTANTS_MIGRATE_SHARED", ROOT.parent / "shared"))
MESSAGE = {"object": "thread.message", "thread_id": "thread_1", "role": "user", "content": []}


def write(folder: Path, name: str, document: object) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(document), encoding="utf-8")


def messages(*seconds: int, prefix: str = "msg_") -> list[dict[str, object]]:
    return [{**MESSAGE, "id": f"{prefix}{place}", "created_at": at} for place, at in enumerate(seconds)]


def everything(api) -> dict[str, list[object]]:
    """Everything that can be read from an estate, through the SDK."""

    def rows(path: str) -> list[dict]:
        collected, query = [], {"limit": 100, "order": "asc"}
        while True:
            page = api.ok("GET", path, **query)
            collected += page["data"]
            if not page["has_more"]:
                return collected
            query["after"] = page["last_id"]

    read = {kind: rows(f"/{kind}") for kind in ("assistants", "threads", "files", "vector_stores")}
    threads = [row["id"] for row in read["threads"]]
    read["messages"] = [row for each in threads for row in rows(f"/threads/{each}/messages")]
    read["runs"] = [row for each in threads for row in rows(f"/threads/{each}/runs")]
    read["steps"] = [
        row for run in read["runs"] for row in rows(f"/threads/{run['thread_id']}/runs/{run['id']}/steps")
    ]
    read["store_files"] = [
        row for store in read["vector_stores"] for row in rows(f"/vector_stores/{store['id']}/files")
    ]
    return read


@pytest.mark.parametrize("form", ["object", "array", "list", "recording", "recordings"])
def test_every_form_of_saving(tmp_path, launch, form):
    row = {"id": "asst_1", "object": "assistant", "created_at": 1, "file_ids": [], "unknown": {"a": None}}
    listed = {"object": "list", "data": [row]}
    forms = {
        "object": row,
        "array": [row],
        "list": listed,
        "recording": {"request_body": {"id": "not this"}, "response_body": listed},
        "recordings": [{"response_body": row}, {"response_body": {"error": {}}}],
    }
    write(tmp_path, "deep/inside/saved.json", forms[form])
    api = launch(state=tmp_path)
    assert api.ok("GET", "/assistants")["data"] == [row]
    assert api.ok("GET", "/assistants/asst_1") == row


def test_unusable_files_are_reported(tmp_path, launch):
    documents = {
        "agent.json": {"object": "agent", "id": "a"},
        "deleted.json": {"object": "file", "id": "f", "deleted": True},
        "error.json": {"response_body": {"error": {"message": "no"}}},
        "lost.json": {"object": "thread.message", "id": "msg_1"},
        "number.json": 1,
    }
    for name, document in documents.items():
        write(tmp_path, name, document)
    (tmp_path / "broken.json").write_text("{")
    emulator = launch(state=tmp_path).emulator
    assert {skipped.file for skipped in emulator.skipped} == {*documents, "broken.json"}
    assert {row.file: row.reason for row in emulator.skipped}[
        "lost.json"
    ] == "thread.message without thread_id"
    assert not any(emulator.estate.counts().values())


@pytest.mark.parametrize(
    ("seconds", "order"),
    [
        ((1, 1, 2), ["msg_0", "msg_1", "msg_2"]),
        ((2, 1, 1), ["msg_2", "msg_1", "msg_0"]),
        ((1, 1, 1), ["msg_0", "msg_1", "msg_2"]),
        ((2, 3, 1), ["msg_2", "msg_0", "msg_1"]),
    ],
)
def test_a_list_read_newest_first_is_reversed(tmp_path, launch, seconds, order):
    write(tmp_path, "messages.json", {"data": messages(*seconds)})
    listed = launch(state=tmp_path).ok("GET", "/threads/thread_1/messages", order="asc")
    assert [row["id"] for row in listed["data"]] == order


def test_the_later_of_two_copies_is_used(tmp_path):
    row = {"id": "asst_1", "object": "assistant", "created_at": 1}
    write(tmp_path, "1.json", {**row, "name": "old"})
    write(tmp_path, "2.json", {**row, "name": "new"})
    estate = Estate()
    load(tmp_path, estate)
    assert estate.assistants["asst_1"]["name"] == "new"
    assert len(estate.assistants.order) == 1


def test_missing_parents_are_created(tmp_path, launch):
    write(tmp_path, "m.json", messages(5, 6))
    step = {"object": "thread.run.step", "id": "step_1", "run_id": "run_1", "thread_id": "thread_2"}
    write(tmp_path, "s.json", step)
    entry = {"object": "vector_store.file", "id": "f", "vector_store_id": "vs_1", "status": "completed"}
    write(tmp_path, "f.json", entry)
    api = launch(state=tmp_path)
    assert api.ok("GET", "/threads/thread_1")["created_at"] == 5
    assert api.ok("GET", "/threads/thread_2/runs/run_1/steps")["data"] == [step]
    assert api.ok("GET", "/vector_stores/vs_1")["file_counts"]["completed"] == 1


def test_content_beside_the_json(tmp_path, launch):
    for file_id in ("file-1", "file-2"):
        write(tmp_path, f"{file_id}.json", {"object": "file", "id": file_id, "filename": "../../x"})
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "file-1").write_bytes(b"\0bytes")
    (tmp_path / "content" / "stray.json").write_text("{")
    api = launch(state=tmp_path)
    assert api.client.files.content("file-1").read() == b"\0bytes"
    assert api("GET", "/files/file-2/content")[0] == 404
    assert [(row.file, row.reason) for row in api.emulator.skipped] == [
        ("content/stray.json", "no file has this id")
    ]
    api.ok("DELETE", "/files/file-1")
    assert (tmp_path / "content" / "file-1").exists()


@pytest.mark.parametrize("name", ["azure-v1", "azure-v2", "openai-v2"])
def test_the_bundled_examples_come_back_verbatim(launch, name):
    folder = ROOT / "fixtures" / name
    api = launch(
        "openai" if name.startswith("openai") else "azure-openai", state=folder, list_threads="works"
    )
    assert api.emulator.skipped == []
    read = everything(api)
    for kind, pattern in (
        ("assistants", "assistants.json"),
        ("threads", "threads.json"),
        ("files", "files.json"),
        ("vector_stores", "vector_stores.json"),
        ("messages", "messages/*.json"),
        ("runs", "runs/*.json"),
        ("steps", "steps/*.json"),
        ("store_files", "vector_store_files/*.json"),
    ):
        for file in folder.glob(pattern):
            saved = json.loads(file.read_text(encoding="utf-8"))["data"]
            served = [row for row in read[kind] if row in saved]
            assert served == saved


def blocks(text: str) -> list[object]:
    """The JSON objects in running text; damaged ones are skipped."""
    decoder, collected, place = json.JSONDecoder(), [], 0
    while (place := text.find("{", place)) >= 0:
        try:
            document, place = decoder.raw_decode(text, place)
        except ValueError:
            place += 1
            continue
        if isinstance(document, dict) and ("object" in document or "data" in document):
            collected.append(document)
    return collected


@pytest.mark.skipif(not (SHARED / "seeds").is_dir(), reason="the documents are not beside this checkout")
def test_answers_inside_documents(tmp_path, launch):
    for document in sorted((SHARED / "seeds").glob("*.txt")):
        write(tmp_path, f"{document.stem}.json", blocks(document.read_text(encoding="utf-8")))
    api = launch(state=tmp_path)
    read = everything(api)
    assert "asst_7AZSrv5I3XzjUqWS40X5UgRr" in [row["id"] for row in read["assistants"]]
    pictures = [row for row in read["messages"] if row["id"] == "msg_oJbUanImBRpRran5HSa4Duy4"]
    assert pictures[0]["content"][0]["image_file"] == {"file_id": "assistant-1YGVTvNzc2JXajI5JU9F0HMD"}
    assert pictures[0]["file_ids"] == []
    by_thread = api.emulator.estate.messages
    assert {"thread_6bunpoBRZwNhovwzYo7fhNVd", "thread_ow1Yv29ptyVtv7ixbiKZRrHd"} <= by_thread.keys()
    seconds = [row["created_at"] for row in read["messages"] if row["thread_id"].startswith("thread_ow1")]
    assert seconds == sorted(seconds)


@pytest.mark.skipif(not (SHARED / "real").is_dir(), reason="the recordings are not beside this checkout")
@pytest.mark.parametrize("service", ["azure-openai", "openai"])
def test_recorded_answers(launch, service):
    api = launch(service, state=SHARED / "real", list_threads="works")
    read = everything(api)
    assert {kind: bool(rows) for kind, rows in read.items()} == dict.fromkeys(read, True)
    recorded = json.loads((SHARED / "real" / "openai_v2_vector_stores_list.json").read_text(encoding="utf-8"))
    for store in recorded["response_body"]["data"]:
        assert api.ok("GET", f"/vector_stores/{store['id']}") == store
    assert {row.reason for row in api.emulator.skipped} >= {"an error answer", "the answer to a deletion"}
    # Items do not name their conversation, and these were saved outside their folder.
    assert {row.reason for row in api.emulator.skipped if "items" in row.file} >= {
        "not a known kind of object: None"
    }


@pytest.mark.parametrize("name", ["azure-v1", "azure-v2", "openai-v2", "foundry-classic", "foundry"])
def test_a_saved_estate_loads_unchanged(tmp_path, name):
    before, after = Estate(), Estate()
    load(ROOT / "fixtures" / name, before)
    save(before, tmp_path / "saved")
    assert load(tmp_path / "saved", after) == []
    for kind in ("assistants", "threads", "files", "vector_stores", "agents", "conversations"):
        assert in_order(getattr(after, kind)) == in_order(getattr(before, kind))
    for kind in ("messages", "runs", "run_steps", "vector_store_files", "agent_versions", "items"):
        tables = {parent: table for parent, table in getattr(before, kind).items() if table}
        assert {parent: in_order(table) for parent, table in getattr(after, kind).items() if table} == {
            parent: in_order(table) for parent, table in tables.items()
        }
    assert (after.deployments, after.connections) == (before.deployments, before.connections)
    assert {id_: blob.read() for id_, blob in after.content.items()} == {
        id_: blob.read() for id_, blob in before.content.items()
    }


def test_messages_of_one_second_keep_their_order_beside_an_older_thread(tmp_path):
    before, after = Estate(), Estate()
    for thread, second in (("thread_new", 9), ("thread_old", 3)):
        for number in range(3):
            message = {"object": "thread.message", "id": f"msg_{second}_{number}", "created_at": second}
            before.messages[thread][message["id"]] = {**message, "thread_id": thread}
    save(before, tmp_path / "saved")
    load(tmp_path / "saved", after)
    assert in_order(after.messages["thread_new"]) == in_order(before.messages["thread_new"])


def test_a_file_id_that_is_a_path_is_refused(tmp_path):
    estate = Estate()
    estate.content["../outside"] = SavedContent(tmp_path / "none")
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        save(estate, tmp_path / "saved")


def in_order(table):
    return [table[place.id] for place in table.order]
