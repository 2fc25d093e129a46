"""A folder of saved answers comes in; their objects go into an estate verbatim, what cannot is named.

Any JSON file may hold an API object, a list envelope, an array, or recorded exchanges with a `response_body`.
Objects tell what they are. Those that do not are known by their place: the items of a conversation lie in
`items/<conversation id>.json`, the rest of a project in `deployments.json` and `connections.json`. The bytes
of a file lie in `content/<file id>`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .blobs import SavedContent
from .estate import Estate, Json, Table, moment
from .orphans import adopt

CONTENT, ITEMS = "content", "items"
LISTS = ("data", "value")  # what an envelope calls its rows


@dataclass(frozen=True)
class Shelf:
    """Where objects of one kind are kept, and what they cannot do without to be kept there."""

    keep: Callable[[Estate, Json], object]
    needs: tuple[str, ...] = ()


def _shelf(table: Callable[[Estate, Json], Table], *needs: str) -> Shelf:
    def keep(estate: Estate, row: Json) -> None:
        table(estate, row)[row["id"]] = row

    return Shelf(keep, ("id", *needs))


# By what an object calls itself.
SHELVES: dict[str, Shelf] = {
    "assistant": _shelf(lambda estate, row: estate.assistants),
    "thread": _shelf(lambda estate, row: estate.threads),
    "thread.message": _shelf(lambda estate, row: estate.messages[row["thread_id"]], "thread_id"),
    "thread.run": _shelf(lambda estate, row: estate.runs[row["thread_id"]], "thread_id"),
    "thread.run.step": _shelf(lambda estate, row: estate.run_steps[row["run_id"]], "thread_id", "run_id"),
    "file": _shelf(lambda estate, row: estate.files),
    "vector_store": _shelf(lambda estate, row: estate.vector_stores),
    "vector_store.file": _shelf(
        lambda estate, row: estate.vector_store_files[row["vector_store_id"]], "vector_store_id"
    ),
    "agent": _shelf(lambda estate, row: estate.agents, "name", "versions.latest.id"),
    "agent.version": _shelf(lambda estate, row: estate.agent_versions[row["name"]], "name", "version"),
    "conversation": _shelf(lambda estate, row: estate.conversations),
}


@dataclass(frozen=True)
class Skipped:
    """Something in the folder that no estate can hold."""

    file: str
    reason: str


def load(folder: Path, estate: Estate) -> list[Skipped]:
    """Fills the estate. The same object saved twice: the later one wins."""
    skipped: list[Skipped] = []
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder)
        if name.parts[0] == CONTENT:
            continue
        by_place = _by_place(name, estate)
        for found in _objects(_parsed(path)):
            reason = found if isinstance(found, str) else _keep(estate, found, by_place)
            if reason:
                skipped.append(Skipped(str(name), reason))
    adopt(estate)
    _find_content(folder / CONTENT, estate)
    return skipped


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return f"not JSON: {error}"


def _by_place(name: Path, estate: Estate) -> Shelf | None:
    """The shelf of a file whose objects do not say what they are."""
    if name.parent.name == ITEMS:
        return _shelf(lambda estate, _row: estate.items[name.stem], "type")
    if name.stem == "deployments":
        deployments: list[Json] = []
        estate.deployments = deployments
        return Shelf(lambda _estate, row: deployments.append(row), ("name",))
    if name.stem == "connections":
        connections: list[Json] = []
        estate.connections = connections
        return Shelf(lambda _estate, row: connections.append(row), ("name",))
    return None


def _objects(document: Any) -> Iterator[Json | str]:
    """Every object in a document, or the reason why there is none."""
    if isinstance(document, list):
        for each in _oldest_first(document):
            yield from _objects(each)
    elif not isinstance(document, dict):
        yield document if isinstance(document, str) else f"a bare {type(document).__name__}"
    elif "response_body" in document:
        yield from _objects(document["response_body"])
    elif found := [key for key in LISTS if isinstance(document.get(key), list)]:
        yield from _objects(document[found[0]])
    else:
        yield document


def _oldest_first(rows: list[Any]) -> list[Any]:
    """A list whose seconds fall was read newest first."""
    seconds = [moment(row) if isinstance(row, dict) else None for row in rows]
    known = [each for each in seconds if isinstance(each, (int, float))]
    falls = known != sorted(known) and known == sorted(known, reverse=True)
    return rows[::-1] if falls else rows


def _keep(estate: Estate, row: Json, by_place: Shelf | None) -> str | None:
    """Puts an object where it belongs, or says why it belongs nowhere."""
    kind = row.get("object")
    if by_place is None and "error" in row:
        return "an error answer"
    if row.get("deleted"):
        return "the answer to a deletion"
    shelf = by_place or SHELVES.get(str(kind))
    if shelf is None:
        return f"no kind of an Assistants estate: {kind}"
    if missing := [key for key in shelf.needs if not isinstance(_inside(row, key), str)]:
        return f"{kind} without {' and '.join(missing)}"
    shelf.keep(estate, row)
    return None


def _inside(row: Json, path: str) -> Any:
    value: Any = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _find_content(folder: Path, estate: Estate) -> None:
    """By listing the folder, so that no id is ever used as a path."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.is_file() and path.name in estate.files:
                estate.content[path.name] = SavedContent(path)
