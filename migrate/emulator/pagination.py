"""One page of a table, in the list envelope of the services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from migrate.emulator.errors import ApiError, refuse
from migrate.emulator.state import Json, Table


@dataclass(frozen=True)
class Limit:
    """How many rows a page may have, and has when nobody says."""

    maximum: int = 100
    default: int = 20


PAGE = Limit()
FILES_PAGE = Limit(10_000, 10_000)


def envelope(rows: list[Json], has_more: bool) -> Json:
    """Empty pages name their ends too, as null (recorded 2025-04)."""
    return {
        "object": "list",
        "data": rows,
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
        "has_more": has_more,
    }


def without_empty_ends(rows: list[Json], has_more: bool) -> Json:
    """Agents and conversations: an empty page names no ends at all (recorded 2026-03)."""
    ends = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]} if rows else {}
    return {"data": rows, **ends, "has_more": has_more, "object": "list"}


def page(
    table: Table,
    query: Mapping[str, str],
    *,
    show: Callable[[Json], Json] | None = None,
    keep: Callable[[Json], bool] | None = None,
    limit: Limit = PAGE,
    wrap: Callable[[list[Json], bool], Json] = envelope,
) -> Json:
    """The rows a list request asks for: `limit`, `order`, `after`, `before`."""
    size = _size(query.get("limit"), limit)
    span = _span(table, query)
    backwards = "before" in query and "after" not in query  # the page that ends just before the cursor
    rows: list[Json] = []
    has_more = False
    for row in _walk(table, reversed(span) if backwards else span):
        if keep is None or keep(row):
            if len(rows) == size:
                has_more = True
                break
            rows.append(row)
    if backwards:
        rows.reverse()
    return wrap([show(row) for row in rows] if show else rows, has_more)


def _walk(table: Table, span: Iterable[int]) -> Iterator[Json]:
    order = table.order
    return (table[order[position].id] for position in span)


def _span(table: Table, query: Mapping[str, str]) -> range:
    """Positions in the order asked for, between the cursors."""
    order = query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise refuse(
            f"Invalid value: '{order}'. Supported values are: 'asc','desc'",
            param="order",
            code="invalid_value",
        )
    step = 1 if order == "asc" else -1
    ends = range(len(table))[::step]
    start, stop = ends.start, ends.stop
    if "after" in query:
        start = _cursor(table, query["after"], "after") + step
    if "before" in query:
        stop = _cursor(table, query["before"], "before")
    return range(start, stop, step)


def _cursor(table: Table, wanted: str, name: str) -> int:
    position = table.position(wanted)
    if position is None:
        raise refuse(f"Invalid '{name}': no object with id '{wanted}' in this list.", param=name)
    return position


def _size(given: str | None, limit: Limit) -> int:
    if given is None or given == "":
        return limit.default
    try:
        size = int(given)
    except ValueError:
        raise refuse(
            "Invalid type for 'limit': expected an integer, but got a string instead.",
            param="limit",
            code="invalid_type",
        ) from None
    if not 1 <= size <= limit.maximum:
        raise _out_of_range(size, limit)
    return size


def _out_of_range(size: int, limit: Limit) -> ApiError:
    side, sign, bound = ("below_min", ">=", 1) if size < 1 else ("above_max", "<=", limit.maximum)
    return refuse(
        f"Invalid 'limit': integer {side.replace('_', ' ')}imum value. "
        f"Expected a value {sign} {bound}, but got {size} instead.",
        param="limit",
        code=f"integer_{side}_value",
    )
