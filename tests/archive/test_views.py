"""The views for other programs: their rows on a filled archive, in order, by snapshot."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.schema_views import ADDED_COLUMNS, VIEW_COLUMNS
from migrate.model import KINDS
from tests.archive.filling import ESTATE, filled, write

BODIES = {kind: bodies for kind, _, bodies in ESTATE}


def rows(archive: Archive, view: str) -> list[dict[str, Any]]:
    found = archive.conn.execute(f"SELECT * FROM {view} ORDER BY snapshot, ordinal")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def test_every_kind_has_its_view() -> None:
    assert {name: view[0] for name, view in VIEW_COLUMNS.items()} == {
        k.plural: k.name for k in KINDS.values()
    }


@pytest.mark.parametrize("view", VIEW_COLUMNS)
def test_a_view_gives_a_row_for_each_object_of_each_snapshot(archive: Archive, view: str) -> None:
    for _ in range(2):
        write(archive)
    kind, parent, columns = VIEW_COLUMNS[view]
    found = rows(archive, view)
    assert [(row["snapshot"], row["ordinal"], row["id"]) for row in found] == [
        (snapshot, n, body["id"]) for snapshot in (1, 2) for n, body in enumerate(BODIES[kind])
    ]
    assert found[0].keys() >= {"body", *(name for name, _ in (*columns, *ADDED_COLUMNS.get(view, ())))}
    if parent:
        assert {row[parent] for row in found} == {parent_id for name, parent_id, _ in ESTATE if name == kind}


@pytest.mark.parametrize(
    ("view", "column", "value"),
    [
        ("assistants", "instructions", "i"),
        ("assistants", "metadata", '{"k":"v"}'),
        ("files", "filename", "a.txt"),
        ("vector_stores", "files", 1),
        ("vector_stores", "usage_bytes", 1 << 40),
        ("vector_store_files", "attributes", '{"a":1}'),
        ("runs", "total_tokens", 5),
        ("run_steps", "run_id", "run_1"),
        ("messages", "text", "Hello\n[image_file]"),
        ("messages", "thread_id", "thread_1"),
        ("threads", "messages", 2),
        ("threads", "created_at", 2),
        ("threads", "created_at_iso", "1970-01-01T00:00:02Z"),
    ],
)
def test_a_column_has_the_content_of_its_name(archive: Archive, view: str, column: str, value: Any) -> None:
    write(archive)
    assert rows(archive, view)[0][column] == value


def test_a_refusal_is_shown_as_text(archive: Archive) -> None:
    write(archive)
    assert rows(archive, "messages")[1]["text"] == "No."


@pytest.mark.parametrize("view", VIEW_COLUMNS)
def test_each_time_is_there_as_text_too(archive: Archive, view: str) -> None:
    names = [row[1] for row in archive.conn.execute(f"PRAGMA table_info({view})")]
    times = [name for name in names if name.endswith("_at")]
    assert times
    assert [names[names.index(name) + 1] for name in times] == [f"{name}_iso" for name in times]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_772_359_200, "2026-03-01T10:00:00Z"),
        (1_772_359_200.75, "2026-03-01T10:00:00Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (1 << 62, None),
        (None, None),
        ("now", None),
        ("1772359200", None),
        ({}, None),
        ([1], None),
    ],
)
def test_a_time_of_any_form_is_no_error(archive: Archive, value: Any, text: str | None) -> None:
    agent = {"id": "a", "versions": {"latest": {"created_at": value}}}
    write(archive, [("thread", "", [{"id": "t", "created_at": value}]), ("assistant", "", [agent])])
    assert [rows(archive, view)[0]["created_at_iso"] for view in ("threads", "assistants")] == [text, text]


def test_a_program_without_the_function_gets_an_error_with_its_name(tmp_path: Path) -> None:
    filled(tmp_path / "estate.db")
    with closing(sqlite3.connect(tmp_path / "estate.db")) as conn:
        with pytest.raises(sqlite3.OperationalError, match="no such function: sqlar_uncompress"):
            conn.execute("SELECT * FROM threads")
        told = dict(conn.execute("SELECT program, how FROM read_me").fetchall())
    assert "no such function: sqlar_uncompress" in told["any program"]
    assert "datasette install PACKAGE" in told["Datasette"]


def test_one_thread_is_found_without_reading_the_others(archive: Archive) -> None:
    write(archive)
    sql = "EXPLAIN QUERY PLAN SELECT * FROM messages WHERE snapshot = 1 AND thread_id = 'thread_1'"
    plan = [row[3] for row in archive.conn.execute(sql)]
    tables = ("kinds", "parents", "listed", "spans", "packs")
    assert [name for name in tables if any(line.startswith(f"SCAN {name}") for line in plan)] == []
