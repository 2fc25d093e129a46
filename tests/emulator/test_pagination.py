"""Pages: sizes, order, cursors and the envelope, the same for every list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.emulator.pagination import page
from migrate.emulator.state import Table


def test_an_empty_list_has_null_ids(api):
    empty = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    thread = api.thread()
    unpaged = api.emulator.options.service == "foundry"
    for path in (
        "/assistants",
        "/vector_stores",
        f"/threads/{thread}/messages",
        *(() if unpaged else ("/files",)),
    ):
        assert api.ok("GET", path) == empty


def test_twenty_newest_first_unless_asked_otherwise(api):
    created = [api.ok("POST", "/assistants", {"model": "m"})["id"] for _ in range(21)]
    listed = api.ok("GET", "/assistants")
    assert [row["id"] for row in listed["data"]] == created[:0:-1]
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == (created[-1], created[1], True)
    assert [row.id for row in api.client.beta.assistants.list(limit=4, order="asc")] == created


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"order": "up"}, {"after": "no"}]
)
def test_bad_queries(api, query):
    api.refused("GET", "/assistants", **query)


def test_files_have_their_own_page_size(assistants_api):
    api = assistants_api
    files = [api.file() for _ in range(3)]
    assert api.ok("GET", "/files", limit=10_000)["first_id"] == files[-1]
    api.refused("GET", "/files", limit=10_001)
    assert [row["id"] for row in api.ok("GET", "/files", after=files[2])["data"]] == files[1::-1]


def test_rows_of_one_second_keep_their_order():
    table = Table()
    for name, second in (("b", 2), ("a1", 1), ("a2", 1), ("c", 3), ("a3", 1)):
        table[name] = {"id": name, "created_at": second}
    assert [row["id"] for row in page(table, {"order": "asc"})["data"]] == ["a1", "a2", "a3", "b", "c"]
    del table["a2"]
    table["b"] = {"id": "b", "created_at": 0}
    assert [row["id"] for row in page(table, {"order": "asc"})["data"]] == ["b", "a1", "a3", "c"]


@given(
    seconds=st.lists(st.integers(0, 5), max_size=30),
    limit=st.integers(1, 7),
    order=st.sampled_from(["asc", "desc"]),
)
def test_walking_the_pages_either_way_gives_every_row_once(seconds, limit, order):
    table = Table()
    for number, second in enumerate(seconds):
        table[str(number)] = {"id": str(number), "created_at": second}
    expected = [place.id for place in table.order][:: 1 if order == "asc" else -1]
    query = {"limit": str(limit), "order": order}
    assert read_all_pages(table, query, "after", "last_id") == expected
    if expected:
        before = read_all_pages(table, {**query, "before": expected[-1]}, "before", "first_id")
        assert before == expected[:-1]


def read_all_pages(table, query, cursor, end):
    ids_read = []
    while True:
        answer = page(table, query)
        rows = [row["id"] for row in answer["data"]]
        ids_read = ids_read + rows if cursor == "after" else rows + ids_read
        if not answer["has_more"]:
            return ids_read
        query = {**query, cursor: answer[end]}
