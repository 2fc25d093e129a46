"""The results of `ls` and `show` as text and JSON; secrets in headers and addresses are masked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from migrate.model.secrets import SECRET_KEY_NAMES, is_secret_key, mask_texts
from migrate.model.served_version import served_version_remarks
from migrate.reports.commands.snapshot import expected_gaps_text
from migrate.reports.text_table import table

MASK = "(masked)"
# Fields of a body that may carry credentials: a tool's headers and authorization.
SECRET_FIELDS = ("tools", "tool_resources", "definition", "versions")


def object_row(kind: str, parent: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One object as a line of a listing."""
    name = mask_texts(body.get("name") or body.get("filename") or "")
    return {
        "kind": kind,
        "id": body.get("id"),
        "name": name,
        "parent": parent,
        "created_at": body.get("created_at"),
        **_remarks(kind, body),
    }


def _remarks(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What decides what users of an agent get, where that is not its newest version."""
    said = served_version_remarks(body) if kind == "assistant" else []
    return {"remarks": said} if said else {}


def objects_document(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As a JSON document."""
    return rows


def objects_text(rows: list[dict[str, Any]], counts: Mapping[str, int], expected: int = 0) -> str:
    """A table, and the counts of everything; `expected`: of gaps that a service makes by its own rule."""
    lines = [(r["kind"], r["id"], r["name"], r["parent"]) for r in rows]
    total = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
    remarks_lines = [f"{r['kind']} {r['id']}: {'; '.join(r['remarks'])}" for r in rows if r.get("remarks")]
    whole = [table(lines, ("kind", "id", "name", "in")), *remarks_lines, total, expected_gaps_text(expected)]
    return "\n".join(filter(None, whole))


def object_document(
    kind: str, parent: str, body: Mapping[str, Any], hidden: Sequence[str] = ()
) -> dict[str, Any]:
    """One object with where it lies, what its service did not show of it, and what its users get."""
    more = {"hidden": [*hidden]} if hidden else {}
    return {"kind": kind, "parent": parent, "body": mask_body(body), **more, **_remarks(kind, body)}


def object_text(found: Mapping[str, Any]) -> str:
    """The body, readable."""
    where = f" in {found['parent']}" if found["parent"] else ""
    hidden = "".join(f"# not shown by the service: {what}\n" for what in found.get("hidden", ()))
    said = "".join(f"# {line}\n" for line in found.get("remarks", ()))
    return (
        f"# {found['kind']}{where}\n{hidden}{said}{json.dumps(found['body'], indent=2, ensure_ascii=False)}"
    )


def mask_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without credentials; only looked for where a service keeps them."""
    return {k: _mask_value(v) if k in SECRET_FIELDS else mask_texts(v) for k, v in body.items()}


def mask_value_at(path: str, value: Any) -> Any:
    """A value that stands at a dotted path of a body, without credentials."""
    top, *steps = re.split(r"[.\[\]]+", path.lower())
    if top not in (*SECRET_FIELDS, "service"):
        return mask_texts(value)
    owned = steps[: steps.index("parameters")] if "parameters" in steps else steps
    return MASK if value and SECRET_KEY_NAMES & set(owned) else _mask_value(value)


def _mask_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: mask_texts(v) if k == "parameters" else MASK if is_secret_key(k) and v else _mask_value(v)
            for k, v in value.items()
        }
    return [_mask_value(item) for item in value] if isinstance(value, list) else mask_texts(value)
