"""Vector stores: recorded answers, ingestion, chunking, attributes, batches, expiry, parsed content."""

from __future__ import annotations

import time

import openai
import pytest

KEY = "secret-of-this-test"
STATIC = {"type": "static", "static": {"max_chunk_size_tokens": 1000, "chunk_overlap_tokens": 500}}
NONE = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}


def store_with(api, *files, **body):
    return api.ok("POST", "/vector_stores", {"file_ids": list(files), **body})["id"]


def test_an_empty_store_as_recorded(api):
    created = api.ok("POST", "/vector_stores", {"name": "UnsupportedFileTestStore"})
    assert created["id"].startswith("vs_")
    assert created == {
        "id": created["id"],
        "object": "vector_store",
        "name": "UnsupportedFileTestStore",
        "status": "completed",
        "usage_bytes": 0,
        "created_at": created["created_at"],
        "file_counts": NONE,
        "metadata": {},
        "expires_after": None,
        "expires_at": None,
        "last_active_at": created["created_at"],
        **({"description": None} if api.emulator.options.service == "openai" else {}),
    }


def test_ingestion_takes_time(launch):
    api = launch(ingestion_seconds=0.3)
    file_id = api.file("product_info.md", b"x" * 1209)
    created = api.ok("POST", "/vector_stores", {"file_ids": [file_id]})
    assert (created["status"], created["file_counts"]) == (
        "in_progress",
        {**NONE, "in_progress": 1, "total": 1},
    )
    entry = api.ok("GET", f"/vector_stores/{created['id']}/files/{file_id}")
    assert (entry["status"], entry["usage_bytes"], "attributes" in entry) == ("in_progress", 0, False)
    deadline = time.monotonic() + 5
    while (store := api.ok("GET", f"/vector_stores/{created['id']}"))["status"] == "in_progress":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert store["file_counts"] == {**NONE, "completed": 1, "total": 1}
    entry = api.ok("GET", f"/vector_stores/{created['id']}/files/{file_id}")
    assert (entry["status"], entry["usage_bytes"]) == ("completed", 2233)  # (recorded 2025-12)


@pytest.mark.parametrize("name", ["table.csv", "sheet.XLSX", "no-extension"])
def test_unsearchable_files_fail_later(api, name):
    file_id = api.file(name)
    store = store_with(api)
    assert api.ok("POST", f"/vector_stores/{store}/files", {"file_id": file_id})["status"] == "in_progress"
    entry = api.ok("GET", f"/vector_stores/{store}/files/{file_id}")
    assert (entry["status"], entry["last_error"]["code"]) == ("failed", "unsupported_file")
    assert api.ok("GET", f"/vector_stores/{store}")["file_counts"] == {**NONE, "failed": 1, "total": 1}
    assert len(api.ok("GET", f"/vector_stores/{store}/files", filter="failed")["data"]) == 1
    assert len(api.ok("GET", f"/vector_stores/{store}/files", filter="completed")["data"]) == 0
    api.refused("GET", f"/vector_stores/{store}/files", filter="lost")


@pytest.mark.parametrize("asked", [None, {"type": "auto"}, STATIC])
def test_chunking_comes_back_in_numbers(api, asked):
    body = {"file_id": api.file()} | ({"chunking_strategy": asked} if asked else {})
    entry = api.ok("POST", f"/vector_stores/{store_with(api)}/files", body)
    sizes = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
    assert entry["chunking_strategy"] == (STATIC if asked == STATIC else {"type": "static", "static": sizes})


@pytest.mark.parametrize(
    "chunking",
    [
        {"type": "other"},
        {"type": "static"},
        {"type": "static", "static": {"max_chunk_size_tokens": 99, "chunk_overlap_tokens": 0}},
        {"type": "static", "static": {"max_chunk_size_tokens": 4097, "chunk_overlap_tokens": 0}},
        {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 401}},
    ],
)
def test_chunking_that_is_refused(api, chunking):
    body = {"file_id": api.file(), "chunking_strategy": chunking}
    api.refused("POST", f"/vector_stores/{store_with(api)}/files", body)


def test_attributes(assistants_api):
    api = assistants_api
    file_id = api.file()
    attributes = {"text": "v" * 512, "number": 1.5, "flag": False}
    path = f"/vector_stores/{store_with(api)}/files"
    assert api.ok("POST", path, {"file_id": file_id, "attributes": attributes})["attributes"] == attributes
    assert api.ok("POST", f"{path}/{file_id}", {"attributes": {"a": 1}})["attributes"] == {"a": 1}
    for bad in (
        {"a": None},
        {"a": []},
        {"a": "v" * 513},
        {"k" * 65: 1},
        dict.fromkeys("abcdefghijklmnopq", 1),
    ):
        api.refused("POST", f"{path}/{file_id}", {"attributes": bad})


def test_keys_that_older_versions_do_not_have(launch):
    api = launch(version="2024-05-01-preview")
    file_id = api.file()
    path = f"/vector_stores/{store_with(api)}/files"
    api.refused("POST", path, {"file_id": file_id, "attributes": {"a": 1}})
    api.refused("POST", path, {"file_id": file_id, "chunking_strategy": STATIC})
    api.ok("POST", path, {"file_id": file_id})
    assert api("POST", f"{path}/{file_id}", {"attributes": {}})[0] == 404
    later = launch(version="2024-07-01-preview")
    path = f"/vector_stores/{store_with(later)}/files"
    later.ok("POST", path, {"file_id": later.file(), "chunking_strategy": STATIC})


@pytest.mark.parametrize(
    "body",
    [
        {"file_ids": ["file"] * 501},
        {"expires_after": {"anchor": "created_at", "days": 1}},
        {"expires_after": {"anchor": "last_active_at", "days": 366}},
        {"expires_after": {"anchor": "last_active_at"}},
        {"chunking_strategy": {"type": "other"}},
        {"metadata": {"a": 1}},
        {"files": []},
    ],
)
def test_bodies_that_are_refused(api, body):
    api.refused("POST", "/vector_stores", body)
    assert api("POST", "/vector_stores", {"file_ids": ["file-none"]})[0] == 404
    assert not api.emulator.estate.vector_stores


def test_updating(api):
    store = store_with(api, name="before")
    path = f"/vector_stores/{store}"
    after = {"anchor": "last_active_at", "days": 3}
    changed = api.ok("POST", path, {"name": "after", "expires_after": after})
    assert (changed["name"], changed["expires_at"]) == ("after", changed["last_active_at"] + 3 * 86_400)
    assert api.ok("POST", path, {"expires_after": None})["expires_at"] is None
    api.refused("POST", path, {"file_ids": []})


def test_a_store_expires(api):
    store = store_with(api, expires_after={"anchor": "last_active_at", "days": 1})
    assert api.ok("GET", f"/vector_stores/{store}")["status"] == "completed"
    api.emulator.estate.vector_stores[store]["expires_at"] = 1
    assert api.ok("GET", f"/vector_stores/{store}")["status"] == "expired"
    assert api.ok("GET", "/vector_stores")["data"][0]["status"] == "expired"
    assert api.ok("GET", f"/vector_stores/{store}/files")["data"] == []


def test_detaching_and_deleting(api):
    file_id = api.file()
    store = store_with(api, file_id)
    answer = {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}
    assert api.ok("DELETE", f"/vector_stores/{store}/files/{file_id}") == answer
    assert api.ok("GET", f"/vector_stores/{store}")["file_counts"] == NONE
    assert api.ok("GET", f"/files/{file_id}")["id"] == file_id
    assert api("GET", f"/vector_stores/{store}/files/{file_id}")[0] == 404
    assert api.ok("DELETE", f"/vector_stores/{store}")["object"] == "vector_store.deleted"
    status, body = api("GET", f"/vector_stores/{store}")
    assert (status, body["error"]["message"]) == (404, f"No vector store found with id '{store}'.")


def test_batches(launch):
    api = launch("openai", ingestion_seconds=30)
    files = [api.file() for _ in range(3)]
    store = store_with(api)
    created = api.ok("POST", f"/vector_stores/{store}/file_batches", {"file_ids": files})
    assert created["id"].startswith("vsfb_")
    assert created == {
        "id": created["id"],
        "object": "vector_store.file_batch",
        "created_at": created["created_at"],
        "status": "in_progress",
        "vector_store_id": store,
        "file_counts": {**NONE, "in_progress": 3, "total": 3},
    }
    path = f"/vector_stores/{store}/file_batches/{created['id']}"
    assert {row["id"] for row in api.ok("GET", f"{path}/files")["data"]} == set(files)
    assert api.ok("POST", f"{path}/cancel")["file_counts"] == {**NONE, "cancelled": 3, "total": 3}
    assert api.ok("GET", path)["status"] == "cancelled"
    assert api("GET", f"/vector_stores/{store}/file_batches")[0] == 404


def test_batches_complete(api):
    store = store_with(api)
    batch = api.ok("POST", f"/vector_stores/{store}/file_batches", {"file_ids": [api.file()]})["id"]
    read = api.ok("GET", f"/vector_stores/{store}/file_batches/{batch}")
    assert (read["status"], read["file_counts"]["completed"]) == ("completed", 1)


def test_batch_limits_differ(azure, platform):
    for api, most in ((azure, 500), (platform, 2_000)):
        path = f"/vector_stores/{store_with(api)}/file_batches"
        file_id = api.file()
        api.ok("POST", path, {"file_ids": [file_id] * most})
        api.refused("POST", path, {"file_ids": [file_id] * (most + 1)})
        api.refused("POST", path, {"file_ids": []})
        api.refused("POST", path, {})
        assert api("POST", path, {"file_ids": ["file-none"]})[0] == 404


def test_only_openai_accepts_files_with_their_own_settings(azure, platform):
    body = {"files": [{"file_id": platform.file(), "attributes": {"a": 1}, "chunking_strategy": STATIC}]}
    store = store_with(platform)
    platform.ok("POST", f"/vector_stores/{store}/file_batches", body)
    (entry,) = platform.ok("GET", f"/vector_stores/{store}/files")["data"]
    assert (entry["attributes"], entry["chunking_strategy"]) == ({"a": 1}, STATIC)
    assert "'files'" in azure.refused("POST", f"/vector_stores/{store_with(azure)}/file_batches", body)


def test_parsed_content(azure, platform):
    for api in (azure, platform):
        file_id = api.file(content="Grüße".encode())
        path = f"/vector_stores/{store_with(api, file_id)}/files/{file_id}/content"
        if api is platform:
            assert api.ok("GET", path) == {
                "object": "vector_store.file_content.page",
                "data": [{"type": "text", "text": "Grüße"}],
                "has_more": False,
                "next_page": None,
            }
        else:
            assert api("GET", path)[0] == 404
            with openai.OpenAI(base_url=f"{api.emulator.url}/openai/v1/", api_key=KEY) as client:
                assert client.get(path, cast_to=object)["data"][0]["text"] == "Grüße"
