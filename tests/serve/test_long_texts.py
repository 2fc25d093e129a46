"""Threads of very long messages: a page of them ends early, and every message is on some page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.serve.addresses import PageLinks
from migrate.serve.pages.object_rows import MAX_ROWS_CHARS
from migrate.serve.pages.thread import MAX_PAGE_CHARS, MAX_PRINTED_CHARS
from tests.serve.api.archives import Made, MadeSnapshot, make_archive, messages
from tests.serve.client import Client, served
from tests.serve.html_pages import parsed

LINKS = PageLinks(1)
# As long as the services allow; one is longer than a page.
LONG, COUNT, LONGEST = "word " * 30_000, 30, 17


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path: Path = tmp_path_factory.mktemp("long") / "estate.db"
    rows = messages(COUNT, "thread_1")
    for number, row in enumerate(rows):
        times = 5 if number == LONGEST else 1
        row["content"] = [{"type": "text", "text": {"value": LONG, "annotations": []}}] * times
    run = {"id": "run_last", "thread_id": "thread_1", "status": "completed", "created_at": 10**10}
    thread = {"id": "thread_1", "created_at": 1, "metadata": {}}
    listings = [
        Made("thread", "", [thread]),
        Made("message", "thread_1", rows),
        Made("run", "thread_1", [run]),
    ]
    make_archive(path, MadeSnapshot(listings))
    with served(path) as client:
        yield client


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="m-msg_(\d+)"', page)]


def test_every_message_is_on_one_page_and_no_page_is_long(client: Client) -> None:
    address, seen, pages = LINKS.thread("thread_1"), list[int](), 0
    while address:
        page = client.page(address)
        shown = numbers(page)
        assert shown
        assert len(page) < MAX_PAGE_CHARS * 1.2 or shown == [LONGEST]
        seen += shown
        pages += 1
        assert ("run_last" in page) == (shown[-1] == COUNT - 1), "the runs at the end are on the last page"
        later = re.search(r'rel="next" href="([^"]+)"', page)
        address = later[1].replace("&amp;", "&") if later else ""
    assert seen == list(range(COUNT))
    assert pages > 5


@pytest.mark.parametrize("number", [0, 4, LONGEST, COUNT - 1])
def test_a_message_is_on_the_page_of_its_address(client: Client, number: int) -> None:
    page = client.page(LINKS.message("thread_1", f"msg_{number}").partition("#")[0])
    assert number in numbers(page)
    assert parsed(page)


def test_a_page_to_print_ends_too(client: Client) -> None:
    page = client.page(LINKS.thread("thread_1", all=1))
    assert 3 < len(numbers(page)) < COUNT
    assert len(page) < MAX_PRINTED_CHARS * 1.2


def test_a_table_of_very_long_objects_ends_early_and_goes_on(tmp_path: Path) -> None:
    rows = [{"id": f"asst_{n}", "name": f"name {n}", "instructions": LONG} for n in range(40)]
    path = make_archive(
        tmp_path / "estate.db", MadeSnapshot([Made("assistant", "", rows), Made("thread", "", [])])
    )
    with served(path) as client:
        address, seen, pages = LINKS.assistants(), list[str](), 0
        while address:
            page = client.page(address)
            shown = re.findall(r"assistants/(asst_\d+)\"", page)
            assert 1 <= len(set(shown)) <= MAX_ROWS_CHARS // len(LONG) + 1
            seen += dict.fromkeys(shown)
            pages += 1
            later = re.search(r'rel="next" href="([^"]+)"', page)
            address = later[1].replace("&amp;", "&") if later else ""
        assert seen == [f"asst_{n}" for n in reversed(range(40))]
        assert pages > 4
