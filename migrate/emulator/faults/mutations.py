"""Faults that add an object to a table, or delete one, between two pages of a listing."""

from __future__ import annotations

from collections.abc import Mapping

from migrate.emulator import state
from migrate.emulator.state import Estate, Json, Table, now

TOP = ("assistants", "threads", "files", "vector_stores", "agents", "conversations")
BELOW = {
    ("threads", "messages"): "messages",
    ("threads", "runs"): "runs",
    ("runs", "steps"): "run_steps",
    ("vector_stores", "files"): "vector_store_files",
    ("conversations", "items"): "items",
    ("agents", "versions"): "agent_versions",
}


def change(how: str, estate: Estate, path: str, query: Mapping[str, str]) -> None:
    """Insert a double of the newest object, or delete one: `delete-seen` the one that was read first,
    `delete-cursor` the one that was read last, `delete-ahead` the one that would be read last."""
    table = table_of(estate, path)
    cursor = query.get("after", "")
    if table is None or cursor not in table:
        return
    order = [place.id for place in table.order]
    if query.get("order", "desc") != "asc":
        order.reverse()
    at = order.index(cursor)
    seen, ahead = order[:at], order[at + 1 :]
    if how == "insert":
        _insert(estate, table, table.order[-1].id)
    elif how == "delete-cursor":
        _delete(estate, table, cursor)
    elif how == "delete-seen" and seen:
        _delete(estate, table, seen[0])
    elif how == "delete-ahead" and ahead:
        _delete(estate, table, ahead[-1])


def table_of(estate: Estate, path: str) -> Table | None:
    """The rows that a listing shows, by the last parts of its path."""
    parts = path.strip("/").split("/")
    if len(parts) > 2 and (below := BELOW.get((parts[-3], parts[-1]))):
        table: Table = getattr(estate, below)[parts[-2]]
        return table
    return getattr(estate, parts[-1]) if parts[-1] in TOP else None


def _insert(estate: Estate, table: Table, like: str) -> None:
    """A double under an id of its own, made now."""
    row = table[like]
    id_ = state.new(f"{like}-")
    double: Json = {**row, "id": id_}
    if "created_at" in row:
        double["created_at"] = now()
    if "versions" in row:
        version = {**row["versions"]["latest"], "id": f"{id_}:1", "name": id_, "version": "1"}
        double |= {"name": id_, "versions": {"latest": {**version, "created_at": now()}}}
        estate.agent_versions[id_][version["id"]] = version
    if table is estate.files and like in estate.content:
        estate.content[id_] = estate.content[like]
    table[id_] = double


def _delete(estate: Estate, table: Table, id_: str) -> None:
    del table[id_]
    for parents, children in (
        (estate.threads, estate.messages),
        (estate.vector_stores, estate.vector_store_files),
        (estate.agents, estate.agent_versions),
    ):
        if table is parents:
            children.pop(id_, None)
