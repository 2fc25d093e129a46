"""One page of a table, in the list envelope of the services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migrate.emulator.errors import refuse, unsupported_value
from migrate.emulator.state import Json, Table


@dataclass(frozen=True)
class Limit:
    """The largest page that a client may request, and the size of a page without `limit`, in rows."""

    maximum: int = 100
    default: int = 20


DEFAULT_LIMIT = Limit()
FILES_LIMIT = Limit(10_000, 10_000)


def list_envelope(rows: list[Json], has_more: bool) -> Json:
    """The envelope of assistants and most others; on an empty page both ids are null (recorded 2025-04)."""
    return {
        "object": "list",
        "data": rows,
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
        "has_more": has_more,
    }


def agent_list_envelope(rows: list[Json], has_more: bool) -> Json:
    """The envelope of agents and conversations; an empty page has no ids (recorded 2026-03)."""
    ids = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]} if rows else {}
    return {"data": rows, **ids, "has_more": has_more, "object": "list"}


def equals(key: str, value: str | None) -> Callable[[Json], bool] | None:
    """A filter for `page`: rows whose `key` has this value; None (no filter) without a value."""
    return (lambda row: row.get(key) == value) if value else None


def page(
    table: Table,
    query: Mapping[str, str],
    *,
    show: Callable[[Json], Json] | None = None,
    keep: Callable[[Json], bool] | None = None,
    limit: Limit = DEFAULT_LIMIT,
    wrap: Callable[[list[Json], bool], Json] = list_envelope,
) -> Json:
    """The page that a query asks for with `limit`, `order`, `after` and `before`.

    `keep` filters rows, `show` converts each of them. Raises `ApiError` for a query that is not valid.
    """
    size = _page_size(query.get("limit"), limit)
    indexes = _indexes(table, query)
    is_backwards = "before" in query and "after" not in query  # the page that ends just before the cursor
    rows: list[Json] = []
    has_more = False
    for index in reversed(indexes) if is_backwards else indexes:
        row = table[table.order[index].id]
        if keep is None or keep(row):
            if len(rows) == size:
                has_more = True
                break
            rows.append(row)
    if is_backwards:
        rows.reverse()
    return wrap([show(row) for row in rows] if show else rows, has_more)


def _indexes(table: Table, query: Mapping[str, str]) -> range:
    """Indexes into `table.order` between the cursors, in the requested order."""
    order = query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise unsupported_value("order", order, ("asc", "desc"), "invalid_value")
    step = 1 if order == "asc" else -1
    all_rows = range(len(table))[::step]
    start, stop = all_rows.start, all_rows.stop
    if "after" in query:
        start = _cursor_index(table, query["after"], "after") + step
    if "before" in query:
        stop = _cursor_index(table, query["before"], "before")
    return range(start, stop, step)


def _cursor_index(table: Table, id_: str, name: str) -> int:
    index = table.index_of(id_)
    if index is None:
        raise refuse(f"Invalid '{name}': no object with id '{id_}' in this list.", param=name)
    return index


def _page_size(requested: str | None, limit: Limit) -> int:
    if not requested:
        return limit.default
    try:
        size = int(requested)
    except ValueError:
        raise refuse(
            "Invalid type for 'limit': expected an integer, but got a string instead.",
            param="limit",
            code="invalid_type",
        ) from None
    if 1 <= size <= limit.maximum:
        return size
    side, sign, bound = ("below_min", ">=", 1) if size < 1 else ("above_max", "<=", limit.maximum)
    raise refuse(
        f"Invalid 'limit': integer {side.replace('_', ' ')}imum value. "
        f"Expected a value {sign} {bound}, but got {size} instead.",
        param="limit",
        code=f"integer_{side}_value",
    )
