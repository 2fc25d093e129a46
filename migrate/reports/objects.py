"""Objects of a snapshot, listed and shown; secrets in headers and addresses are masked wherever shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from migrate.model.secrets import SECRET_NAMES, is_secret, masked_texts
from migrate.reports.snapshot import expected_gaps
from migrate.reports.tables import table

MASK = "(masked)"
SECRET_PLACES = ("tools", "tool_resources", "definition", "versions")
"""Fields of a body that may carry credentials: a tool's headers and authorization."""


def row(kind: str, parent: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One object as a line of a listing."""
    name = masked_texts(body.get("name") or body.get("filename") or "")
    return {
        "kind": kind,
        "id": body.get("id"),
        "name": name,
        "parent": parent,
        "created_at": body.get("created_at"),
    }


def as_dict(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As a JSON document."""
    return rows


def as_text(rows: list[dict[str, Any]], counts: Mapping[str, int], expected: int = 0) -> str:
    """A table, and the counts of everything; `expected`: of gaps that a service makes by its own rule."""
    lines = [(r["kind"], r["id"], r["name"], r["parent"]) for r in rows]
    total = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
    return "\n".join(
        filter(None, [table(lines, ("kind", "id", "name", "in")), total, expected_gaps(expected)])
    )


def shown(kind: str, parent: str, body: Mapping[str, Any], hidden: Sequence[str] = ()) -> dict[str, Any]:
    """One object with where it lies, and what its service did not show of it."""
    return {"kind": kind, "parent": parent, "body": masked(body), **({"hidden": [*hidden]} if hidden else {})}


def shown_text(found: Mapping[str, Any]) -> str:
    """The body, readable."""
    where = f" in {found['parent']}" if found["parent"] else ""
    hidden = "".join(f"# not shown by the service: {what}\n" for what in found.get("hidden", ()))
    return f"# {found['kind']}{where}\n{hidden}{json.dumps(found['body'], indent=2, ensure_ascii=False)}"


def masked(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without credentials; only looked for where a service keeps them."""
    return {k: _masked(v) if k in SECRET_PLACES else masked_texts(v) for k, v in body.items()}


def masked_at(path: str, value: Any) -> Any:
    """A value that stands at a dotted path of a body, without credentials."""
    top, *steps = re.split(r"[.\[\]]+", path.lower())
    if top not in (*SECRET_PLACES, "service"):
        return masked_texts(value)
    owned = steps[: steps.index("parameters")] if "parameters" in steps else steps
    return MASK if value and SECRET_NAMES & set(owned) else _masked(value)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: masked_texts(v) if k == "parameters" else MASK if is_secret(k) and v else _masked(v)
            for k, v in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else masked_texts(value)
