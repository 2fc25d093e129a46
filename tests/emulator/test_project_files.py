"""Files and vector stores on the v1 path of a project: pages, purposes, and files that search cannot read."""

from __future__ import annotations

import pytest

from migrate.emulator.services import SEARCHABLE_EXTENSIONS
from tests.emulator.project import V1

FILES, STORES = f"{V1}/files", f"{V1}/vector_stores"
STATIC = {"type": "static", "static": {"max_chunk_size_tokens": 1000, "chunk_overlap_tokens": 500}}
# (recorded 2025-12)
CSV_MESSAGE = (
    "Files with extensions [.csv] are not supported for retrieval. Supported file types include: [.c, .cpp, "
    ".cs, .css, .doc, .docx, .go, .html, .java, .js, .json, .md, .pdf, .php, .pptx, .py, .rb, .sh, .tex, "
    ".ts, .txt]."
)


def store(project, **body):
    return project.ok("POST", STORES, body)["id"]


def test_the_recorded_file(project):
    created = project.ok("GET", f"{FILES}/{project.file('test_data.txt')}")
    assert created["id"].startswith("assistant-")
    assert {key: created[key] for key in created if key not in ("id", "created_at")} == {
        "object": "file",
        "purpose": "assistants",
        "filename": "test_data.txt",
        "bytes": 5,
        "expires_at": None,
        "status": "processed",
        "status_details": None,
    }


def test_files_have_pages(project):
    created = [project.file(f"{number}.txt") for number in range(3)]
    page = project.ok("GET", FILES, limit=2)
    assert ([row["id"] for row in page["data"]], page["has_more"]) == (created[:0:-1], True)
    rest = project.ok("GET", FILES, limit=2, after=page["last_id"])
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (created[:1], False)
    assert [row["id"] for row in project.ok("GET", FILES, order="asc")["data"]] == created


@pytest.mark.parametrize("purpose", ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"])
def test_purposes(project, purpose):
    assert project.ok("GET", f"{FILES}/{project.file(purpose=purpose)}")["purpose"] == purpose


@pytest.mark.parametrize("purpose", ["assistants_output", "x", ""])
def test_purposes_that_are_refused(project, purpose):
    assert project.upload(purpose=purpose)[0] == 400
    assert not project.emulator.estate.files


def test_unsearchable_files_get_the_recorded_error_at_once(project):
    good, table, sheet = project.file("a.txt"), project.file("a.csv"), project.file("a.xlsx")
    empty = store(project)
    path = f"{STORES}/{empty}"
    for target, body in (
        (f"{path}/files", {"file_id": table}),
        (f"{path}/file_batches", {"file_ids": [good, table]}),
        (STORES, {"file_ids": [good, table]}),
    ):
        assert project("POST", target, body) == (
            400,
            {
                "error": {
                    "message": CSV_MESSAGE,
                    "type": "invalid_request_error",
                    "param": "file_id",
                    "code": "unsupported_file",
                }
            },
        )
    _, body = project("POST", f"{path}/file_batches", {"file_ids": [sheet, good, table]})
    assert body["error"]["message"].startswith("Files with extensions [.csv, .xlsx] are not")
    status, body = project("POST", f"{path}/files", {"file_id": project.file("a.TXT")})
    assert status == 400
    assert body["error"]["message"].startswith("Files with extensions [.TXT] are not")
    assert project.ok("GET", f"{path}/files")["data"] == []
    assert list(project.emulator.estate.vector_stores) == [empty]


@pytest.mark.parametrize("extension", SEARCHABLE_EXTENSIONS)
def test_searchable_files(project, extension):
    assert project.ok("POST", f"{STORES}/{store(project)}/files", {"file_id": project.file(f"a{extension}")})


def test_the_recorded_store_file(launch_project):
    project = launch_project(ingestion_seconds=30)
    file_id, store_id = project.file("product_info.md"), store(project)
    created = project.ok("POST", f"{STORES}/{store_id}/files", {"file_id": file_id})
    assert created == {
        "id": file_id,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": created["created_at"],
        "vector_store_id": store_id,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": {
            "type": "static",
            "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
        },
    }


def test_attributes_and_chunking_are_kept(project):
    file_id, store_id = project.file(), store(project)
    body = {"file_id": file_id, "attributes": {"a": 1}, "chunking_strategy": STATIC}
    created = project.ok("POST", f"{STORES}/{store_id}/files", body)
    assert (created["attributes"], created["chunking_strategy"]) == ({"a": 1}, STATIC)
    path = f"{STORES}/{store_id}/files/{file_id}"
    assert project.ok("POST", path, {"attributes": {"b": "c"}})["attributes"] == {"b": "c"}
    assert project.ok("GET", f"{path}/content")["data"] == [{"type": "text", "text": "hello"}]


def test_batches(project):
    file_id, store_id = project.file(), store(project)
    path = f"{STORES}/{store_id}/file_batches"
    batch = project.ok("POST", path, {"file_ids": [file_id], "attributes": {"a": True}})
    assert project.ok("GET", f"{path}/{batch['id']}")["file_counts"]["completed"] == 1
    (entry,) = project.ok("GET", f"{STORES}/{store_id}/files")["data"]
    assert entry["attributes"] == {"a": True}
    assert project("POST", path, {"file_ids": [file_id] * 501})[0] == 400
    assert project("POST", path, {"files": [{"file_id": file_id}]})[0] == 400


def test_there_is_no_search(project):
    assert project("POST", f"{STORES}/{store(project)}/search", {"query": "x"})[0] == 404
