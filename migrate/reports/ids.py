"""The id map as CSV, JSON or SQL. Names are data: no spreadsheet may take one for a formula."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

HEAD = ("kind", "source_id", "target_id", "name")
FORMULA = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, the wide forms of some languages included."""


def as_dict(rows: list[Any]) -> list[dict[str, str]]:
    """As a JSON document."""
    return [{name: getattr(row, name) for name in HEAD} for row in rows]


def as_text(rows: list[Any], format_: str) -> str:
    """In one of the formats."""
    return FORMATS[format_](as_dict(rows))


def _csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    plain = csv.writer(out, lineterminator="\n")
    quoting = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(HEAD)
    for row in rows:
        cells = [row[h].replace("\0", "") for h in HEAD]  # many readers stop at a NUL
        writer = quoting if "\r" in "".join(cells) else plain  # a bare \r ends a row for a reader, too
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return out.getvalue().rstrip("\n")


def _json(rows: list[dict[str, str]]) -> str:
    return json.dumps(rows, indent=1)


def _sql(rows: list[dict[str, str]]) -> str:
    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''").replace("\0", "") + "'"

    lines = ["CREATE TABLE id_map (kind TEXT, source_id TEXT, target_id TEXT, name TEXT);"]
    lines += [f"INSERT INTO id_map VALUES ({', '.join(quoted(row[h]) for h in HEAD)});" for row in rows]
    return "\n".join(lines)


FORMATS = {"csv": _csv, "json": _json, "sql": _sql}
