"""The rows of a page are those that the emulated services return, for any query."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from migrate.emulator.errors import ApiError
from migrate.emulator.pagination import page
from migrate.emulator.state import Table
from migrate.serve.api.list_pages import PageLimit, PageQuery, unknown_cursor
from migrate.serve.api.refusals import ApiRefusal, openai_refusal

LIMIT = PageLimit()
cursors = st.integers(-1, 12).map(str)
queries = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.sampled_from(["1", "2", "3", "100", "0", "101", "-1", "x", "", "1.5"]),
        "order": st.sampled_from(["asc", "desc", "", "up"]),
        "after": cursors,
        "before": cursors,
    },
)


def answered(count: int, query: dict[str, str]) -> Any:
    """The page of ids, or the error, as the archive answers."""
    try:
        wanted = PageQuery.from_query(query, LIMIT)
        places = {}
        for name, id_ in (("after", wanted.after), ("before", wanted.before)):
            if id_ is not None and not 0 <= int(id_) < count:
                raise unknown_cursor(name, id_)
            places[name] = None if id_ is None else int(id_)
        chosen, has_more = wanted.choose(range(count), places["after"], places["before"])
    except ApiRefusal as refusal:
        return refusal.status, openai_refusal(refusal)
    return [str(place) for place in chosen], has_more


def emulated(count: int, query: dict[str, str]) -> Any:
    table = Table()
    for n in range(count):
        table[str(n)] = {"id": str(n), "created_at": n // 2}
    try:
        answer = page(table, query)
    except ApiError as error:
        return error.status, error.body
    return [row["id"] for row in answer["data"]], answer["has_more"]


@given(st.integers(0, 12), queries)
def test_a_page_is_the_one_of_the_service(count: int, query: dict[str, str]) -> None:
    assert answered(count, query) == emulated(count, query)


@given(st.integers(0, 12), st.integers(1, 5), st.booleans())
def test_pages_one_after_another_have_each_row_once(count: int, limit: int, ascending: bool) -> None:
    seen: list[int] = []
    query, has_more = PageQuery(limit, ascending), True
    while has_more:
        rows, has_more = query.choose(range(count), seen[-1] if seen else None, None)
        seen += rows
    assert seen == list(range(count))[:: 1 if ascending else -1]
