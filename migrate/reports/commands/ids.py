"""The result of `ids`, the id map, as CSV, JSON and SQL."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from textwrap import indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.model.results.archive import IdMapping

CSV_COLUMNS = ("kind", "source_id", "target_id", "name")
# The columns of the archive's view `id_map`, so that a query written for the view works on the table.
SQL_COLUMNS = (
    *CSV_COLUMNS, "source_parent", "target_parent", "source_type", "source_url", "target_type", "target_url",
)  # fmt: skip
# Characters that make a spreadsheet treat a cell as a formula, including the full-width forms.
FORMULA_STARTS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n")


def id_map_lines(rows: Iterable[IdMapping], format_: str) -> Iterator[str]:
    """The id map, line by line, in a format of `ID_MAP_FORMATS`. Memory stays flat for a million rows."""
    columns = SQL_COLUMNS if format_ == "sql" else CSV_COLUMNS
    return ID_MAP_FORMATS[format_]({name: getattr(row, name) for name in columns} for row in rows)


def _csv(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    out = io.StringIO()
    plain = csv.writer(out, lineterminator="\n")
    quoting = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    yield ",".join(CSV_COLUMNS)
    for row in rows:
        cells = [row[column].replace("\0", "") for column in CSV_COLUMNS]  # many readers stop at a NUL
        writer = quoting if "\r" in "".join(cells) else plain  # a bare \r ends a row for a reader, too
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell for cell in cells])
        yield out.getvalue()[:-1]
        out.seek(0)
        out.truncate()


def _json(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """One document, formatted as `json.dumps(rows, indent=1)` does."""
    texts = (indent(json.dumps(row, indent=1), " ") for row in rows)
    last = next(texts, None)
    if last is None:
        yield "[]"
        return
    yield "["
    for text in texts:
        yield f"{last},"
        last = text
    yield last
    yield "]"


def _sql(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''").replace("\0", "") + "'"

    yield f"CREATE TABLE id_map ({', '.join(f'{name} TEXT' for name in SQL_COLUMNS)});"
    for row in rows:
        yield f"INSERT INTO id_map VALUES ({', '.join(quoted(row[name]) for name in SQL_COLUMNS)});"


ID_MAP_FORMATS = {"csv": _csv, "json": _json, "sql": _sql}
