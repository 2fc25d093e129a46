"""Results of `ls`, `show`, `search` and `extract` as text and JSON.

Secrets in headers and addresses are masked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from migrate.model.entity import JSON
from migrate.model.masked_values import mask_body
from migrate.model.secrets import mask_texts
from migrate.model.served_version import served_version_remarks
from migrate.reports.commands.archive import expected_gaps_text
from migrate.reports.text_table import shorten, table

if TYPE_CHECKING:  # `ls` works without them
    from migrate.model.results.query import CleanupFinding, CleanupResult, ExtractResult, SearchHit

MAX_CLEANUP_CELL_CHARS = 100
MAX_EXCERPT_CHARS = 200

ObjectRow = dict[str, JSON]


def object_row(kind: str, parent: str, body: Mapping[str, JSON]) -> ObjectRow:
    """One object of a listing."""
    return {
        "kind": kind,
        "id": body.get("id"),
        "name": mask_texts(body.get("name") or body.get("filename") or ""),
        "parent": parent,
        "created_at": body.get("created_at"),
        **_remarks(kind, body),
    }


def _remarks(kind: str, body: Mapping[str, JSON]) -> ObjectRow:
    """Remarks on an agent whose users do not get its newest version."""
    remarks = served_version_remarks(body) if kind == "assistant" else []
    return {"remarks": remarks} if remarks else {}


def objects_text(rows: Sequence[ObjectRow], counts: Mapping[str, int], expected: int) -> str:
    """A table, and the count of each kind. `expected`: number of gaps that the service causes by its own
    rule."""
    columns = ["kind", "id", "name", "parent"]
    columns += ["needed_by"] if any(row.get("needed_by") for row in rows) else []
    lines = [tuple(row.get(column, "") for column in columns) for row in rows]
    head = tuple({"parent": "in", "needed_by": "needed by"}.get(column, column) for column in columns)
    remarks = [f"{r['kind']} {r['id']}: {'; '.join(r['remarks'])}" for r in rows if r.get("remarks")]
    total = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
    parts = [table(lines, head), *remarks, total, expected_gaps_text(expected)]
    return "\n".join(filter(None, parts))


def object_document(kind: str, parent: str, body: Mapping[str, JSON], hidden: Sequence[str]) -> ObjectRow:
    """One object with its parent, what its service did not show of it, and remarks."""
    more = {"hidden": [*hidden]} if hidden else {}
    return {"kind": kind, "parent": parent, "body": mask_body(body), **more, **_remarks(kind, body)}


def object_text(document: Mapping[str, JSON]) -> str:
    """The body as indented JSON, below comment lines."""
    where = f" in {document['parent']}" if document["parent"] else ""
    comments = [
        f"{document['kind']}{where}",
        *(f"not shown by the service: {content}" for content in document.get("hidden", ())),
        *document.get("remarks", ()),
    ]
    body = json.dumps(document["body"], indent=2, ensure_ascii=False)
    return "\n".join([*(f"# {line}" for line in comments), body])


def cleanup_document(result: CleanupResult, kind: str | None = None) -> dict[str, JSON]:
    """The JSON document of `ls --orphans` and the like."""
    rows = _of_kind(result, kind)
    return {
        "objects": [asdict(row) for row in rows],
        "totals": {name: {"objects": n, "bytes": size} for name, (n, size) in cleanup_totals(rows).items()},
        "unsaid": list(result.unproven),
        "notes": list(result.notes),
    }


def cleanup_text(result: CleanupResult, kind: str | None = None) -> str:
    """A table, the bytes of each kind, and claims that the snapshot cannot prove."""
    rows = _of_kind(result, kind)
    lines = [
        (r.mark, r.kind, r.id, shorten(r.name, 40), r.parent, "" if r.bytes is None else r.bytes, r.why)
        for r in rows
    ]
    head = ("which", "kind", "id", "name", "in", "bytes", "why")
    parts = [table(lines, head, MAX_CLEANUP_CELL_CHARS)] if lines else ["nothing found"]
    for name, (number, size) in cleanup_totals(rows).items():
        plural = "" if number == 1 else "s"
        parts.append(f"{number:,} {name.replace('_', ' ')}{plural}" + (f", {size:,} bytes" if size else ""))
    parts += [f"cannot be said: {shorten(claim, 300)}" for claim in result.unproven]
    parts += [f"note: {note}" for note in result.notes]
    return "\n".join(parts)


def cleanup_totals(rows: Iterable[CleanupFinding]) -> dict[str, tuple[int, int]]:
    """Kind -> number of objects and bytes; an object with several marks counts once."""
    totals: dict[str, tuple[int, int]] = {}
    for row in {(row.kind, row.parent, row.id): row for row in rows}.values():
        number, size = totals.get(row.kind, (0, 0))
        totals[row.kind] = (number + 1, size + (row.bytes or 0))
    return totals


def _of_kind(result: CleanupResult, kind: str | None) -> list[CleanupFinding]:
    return [row for row in result.findings if kind in (None, row.kind)]


def search_document(hits: Iterable[SearchHit]) -> list[dict[str, JSON]]:
    """The JSON document of `search`."""
    return [asdict(hit) for hit in hits]


def hit_line(hit: SearchHit) -> str:
    """One hit on one line."""
    where = f" in {shorten(hit.parent)}" if hit.parent else ""
    return f"{hit.kind} {shorten(hit.id)}{where}, {hit.field}: {shorten(hit.excerpt, MAX_EXCERPT_CHARS)}"


def extract_document(result: ExtractResult) -> list[dict[str, JSON]]:
    """The JSON document of `extract`: the files that were written."""
    return [{**asdict(row), "path": str(row.path)} for row in result.written]


def extract_text(result: ExtractResult) -> str:
    """A line per file, with the path that it was written to."""
    lines = [(row.id, str(row.path), row.bytes, row.bytes_from) for row in result.written]
    head = ("id", "written to", "bytes", "bytes from")
    return table(lines, head, max_chars=250) if lines else "nothing written"


def extract_failure_lines(result: ExtractResult) -> Iterator[str]:
    """A line per file that was not written."""
    for row in result.failed:
        name = f" {row.name!r}" if row.name else ""
        yield f"not written: file {row.id}{name}: {row.reason}"
