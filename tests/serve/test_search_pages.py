"""Search and the list of threads, with an index and without one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.archive.database import Archive
from migrate.serve.pages import search
from migrate.stages.index.run import build_index
from migrate.stages.progress import Progress
from tests.archive.filling import Listing, write
from tests.serve.client import Client, served
from tests.serve.html_pages import parsed

COMMAND = "assistants-migrate index estate.db"
LISTINGS: list[Listing] = [
    ("assistant", "", [{"id": "asst_1", "name": "Desk", "instructions": "Say: a+b (c)"}]),
    ("thread", "", [{"id": "thread_1"}]),
    (
        "message",
        "thread_1",
        [
            {"id": f"msg_{n}", "role": "user", "content": f"{n}: A+B (c) <i>", "created_at": n + 1}
            for n in range(9)
        ],
    ),
]


@pytest.fixture(scope="module", params=["index", "no index"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path: Path = tmp_path_factory.mktemp("served") / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        write(archive, LISTINGS)
        if request.param == "index":
            build_index(archive, Progress())
    with served(path) as client:
        yield client


def has_index(client: Client) -> bool:
    return COMMAND not in client.page("/snapshots/1/threads")


def test_a_text_as_it_is_is_found_and_marked(client: Client) -> None:
    asked = "how=text&" if has_index(client) else ""
    page = client.page(f"/snapshots/1/search?{asked}q=A%2Bb+(")
    assert page.count("<mark>A+B (</mark>") == 9
    assert page.count("<mark>a+b (</mark>") == 1
    assert "all 11 objects looked at" not in page
    assert "10 hits on this page, all 10 objects looked at." in page
    links = parsed(page).links
    assert "/snapshots/1/threads/thread_1?message=msg_3#m-msg_3" in links
    assert "/snapshots/1/assistants/asst_1" in links


def test_it_goes_on_where_a_page_ended(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "HITS_PER_PAGE", 4)
    address, hits, seen = "/snapshots/1/search?how=text&q=a%2Bb&kind=message", 0, []
    for _ in range(9):
        page = client.page(address)
        seen += re.findall(r"(\d+) of 9 objects looked at", page)
        hits += page.count("<mark>")
        further = re.search(r'rel="next" href="([^"]*)">Go on', page)
        if not further:
            break
        address = further[1].replace("&amp;", "&")
    assert hits == 9
    assert seen == ["4", "8"]
    assert "From the beginning" in page
    assert "and that was the last of 9 objects" in page


def test_what_is_not_found_is_said(client: Client) -> None:
    page = client.page("/snapshots/1/search?how=text&q=zzz")
    assert "No object has this text." in page
    assert "Go on" not in page


@pytest.mark.parametrize("query", ["kind=run&q=x", "cursor=x&q=x", "cursor=bnVsbA&q=a"])
def test_what_cannot_be_understood_is_said_above_the_form(client: Client, query: str) -> None:
    page = client.page(f"/snapshots/1/search?how=text&{query}")
    assert "not understood" in page
    assert 'name="q"' in page


def test_without_an_index_the_pages_say_what_it_is_for_and_how_to_make_it(client: Client) -> None:
    for path in ("search", "threads"):
        assert (COMMAND in client.page(f"/snapshots/1/{path}")) is not has_index(client)
    threads = client.page("/snapshots/1/threads")
    assert ("with files or with errors are not marked" in threads) is not has_index(client)
    assert ('name="errors"' in threads) is has_index(client)


def test_both_ways_to_search_lead_to_each_other(client: Client) -> None:
    words = client.page("/snapshots/1/search?q=zzz")
    if has_index(client):
        assert "/snapshots/1/search?q=zzz&amp;how=text" in words
        assert 'href="/snapshots/1/search?q=zzz"' in client.page("/snapshots/1/search?how=text&q=zzz")
    else:
        assert 'class="ways"' not in words
