"""The id map line by line equals the id map as one document."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from migrate.model.results.archive import IdMapping
from migrate.reports.commands.ids import CSV_COLUMNS, id_map_lines

NAMES = ("plain", "two\nlines", 'a "quote", and more', "line\u2028separator", "it's", "")


def rows(count: int) -> Iterator[IdMapping]:
    return (IdMapping("file", f"file-{n}", f"new-{n}", NAMES[n % len(NAMES)], "", "") for n in range(count))


@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_json_is_one_document(count: int) -> None:
    told = [{name: getattr(row, name) for name in CSV_COLUMNS} for row in rows(count)]
    assert "\n".join(id_map_lines(rows(count), "json")) == json.dumps(told, indent=1)


@pytest.mark.parametrize("count", [0, 1, 6])
def test_csv_reads_back(count: int) -> None:
    read = list(csv.DictReader(io.StringIO("\n".join(id_map_lines(rows(count), "csv")))))
    assert read == [{name: getattr(row, name) for name in CSV_COLUMNS} for row in rows(count)]


def test_sql_reads_back() -> None:
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.executescript("\n".join(id_map_lines(rows(6), "sql")))
        assert [row[0] for row in conn.execute("SELECT name FROM id_map")] == list(NAMES)


def test_nothing_is_read_ahead() -> None:
    told = id_map_lines(rows(10**9), "csv")
    assert [next(told) for _ in range(2)] == [",".join(CSV_COLUMNS), "file,file-0,new-0,plain"]
