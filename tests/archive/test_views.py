"""The views that people read with other programs: rows on a filled archive, in order, by snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.schema import VIEW_COLUMNS
from migrate.model import KINDS
from tests.archive.filling import ESTATE, write

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
    assert found[0].keys() >= {"body", *(name for name, _ in columns)}
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
    ],
)
def test_a_column_shows_what_its_name_says(archive: Archive, view: str, column: str, value: Any) -> None:
    write(archive)
    assert rows(archive, view)[0][column] == value


def test_a_refusal_is_shown_as_text(archive: Archive) -> None:
    write(archive)
    assert rows(archive, "messages")[1]["text"] == "No."
