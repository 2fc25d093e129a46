"""The content of a cell of an archive in Datasette: links from ids to objects, from a thread to its
messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from migrate.archive.plugins.archive_queries import OBJECT_QUERY
from migrate.archive.schema_views import ISO_ENDING

# Columns with the id of an object that a query shows whole.
OBJECT_COLUMNS = frozenset(
    {"thread_id", "assistant_id", "run_id", "vector_store_id", "file_id", "id", "parent"}
)
THREAD_VIEW, MESSAGES_VIEW, FILES_VIEW = "threads", "messages", "vector_store_files"
# Views whose rows are objects: there `id` is a link.
OBJECT_VIEWS = frozenset(
    {"assistants", MESSAGES_VIEW, "runs", "run_steps", "files", "vector_stores", FILES_VIEW}
)
KINDS_IN_THREADS = frozenset({"message", "run", "run_step"})
# Columns with the JSON of an object: one of a list, and the one that was asked for.
BODY_COLUMN, WHOLE_BODY_COLUMN = "body", "whole_body"
# Characters of a body that a list shows.
MAX_BODY_CHARS = 80
JSON_HTML = '<pre style="white-space:pre-wrap">{}</pre>'
FOLDED_JSON_HTML = f"<details><summary>{{}}</summary>{JSON_HTML}</details>"
TIME_HTML = '<span style="white-space:nowrap">{}</span>'
LINK_HTML = '<a href="{}">{}</a>'


def cell_html(
    datasette: Any, database: str, table: str | None, column: str, value: Any, row: Mapping[str, Any]
) -> Any:
    """HTML for a cell, or None. `table`: None in the result of a query. A row without a snapshot has no
    links: an id means an object only within a snapshot."""
    if not isinstance(value, (str, int)) or value == "":
        return None
    if column in (BODY_COLUMN, WHOLE_BODY_COLUMN):
        return _body_html(str(value), column == WHOLE_BODY_COLUMN)
    if column.endswith(ISO_ENDING):
        return _html(TIME_HTML, value)
    if "snapshot" not in row:
        return None
    if column == "snapshot":
        return _html(LINK_HTML, f"{datasette.urls.table(database, 'snapshots')}/{value}", value)
    address = _address(datasette, database, table, column, value, row)
    return None if address is None else _html(LINK_HTML, address, value)


def _address(
    datasette: Any, database: str, table: str | None, column: str, value: Any, row: Mapping[str, Any]
) -> str | None:
    snapshot = {"snapshot": row["snapshot"]}
    thread = _thread_of(table, column, value, row)
    if thread is not None:
        shown = {**snapshot, "thread_id": thread, "_sort": "ordinal"}
        return f"{datasette.urls.table(database, MESSAGES_VIEW)}?{urlencode(shown)}"
    if table == "vector_stores" and column == "files":
        shown = {**snapshot, "vector_store_id": row.get("id"), "_sort": "ordinal"}
        return f"{datasette.urls.table(database, FILES_VIEW)}?{urlencode(shown)}"
    if column in OBJECT_COLUMNS and (column != "id" or table is None or table in OBJECT_VIEWS):
        return f"{datasette.urls.query(database, OBJECT_QUERY)}?{urlencode({'id': value, **snapshot})}"
    return None


def _thread_of(table: str | None, column: str, value: Any, row: Mapping[str, Any]) -> Any:
    """The thread whose messages a cell links to, or None. Beside its messages a thread is an object."""
    if table == THREAD_VIEW and column in ("id", "messages"):
        return row.get("id")
    kind = row.get("kind") if table is None else None
    in_query = (column == "id" and kind == "thread") or (column == "parent" and kind in KINDS_IN_THREADS)
    return value if in_query or (column == "thread_id" and table != MESSAGES_VIEW) else None


def _body_html(text: str, whole: bool) -> Any:
    """The JSON of a body: indented where it is the object that was asked for, folded in a list."""
    try:
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        shown = text
    if whole:
        return _html(JSON_HTML, shown)
    beginning = text if len(text) <= MAX_BODY_CHARS else f"{text[:MAX_BODY_CHARS]}…"
    return _html(FOLDED_JSON_HTML, beginning, shown)


def _html(form: str, *values: Any) -> Any:
    """HTML in which each value is a text."""
    from markupsafe import Markup  # Datasette brings it

    return Markup(form).format(*values)
