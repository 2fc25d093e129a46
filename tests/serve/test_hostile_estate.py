"""An estate in which every text, name and id is hostile is shown as text everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive.database import Archive
from migrate.serve.addresses import PageLinks, id_segment, segment_id
from migrate.serve.pages.files import attachment_header
from tests.archive.filling import write
from tests.serve.client import Client, served
from tests.serve.estates import ODD_IDS, hostile_estate
from tests.serve.html_pages import crawl, parsed
from tests.serve.test_pages import compared

LINKS = PageLinks(2)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path = tmp_path_factory.mktemp("hostile") / "estate.db"
    hostile_estate(path)
    with served(path) as client:
        yield client


@pytest.mark.slow
def test_every_page_shows_hostile_text_as_text(client: Client) -> None:
    compared(client, "/compare?left=1&right=2")
    found = dict(crawl(client, "/"))
    assert len(found) > 80
    for address, text in found.items():
        assert "hostile-secret" not in text, address
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text), address
    assert "&lt;script&gt;window.pwned=1&lt;/script&gt;" in found["/snapshots/2/assistants"]
    assert "javascript:" in "".join(found.values())


@pytest.mark.parametrize("id_", ODD_IDS)
def test_an_odd_id_is_one_segment_of_an_address(client: Client, id_: str) -> None:
    for address in (LINKS.assistant(id_), LINKS.file(id_), LINKS.vector_store(id_), LINKS.thread(id_)):
        assert urljoin("http://localhost/", address) == f"http://localhost{address}", "a browser changes it"
        page = client.page(address)
        assert parsed(page)
    answer = client.send(LINKS.file_content(id_, inline=True))
    assert answer.status == 200
    assert answer.headers["content-disposition"].startswith("attachment"), "its bytes are no image"
    assert answer.headers["content-type"] == "application/octet-stream"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_id_survives_an_address(id_: str) -> None:
    segment = id_segment(id_)
    assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", segment)
    assert segment not in (".", "..")
    assert segment_id(segment) == id_
    assert urljoin("http://h/a/b", f"/x/{segment}/y") == f"http://h/x/{segment}/y"


@given(st.text(max_size=40))
def test_any_name_makes_a_header(name: str) -> None:
    header = attachment_header(name.encode("utf-8", "replace").decode())
    assert re.fullmatch(r'attachment; filename="[^"\\]*"; filename\*=UTF-8\'\'[\w.~%-]*', header)
    assert header.isascii()


def test_a_thread_with_odd_ids_shows_a_message_by_its_id(client: Client) -> None:
    thread = ODD_IDS[4]
    links = [link for link in parsed(client.page(LINKS.thread(thread))).links if "message=" in link]
    assert len(links) >= 20
    for link in links:
        address, _, anchor = link.partition("#")
        assert f'id="{anchor}"' in client.page(address)
    assert client.send(f"{LINKS.thread(thread)}?message=nothing").status == 404
    body = client.send(LINKS.message_body(thread, f"m0-{ODD_IDS[0]}"))
    assert body.headers["content-disposition"].startswith("attachment")
    assert client.send(LINKS.message_body(thread, "nothing")).status == 404


@pytest.mark.parametrize(
    "query",
    ["", "from=-1", "from=99999", "from=x", "all=1", "message=", "message=%00", "message=" + "x" * 3_000,
     "from=" + "9" * 4_000, "from=%D9%A1", "all=1&from=7"],
)  # fmt: skip
def test_a_made_up_part_of_a_thread_is_a_page(client: Client, query: str) -> None:
    answer = client.send(f"{LINKS.thread(ODD_IDS[4])}?{query}")
    assert answer.status in (200, 404)
    assert answer.is_page


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=%00", "cursor=" + "A" * 3_000, "after=yesterday", "before=%00", "meta=a", "meta==b",
     "meta=" + ",".join(["a=b"] * 50), "sort=up", "assistant=%ff", "files=1&errors=1", "after=9999-99-99",
     "after=0001-01-01", "after=2026-01-02&before=2026-01-01", "meta=%5B%5D%28%29=*"],
)  # fmt: skip
def test_a_made_up_list_of_threads_is_a_page(client: Client, query: str) -> None:
    answer = client.send(f"/snapshots/2/threads?{query}")
    assert answer.status == 200
    assert answer.is_page


@pytest.mark.parametrize(
    "query",
    ["q=", "q=%22", "q=-", "q=*", "q=%00", "q=" + "x%20" * 2_000, "q=kind:nothing", "q=after:never",
     "q=x&from=99999999", "q=x&from=-4", "q=a&kind=%22%3E", "q=%F0%9F%98%80", "q=NEAR(a,b)", "q=a+OR+b",
     "q=text:x", "q=meta.:x", "q=%27%3B+DROP+TABLE+snapshots", "kind=message", "after=x"],
)  # fmt: skip
def test_a_made_up_query_is_a_page(client: Client, query: str) -> None:
    answer = client.send(f"/snapshots/2/search?{query}")
    assert answer.status == 200
    assert answer.is_page


def test_gigantic_texts_are_bounded_pages(tmp_path: Path) -> None:
    huge = "x" * 3_000_000
    deep = "[" * 4_000
    with Archive.open(tmp_path / "estate.db", write=True, create=True) as archive:
        for mark in "ab":
            listings = [
                ("assistant", "", [{"id": "asst_1", "name": huge, "instructions": mark + huge,
                                    "metadata": {"k": huge}, "tools": [{"type": "function", "x": huge}]}]),
                ("thread", "", [{"id": "thread_1", "metadata": {"title": huge}}]),
                ("message", "thread_1", [
                    {"id": f"m{n}", "role": "user", "content": [{"type": "text", "text": {"value": text}}]}
                    for n, text in enumerate((huge, deep, "*" * 200_000, "> " * 50_000, "\u202e" * 10_000))
                ]),
            ]  # fmt: skip
            write(archive, listings)
    with served(tmp_path / "estate.db") as client:
        for page in ("", "threads", "threads/thread_1", "assistants", "assistants/asst_1"):
            text = client.page(f"/snapshots/2/{page}")
            assert len(text) < 8_000_000, page
        assert len(client.page("/snapshots/2/assistants")) < 100_000
        whole = client.send("/snapshots/2/threads/thread_1/messages/m0")
        assert len(whole.body) > 3_000_000
