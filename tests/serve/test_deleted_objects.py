"""What a thread names keeps its name and its image after it was deleted; a citation leads to its passage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.database import Archive
from migrate.serve.addresses import PageLinks
from tests.archive.filling import write
from tests.serve.client import Client, served
from tests.serve.html_pages import parsed


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A thread whose assistant and image were deleted between two snapshots, and a citation."""
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))
    note = {
        "type": "file_citation", "text": "[0]", "start_index": 4, "end_index": 7,
        "file_citation": {"file_id": "notes", "quote": "Deliveries  go out\non Tuesday"},
    }  # fmt: skip
    content = [
        {"type": "image_file", "image_file": {"file_id": "photo"}},
        {"type": "text", "text": {"value": "When[0]", "annotations": [note]}},
    ]
    message = {"id": "m1", "role": "assistant", "assistant_id": "gone", "content": content}
    listings = [
        ("thread", "", [{"id": "thread_1"}]),
        ("message", "thread_1", [message]),
        ("run", "thread_1", [{"id": "run_1", "assistant_id": "gone", "status": "completed"}]),
    ]
    notes = {"id": "notes", "filename": "notes.md"}
    path = tmp_path_factory.mktemp("later") / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        first = write(archive, [
            *listings, ("assistant", "", [{"id": "gone", "name": "The Clerk"}]),
            ("file", "", [notes, {"id": "photo", "filename": "photo.png"}]),
        ])  # fmt: skip
        write(archive, [*listings, ("file", "", [notes]), ("assistant", "", [])])
        text = b"Deliveries go out\n  on <Tuesday>. Deliveries go out on Tuesday and Friday."
        for id_, data in (("photo", png), ("notes", text)):
            link_file_to_blob(archive, first.endpoint, id_, store_blob(archive, [data]), "download")
    with served(path) as client:
        yield client


def test_what_was_deleted_keeps_its_name_and_its_image(later: Client) -> None:
    links = PageLinks(2)
    thread = later.page(links.thread("thread_1"))
    assert ">The Clerk</a>" in thread
    assert ">photo.png</a>" in thread
    (image,) = [url for url in parsed(thread).loaded if "content" in url]
    answer = later.send(image)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert 'filename="photo.png"' in later.send(links.file_content("photo")).headers["content-disposition"]
    assert ">The Clerk<" in later.page(links.threads())
    for address in (links.file("photo"), links.assistant("gone")):
        assert "Snapshot 1 has it" in later.page(address, 404)


def test_a_citation_leads_to_the_cited_place(later: Client) -> None:
    quote = "Deliveries go out on Tuesday"
    (address,) = {
        link for link in parsed(later.page(PageLinks(2).thread("thread_1"))).links if "quote=" in link
    }
    assert address.endswith("#cited")
    page = later.page(address.partition("#")[0])
    assert f'. <mark id="cited">{quote}</mark> and Friday.' in page
    assert "is not in this text" in later.page("/snapshots/2/files/notes?quote=of+something+else")
    marked = later.page("/snapshots/2/files/notes?quote=%3CTuesday%3E")
    assert '<mark id="cited">&lt;Tuesday&gt;</mark>' in marked
    for odd in ("%20", "(%5B*", "x" * 2_000):
        assert "<mark" not in later.page(f"/snapshots/2/files/notes?quote={odd}")
