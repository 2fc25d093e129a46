"""Threads are listed page by page: sorted and filtered with an index, in the order of the listing without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migrate.archive import Archive
from migrate.errors import BadUsage
from migrate.model.results.text_search import ThreadFilters, ThreadPage, ThreadRow
from migrate.stages.index.run import build_index
from migrate.stages.query import thread_list
from migrate.stages.query.thread_list import list_threads
from tests.archive.filling import Listing, write
from tests.stages.searching import estate, message, snapshot

SECRET = "sk-" + "a1" * 20
# Thread -> its messages. The newest message is neither in the order of the threads nor of their ids.
THREADS = {
    "thread_a": [
        message("msg_1", f"first words {SECRET}", at=500),
        message("msg_2", "answer", "assistant", 900, assistant_id="asst_1"),
    ],
    "thread_b": [message("msg_3", "see the file", at=700, attachments=[{"file_id": "file-a"}])],
    "thread_c": [
        message("msg_4", "hello", "assistant", 100, assistant_id="asst_2"),
        message("msg_5", "later", at=950),
    ],
    "thread_d": [],
    "thread_e": [message("msg_6", "undated")],
}
FAILED = {"id": "run_1", "status": "failed", "assistant_id": "asst_1", "last_error": {"code": "x"}}


def listings() -> list[Listing]:
    rows = estate(THREADS, assistant=[{"id": "asst_1", "name": "Desk"}])
    for n, body in enumerate(rows[1][2]):
        body["metadata"] = {"customer": str(n), "team": "north" if n % 2 else "south"}
    rows[1][2].append({"id": "thread_f", "created_at": 960})  # its messages were not read
    return [*rows, ("run", "thread_b", [FAILED])]


@pytest.fixture(scope="module", params=[True, False], ids=["indexed", "not indexed"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.open(tmp_path_factory.mktemp("s") / "estate.db", write=True, create=True) as opened:
        write(opened, listings())
        if request.param:
            build_index(opened)
        yield opened


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.open(tmp_path_factory.mktemp("s") / "estate.db", write=True, create=True) as opened:
        write(opened, listings())
        build_index(opened)
        yield opened


def ids(page: ThreadPage) -> str:
    """The letters of the threads in a page."""
    return "".join(row.id.removeprefix("thread_") for row in page.rows)


def listed(
    archive: Archive, sort: str = "newest", cursor: str = "", limit: int = 50, **filters: object
) -> ThreadPage:
    chosen = ThreadFilters(**filters)  # type: ignore[arg-type]
    return list_threads(snapshot(archive), chosen, sort, cursor, limit)  # type: ignore[arg-type]


def all_pages(archive: Archive, sort: str, limit: int) -> list[str]:
    pages, cursor = [], ""
    while True:
        page = listed(archive, sort, cursor, limit)
        pages.append(ids(page))
        cursor = page.next_cursor
        if not cursor:
            return pages


def test_the_order_of_the_listing_needs_no_index(archive: Archive) -> None:
    assert all_pages(archive, "listed", 4) == ["abcd", "ef"]
    assert all_pages(archive, "listed", 3) == ["abc", "def"]


def test_threads_are_sorted_by_their_newest_message(indexed: Archive) -> None:
    assert all_pages(indexed, "newest", 50) == ["fcabed"]
    assert all_pages(indexed, "newest", 2) == ["fc", "ab", "ed"]
    assert all_pages(indexed, "oldest", 4) == ["deba", "cf"]


def test_without_an_index_the_order_is_that_of_the_listing(archive: Archive) -> None:
    page = listed(archive)
    assert ids(page) == ("fcabed" if page.is_indexed else "abcdef")


def test_a_row_shows_a_thread(archive: Archive) -> None:
    page = listed(archive, "listed")
    known = page.is_indexed
    first, second, *_, last = page.rows
    assert SECRET not in first.first_words
    assert first.first_words.startswith("first words (secret")
    assert replace(first, first_words="") == ThreadRow(
        "thread_a", 900, 100, "", 2, (("asst_1", "Desk"),), {"customer": "0", "team": "south"},
        False if known else None, False if known else None, "",
    )  # fmt: skip
    assert (second.has_files, second.has_errors) == ((True, True) if known else (None, None))
    assert second.assistants == ((("asst_1", "Desk"),) if known else ())
    assert page.rows[2].first_words == "later"  # what a user said, not the first message
    assert (page.rows[3].count, page.rows[3].newest_at, page.rows[3].gap) == (0, None, "")
    assert (page.rows[4].newest_at, page.rows[4].created_at) == (None, 104)
    assert (last.id, last.count, last.gap) == ("thread_f", 0, "its messages were not read")


FILTERS: dict[str, tuple[dict[str, object], str]] = {
    "not older than": ({"after": 700}, "fcab"),
    "older than": ({"before": 700}, "ed"),
    "between": ({"after": 700, "before": 950}, "ab"),
    "an assistant": ({"assistant": "asst_1"}, "ab"),
    "another": ({"assistant": "asst_2"}, "c"),
    "nobody": ({"assistant": "asst_9"}, ""),
    "metadata": ({"meta": (("team", "north"),)}, "bd"),
    "a pattern": ({"meta": (("customer", "[!01]"),)}, "ced"),
    "two of them": ({"meta": (("team", "south"), ("customer", "2"))}, "c"),
    "files": ({"has_files": True}, "b"),
    "no files": ({"has_files": False}, "fcaed"),
    "errors": ({"has_errors": True}, "b"),
    "several": ({"assistant": "asst_1", "has_errors": False}, "a"),
}


@pytest.mark.parametrize(("filters", "expected"), FILTERS.values(), ids=FILTERS.keys())
@pytest.mark.parametrize("selective", [True, False])
def test_filters(
    indexed: Archive,
    monkeypatch: pytest.MonkeyPatch,
    filters: dict[str, object],
    expected: str,
    selective: bool,
) -> None:
    from migrate.archive.text_index import thread_states

    monkeypatch.setattr(thread_states, "MAX_SORTED_THREADS", 2_000 if selective else 0)
    monkeypatch.setattr(thread_list, "WALKED_THREADS", 1_000 if selective else 1)
    assert ids(listed(indexed, **filters)) == expected
    in_order = "".join(sorted(expected))
    assert ids(listed(indexed, "listed", **filters)) == in_order
    first = listed(indexed, "listed", limit=1, **filters)
    if len(expected) > 1:
        assert ids(listed(indexed, "listed", first.next_cursor, **filters)) == in_order[1:]
    pages = listed(indexed, limit=1, **filters)
    if len(expected) > 1:
        assert ids(listed(indexed, cursor=pages.next_cursor, limit=9, **filters)) == expected[1:]


def test_filters_need_the_index(archive: Archive) -> None:
    if listed(archive).is_indexed:
        return
    with pytest.raises(BadUsage, match="filtered by the full-text index") as refused:
        listed(archive, has_files=True)
    assert "index ARCHIVE" in refused.value.todo


@pytest.mark.parametrize(
    "cursor", ["x", "ä", "W10", "e30", "WyJuZXdlc3QiXQ", "WyJsaXN0ZWQiLCAieCJd", "A" * 5_000]
)
def test_a_cursor_that_was_made_up_is_refused(archive: Archive, cursor: str) -> None:
    with pytest.raises(BadUsage, match="cursor"):
        listed(archive, "listed", cursor)


def test_a_cursor_of_another_order_is_refused(indexed: Archive) -> None:
    cursor = listed(indexed, "newest", limit=1).next_cursor
    for sort in ("oldest", "listed"):
        with pytest.raises(BadUsage, match="cursor"):
            listed(indexed, sort, cursor)
