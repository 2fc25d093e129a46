"""A folder of saved answers comes in; their objects go into an estate verbatim, what cannot is named.

Any JSON file may hold an API object, a list envelope, an array, or recorded exchanges with a `response_body`.
The bytes of a file lie in `content/<file id>`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .blobs import SavedContent
from .estate import Estate, Json, Table

CONTENT = "content"
Store = Callable[[Estate, Json], Table]

# Which table keeps an object, by what it calls itself.
TABLES: dict[str, Store] = {
    "assistant": lambda estate, row: estate.assistants,
    "thread": lambda estate, row: estate.threads,
    "thread.message": lambda estate, row: estate.messages[row["thread_id"]],
    "thread.run": lambda estate, row: estate.runs[row["thread_id"]],
    "thread.run.step": lambda estate, row: estate.run_steps[row["run_id"]],
    "file": lambda estate, row: estate.files,
    "vector_store": lambda estate, row: estate.vector_stores,
    "vector_store.file": lambda estate, row: estate.vector_store_files[row["vector_store_id"]],
}


@dataclass(frozen=True)
class Skipped:
    """Something in the folder that no Assistants estate can hold."""

    file: str
    reason: str


def load(folder: Path, estate: Estate) -> list[Skipped]:
    """Fills the estate. The same object saved twice: the later one wins."""
    rows: list[Json] = []
    skipped: list[Skipped] = []
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder)
        if name.parts[0] == CONTENT:
            continue
        for found in _objects(_parsed(path)):
            if isinstance(found, str):
                skipped.append(Skipped(str(name), found))
            else:
                rows.append(found)
    for row in rows:
        TABLES[row["object"]](estate, row)[row["id"]] = row
    _adopt_orphans(estate)
    _find_content(folder / CONTENT, estate)
    return skipped


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return f"not JSON: {error}"


def _objects(document: Any) -> Iterator[Json | str]:
    """Every object in a document, or the reason why there is none."""
    if isinstance(document, list):
        for each in _oldest_first(document):
            yield from _objects(each)
    elif not isinstance(document, dict):
        yield document if isinstance(document, str) else f"a bare {type(document).__name__}"
    elif "response_body" in document:
        yield from _objects(document["response_body"])
    elif isinstance(document.get("data"), list):
        yield from _objects(document["data"])
    else:
        yield _unusable(document) or document


def _oldest_first(rows: list[Any]) -> list[Any]:
    """A list whose seconds fall was read newest first."""
    seconds = [row.get("created_at") if isinstance(row, dict) else None for row in rows]
    known = [each for each in seconds if isinstance(each, (int, float))]
    falls = known != sorted(known) and known == sorted(known, reverse=True)
    return rows[::-1] if falls else rows


def _unusable(row: Json) -> str | None:
    kind = row.get("object")
    if "error" in row:
        return "an error answer"
    if row.get("deleted"):
        return "the answer to a deletion"
    if kind not in TABLES:
        return f"no kind of an Assistants estate: {kind}"
    needed = ("id", *PARENTS.get(kind, ()))
    missing = [key for key in needed if not isinstance(row.get(key), str)]
    return f"{kind} without {' and '.join(missing)}" if missing else None


PARENTS = {
    "thread.message": ("thread_id",),
    "thread.run": ("thread_id",),
    "thread.run.step": ("thread_id", "run_id"),
    "vector_store.file": ("vector_store_id",),
}


def _adopt_orphans(estate: Estate) -> None:
    """Children whose parent nobody saved get the least parent that makes them reachable."""
    for run_id, steps in estate.run_steps.items():
        first = next(iter(steps.values()))
        runs = estate.runs[first["thread_id"]]
        if run_id not in runs:
            runs[run_id] = _run(run_id, first)
    for thread_id in [*estate.messages, *estate.runs]:
        if thread_id not in estate.threads:
            children = [*estate.messages[thread_id].values(), *estate.runs[thread_id].values()]
            estate.threads[thread_id] = _thread(thread_id, children)
    for store_id, entries in estate.vector_store_files.items():
        if store_id not in estate.vector_stores:
            estate.vector_stores[store_id] = _store(store_id, list(entries.values()))


def _first_second(children: list[Json]) -> int:
    return min((int(child.get("created_at") or 0) for child in children), default=0)


def _thread(thread_id: str, children: list[Json]) -> Json:
    created = _first_second(children)
    return {"id": thread_id, "object": "thread", "created_at": created, "metadata": {}, "tool_resources": {}}


def _run(run_id: str, step: Json) -> Json:
    return {
        "id": run_id,
        "object": "thread.run",
        "created_at": _first_second([step]),
        "assistant_id": step.get("assistant_id"),
        "thread_id": step["thread_id"],
        "status": "completed",
    }


def _store(store_id: str, entries: list[Json]) -> Json:
    created = _first_second(entries)
    states = [entry.get("status") for entry in entries]
    counts = {state: states.count(state) for state in ("in_progress", "completed", "failed", "cancelled")}
    return {
        "id": store_id,
        "object": "vector_store",
        "name": None,
        "status": "completed",
        "usage_bytes": sum(entry.get("usage_bytes") or 0 for entry in entries),
        "created_at": created,
        "file_counts": {**counts, "total": len(entries)},
        "metadata": {},
        "expires_after": None,
        "expires_at": None,
        "last_active_at": created,
    }


def _find_content(folder: Path, estate: Estate) -> None:
    """By listing the folder, so that no id is ever used as a path."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.is_file() and path.name in estate.files:
                estate.content[path.name] = SavedContent(path)
