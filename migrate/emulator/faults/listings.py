"""Faults of listings: pages with wrong ends or in a wrong order, and changes between two pages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from migrate.emulator.faults.rule import FaultContext
from migrate.emulator.state import Estate, Json, Table, new_id, now

TOP_TABLES = ("assistants", "threads", "files", "vector_stores", "agents", "conversations")
# The collections in the path of a listing -> the tables of the estate.
CHILD_TABLES = {
    ("threads", "messages"): "messages",
    ("threads", "runs"): "runs",
    ("runs", "steps"): "run_steps",
    ("vector_stores", "files"): "vector_store_files",
    ("conversations", "items"): "items",
    ("agents", "versions"): "agent_versions",
}


def query_pairs(ctx: FaultContext) -> list[tuple[str, str]]:
    """The query of the request, in order."""
    return parse_qsl(ctx.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def rows_of(answer: Json) -> list[Json]:
    """The rows of a list, or the one object that an answer is."""
    rows = answer.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [answer]


async def ignores_after(ctx: FaultContext) -> None:
    pairs = ctx.scope["query_string"].split(b"&")
    await ctx.pass_on(query_string=b"&".join(pair for pair in pairs if not pair.startswith(b"after=")))


async def ignores_order(ctx: FaultContext) -> None:
    """Rows come newest first, or oldest first, whatever the request asks for."""
    order = "asc" if ctx.rule["comes"] == "oldest-first" else "desc"
    others = [pair for pair in query_pairs(ctx) if pair[0] != "order"]
    await ctx.pass_on(query_string=urlencode([*others, ("order", order)]).encode())


async def ends_early(ctx: FaultContext) -> None:
    """A page claims to be the last although there are more."""
    await ctx.alter_answer(lambda answer: answer.update(has_more=False) if "has_more" in answer else None)


async def no_has_more(ctx: FaultContext) -> None:
    """A page does not say whether it is the last, nor its first and last id (recorded 2024-07)."""

    def remove(answer: Json) -> None:
        for name in ("has_more", "first_id", "last_id"):
            answer.pop(name, None)

    await ctx.alter_answer(remove)


async def counts_more(ctx: FaultContext) -> None:
    """A vector store counts more files than its listing has."""

    def count(answer: Json) -> None:
        for store in rows_of(answer):
            if isinstance(counts := store.get("file_counts"), dict):
                counts["total"] = counts.get("total", 0) + ctx.rule["more"]

    await ctx.alter_answer(count)


# ------------------------------------------------------------------------- changes between two pages


async def moving(ctx: FaultContext) -> None:
    """The listing changes before one of its pages is read."""
    _change_table(ctx.rule["change"], ctx.estate, ctx.request.path, ctx.request.query)
    await ctx.pass_on()


def _change_table(change: str, estate: Estate, path: str, query: Mapping[str, str]) -> None:
    """Insert a copy of the newest object, or delete one: the first of the rows already read (`delete-seen`),
    the last of them (`delete-cursor`), or the last of the rows still to be read (`delete-ahead`)."""
    table = _table_of(estate, path)
    cursor = query.get("after", "")
    if table is None or cursor not in table:
        return
    ids = [sort_key.id for sort_key in table.order]
    if query.get("order", "desc") != "asc":
        ids.reverse()
    index = ids.index(cursor)
    victims = {
        "delete-seen": ids[:index][:1],
        "delete-cursor": [cursor],
        "delete-ahead": ids[index + 1 :][-1:],
    }
    if change == "insert":
        _insert_copy(estate, table, table.order[-1].id)
    for id_ in victims.get(change, ()):
        _delete(estate, table, id_)


def _table_of(estate: Estate, path: str) -> Table | None:
    """The table that a listing shows, by the last parts of its path."""
    parts = path.strip("/").split("/")
    if len(parts) > 2 and (name := CHILD_TABLES.get((parts[-3], parts[-1]))):
        table: Table = getattr(estate, name)[parts[-2]]
        return table
    return getattr(estate, parts[-1]) if parts[-1] in TOP_TABLES else None


def _insert_copy(estate: Estate, table: Table, id_: str) -> None:
    """A copy with an id of its own and the current time."""
    row = table[id_]
    copy_id = new_id(f"{id_}-")
    copy: Json = {**row, "id": copy_id}
    if "created_at" in row:
        copy["created_at"] = now()
    if "versions" in row:
        version = {**row["versions"]["latest"], "id": f"{copy_id}:1", "name": copy_id, "version": "1"}
        copy |= {"name": copy_id, "versions": {"latest": {**version, "created_at": now()}}}
        estate.agent_versions[copy_id][version["id"]] = version
    if table is estate.files and id_ in estate.content:
        estate.content[copy_id] = estate.content[id_]
    table[copy_id] = copy


def _delete(estate: Estate, table: Table, id_: str) -> None:
    del table[id_]
    for parents, children in (
        (estate.threads, estate.messages),
        (estate.vector_stores, estate.vector_store_files),
        (estate.agents, estate.agent_versions),
    ):
        if table is parents:
            children.pop(id_, None)
