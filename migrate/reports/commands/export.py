"""Results of `export` (a config directory or a Terraform file) and of `ids` as text, JSON, CSV and SQL."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from textwrap import indent
from typing import TYPE_CHECKING

from migrate.model.entity import JSON
from migrate.reports.text_table import shorten

if TYPE_CHECKING:
    from migrate.model.results.archive import IdMapping
    from migrate.model.results.export import ExportResult, TerraformExport

# Paths that are named in text; JSON has all of them.
MAX_PATHS_SHOWN = 20

CSV_COLUMNS = ("kind", "source_id", "target_id", "name")
# The columns of the archive's view `id_map`, so that a query written for the view works on the table.
SQL_COLUMNS = (
    *CSV_COLUMNS, "source_parent", "target_parent", "source_type", "source_url", "target_type", "target_url",
)  # fmt: skip
# Characters that make a spreadsheet treat a cell as a formula, including the full-width forms.
FORMULA_STARTS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n")


def export_document(result: ExportResult) -> dict[str, JSON]:
    """The JSON document of an export to a config directory."""
    document = asdict(result)
    return {"directory": str(document.pop("folder")), **document}


def export_text(result: ExportResult) -> str:
    """Counts, what was written and removed, and what was left out."""
    environment = f", environment {result.environment}" if result.environment else ""
    lines = [f"{result.folder}: {_kind_counts(result.counts)}{environment}"]
    lines += _path_lines("wrote", result.written) + _path_lines("removed", result.removed)
    if result.unchanged:
        lines.append(f"{result.unchanged:,} files are as they were")
    if result.left_out:
        others = " or that belong to another environment" if result.environment else ""
        lines.append(f"left out: {_kind_counts(result.left_out)} that no assistant uses{others}")
    return "\n".join([*lines, *result.notes])


def _kind_counts(counts: Mapping[str, int]) -> str:
    words = [
        f"{number:,} {kind.replace('_', ' ')}{'' if number == 1 else 's'}" for kind, number in counts.items()
    ]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _path_lines(verb: str, paths: list[str]) -> list[str]:
    more = [f"{verb} {len(paths) - MAX_PATHS_SHOWN:,} more"] if len(paths) > MAX_PATHS_SHOWN else []
    return [f"{verb} {path}" for path in paths[:MAX_PATHS_SHOWN]] + more


def terraform_document(result: TerraformExport, path: object) -> dict[str, JSON]:
    """The JSON document of an export to a Terraform file."""
    agents = result.agents
    return {
        "file": str(path),
        "agents": agents.resources,
        "secrets": agents.secrets,
        "variables": agents.required_variables,
        "normalized": agents.normalized,
        "replaced": agents.replaced,
        "losses": [asdict(row) for row in result.losses],
    }


def terraform_text(result: TerraformExport, path: object) -> str:
    """Counts, and every variable that needs a value."""
    agents = result.agents
    lines = [f"{path}: {len(agents.resources):,} agents"]
    lines += [f"give the secret {name}: it is in no file" for name in agents.secrets]
    lines += [f"give {name}: an id of the new project" for name in agents.required_variables]
    lines += [
        f"{shorten(field)}: not in the Unicode form NFC, to which Terraform changes every text: the first "
        "plan shows it"
        for field in agents.normalized
    ]
    lines += [
        f"{shorten(field)}: half of a character pair has no form there and becomes U+FFFD"
        for field in agents.replaced
    ]
    lines += [
        f"{row.grade}: {row.kind} {shorten(row.name or row.id)} {row.field}: {row.reason}"
        for row in result.losses
    ]
    return "\n".join(lines)


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
