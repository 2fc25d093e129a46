"""The plugin that Datasette loads if this program is installed in its environment: an archive can be read,
linked and searched there.

Datasette 0.65 and the coming 1.0 ask for some of this in different ways, so a hook may be called by only one
of them (`optionalhook`). This module is also imported where only pluggy is installed, which Datasette brings.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pluggy import HookimplMarker

from migrate.archive.packs import register_sql_functions
from migrate.archive.plugins.archive_queries import ArchiveQuery, register_query_functions, usable_queries
from migrate.archive.plugins.cell_links import cell_html
from migrate.archive.schema_steps import APPLICATION_ID

# The same marker as `datasette.hookimpl`.
hookimpl = HookimplMarker("datasette")

# Tables that are of use to a reader; the others are hidden, also those of the index.
SHOWN_TABLES = frozenset({"snapshots", "endpoints", "missing", "contents", "plans", "journal"})
# Where the archives are kept in Datasette's own object, until it ends.
ARCHIVES_ATTRIBUTE = "_assistants_migrate_archives"


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Called for every connection that is opened."""
    register_sql_functions(conn)
    register_query_functions(conn)


@dataclass(frozen=True)
class _ArchiveInDatasette:
    """The facts about one archive. `hidden`: tables that are not shown."""

    hidden: tuple[str, ...]
    queries: Mapping[str, ArchiveQuery]


@hookimpl
def startup(datasette: Any) -> Any:
    """Find out which databases are archives, hide their inner tables, and add the queries (1.0)."""

    async def prepare_archives() -> None:
        archives: dict[str, _ArchiveInDatasette] = {}
        setattr(datasette, ARCHIVES_ATTRIBUTE, archives)
        for name, database in list(datasette.databases.items()):
            try:
                archive = await database.execute_fn(_look_at)
            except sqlite3.Error:  # a file that is damaged: Datasette reports it itself
                continue
            if archive:
                archives[name] = archive
                await _prepare_for_1_0(datasette, name, archive)

    return prepare_archives


def _look_at(conn: sqlite3.Connection) -> _ArchiveInDatasette | None:
    if conn.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return None
    tables = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return _ArchiveInDatasette(tuple(set(tables) - SHOWN_TABLES), usable_queries(conn))


async def _prepare_for_1_0(datasette: Any, database: str, archive: _ArchiveInDatasette) -> None:
    """Datasette 1.0 has its own settings for hidden tables, and stores queries."""
    if not hasattr(datasette, "add_query"):
        return
    tables = datasette.config.setdefault("databases", {}).setdefault(database, {}).setdefault("tables", {})
    for table in archive.hidden:
        tables.setdefault(table, {}).setdefault("hidden", True)
    for name, query in archive.queries.items():
        await datasette.add_query(
            database, name, query.sql, title=query.title, description=query.description,
            parameters=query.parameters, hide_sql=True, is_trusted=True,
        )  # fmt: skip


def _archives(datasette: Any) -> Mapping[str, _ArchiveInDatasette]:
    return getattr(datasette, ARCHIVES_ATTRIBUTE, {})


@hookimpl(optionalhook=True)
def get_metadata(datasette: Any) -> dict[str, Any]:
    """Hide the inner tables of each archive (0.65)."""
    return {
        "databases": {
            name: {"tables": {table: {"hidden": True} for table in archive.hidden}}
            for name, archive in _archives(datasette).items()
        }
    }


@hookimpl(optionalhook=True)
def canned_queries(datasette: Any, database: str) -> dict[str, Any]:
    """The queries of an archive (0.65)."""
    archive = _archives(datasette).get(database)
    return {
        name: {
            "sql": query.sql,
            "title": query.title,
            "description": query.description,
            "params": query.parameters,
            "hide_sql": True,
        }
        for name, query in (archive.queries if archive else {}).items()
    }


@hookimpl
def render_cell(
    row: Any, value: Any, column: str, table: str | None, database: str | None, datasette: Any
) -> Any:
    """A link to the object of an id, and a folded text for a body. None for what Datasette shows itself."""
    if database not in _archives(datasette):
        return None
    values: Mapping[str, Any] = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row, not a mapping
    return cell_html(datasette, str(database), table, column, value, values)
