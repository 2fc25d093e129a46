"""Load a folder of saved answers: objects are taken exactly as saved, and what is not taken is named.

Any file of JSON or JSON lines may hold objects in the shapes that `dump_shapes` knows. Those that do not tell
what they are are known by their place: the items of a conversation lie in `items/<conversation id>.json`, the
rest of a project in `deployments.json` and `connections.json`. The bytes of a file lie in `content/<file
id>`, or beside its JSON under its id or its name. Every file, row and list that is not taken is named.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.emulator.dump_shapes import (
    ENDINGS,
    PARENT,
    PLURALS,
    SPARED,
    Found,
    NotTaken,
    Place,
    Unfinished,
    Unread,
    documents,
    pieces,
)
from migrate.emulator.state import Estate, Json, Table, moment
from migrate.emulator.uploads import SavedContent


def adopt(estate: Estate) -> None:
    _steps(estate)
    for thread_id in [*estate.messages, *estate.runs]:
        if thread_id not in estate.threads:
            children = [*estate.messages[thread_id].values(), *estate.runs[thread_id].values()]
            estate.threads[thread_id] = _thread(thread_id, children)
    for store_id, entries in estate.vector_store_files.items():
        if store_id not in estate.vector_stores:
            estate.vector_stores[store_id] = _store(store_id, list(entries.values()))
    for conversation_id in estate.items:
        if conversation_id not in estate.conversations:
            estate.conversations[conversation_id] = _conversation(conversation_id)
    _versions(estate)


def _steps(estate: Estate) -> None:
    for run_id, steps in estate.run_steps.items():
        first = next(iter(steps.values()))
        runs = estate.runs[first["thread_id"]]
        if run_id not in runs:
            runs[run_id] = _run(run_id, first)


def _versions(estate: Estate) -> None:
    """An agent shows its latest version; whoever saved agents only has saved that one too."""
    for name, agent in estate.agents.items():
        latest = agent["versions"]["latest"]
        if latest["id"] not in estate.agent_versions[name]:
            estate.agent_versions[name][latest["id"]] = latest
    for name, versions in estate.agent_versions.items():
        if name not in estate.agents:
            latest = versions[versions.order[-1].id]
            shown = {key: value for key, value in latest.items() if key != "agent_guid"}
            agent = {"object": "agent", "id": name, "name": name, "versions": {"latest": shown}}
            estate.agents[name] = agent


def _first_second(children: list[Json]) -> int:
    return min((int(child.get("created_at") or 0) for child in children), default=0)


def _thread(thread_id: str, children: list[Json]) -> Json:
    created = _first_second(children)
    return {"id": thread_id, "object": "thread", "created_at": created, "metadata": {}, "tool_resources": {}}


def _conversation(conversation_id: str) -> Json:
    return {"id": conversation_id, "object": "conversation", "created_at": 0, "metadata": {}}


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


CONTENT, ITEMS = "content", "items"
UNFINISHED = "an unfinished list: it says that more rows follow, and they are in no file"


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
    listings: dict[tuple[str, str], tuple[str, bool]] = {}
    others: list[Path] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if name.parts[0] == CONTENT or name.name in SPARED:
            continue
        if path.suffix.lower() not in ENDINGS:
            others.append(path)
            continue
        by_place = _by_place(name, estate)
        for document in documents(path):
            if isinstance(document, Unread):
                where = f"{document.where}: " if document.where else ""
                skipped.append(Skipped(str(name), f"{where}{document.reason}"))
                continue
            for piece in pieces(document, _place(name, by_place)):
                if isinstance(piece, Unfinished):
                    _note(listings, piece, str(name))
                elif reason := _taken(estate, piece, by_place):
                    skipped.append(Skipped(str(name), reason))
    skipped += [Skipped(name, UNFINISHED) for name, more in listings.values() if more]
    adopt(estate)
    skipped += [
        Skipped(str(path.relative_to(folder)), why) for path, why in _find_content(folder, others, estate)
    ]
    return skipped


def _note(listings: dict[tuple[str, str], tuple[str, bool]], page: Unfinished, name: str) -> None:
    """A listing may be saved page by page; it is whole when one of its pages says that no more follow."""
    key = (page.kind, page.parent) if page.kind else (name, "")
    ended = key in listings and not listings[key][1]
    listings[key] = (name, page.more and not ended)


def _place(name: Path, by_place: Shelf | None) -> Place:
    """What the name of a file, or of its folder, says of the objects in it."""
    if by_place is not None:
        return Place("item")
    if name.stem in PLURALS:
        return Place(PLURALS[name.stem])
    kind = PLURALS.get(name.parent.name, "")
    parent = PARENT.get(kind)
    return Place(kind, ((parent, name.stem),) if parent else ())


def _taken(estate: Estate, piece: Found | NotTaken, by_place: Shelf | None) -> str | None:
    """Puts an object where it belongs, or says why it belongs nowhere."""
    if isinstance(piece, NotTaken):
        return piece.reason
    if piece.kind == "item" and by_place is None:
        parent = piece.row.get("conversation_id")
        if not isinstance(parent, str):
            return "an item without conversation_id"
        row = {key: value for key, value in piece.row.items() if key != "conversation_id"}
        return _keep(estate, row, _shelf(lambda estate, _row: estate.items[parent], "type"))
    return _keep(estate, piece.row, by_place)


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


def _find_content(folder: Path, others: list[Path], estate: Estate) -> Iterator[tuple[Path, str]]:
    """Bytes of files, by listing folders, so that no id is ever used as a path; what belongs to no file, and
    why. Beside the JSON, bytes are known by the id of their file, or by its name where only one has it."""
    inside = sorted((folder / CONTENT).rglob("*")) if (folder / CONTENT).is_dir() else []
    for path in inside:
        if path.is_dir() or path.name in SPARED:
            continue
        if path.parent == folder / CONTENT and path.name in estate.files:
            estate.content[path.name] = SavedContent(path)
        else:
            yield path, "there is no file of this id"
    names = Counter(str(row.get("filename")) for row in estate.files.values())
    by_name = {str(row.get("filename")): id_ for id_, row in estate.files.items()}
    for path in others:
        ids = [name for name in (path.name, path.stem) if name in estate.files]
        ids += [by_name[path.name]] if names[path.name] == 1 else []
        if ids and ids[0] not in estate.content:
            estate.content[ids[0]] = SavedContent(path)
        else:
            yield path, "it is no file of JSON, and not the bytes of one file of the estate"


OWNER_ONLY = 0o700


def save(estate: Estate, folder: Path) -> None:
    """Write every object and the bytes of every file. The folder must not exist.

    Ids, creation times and the order of lists stay. Not saved: batches of files, the endpoint of an agent
    (the emulator answers as for an agent without one), and whether a vector store will expire.
    Raises `OSError`, and `ValueError` for the id of a file that cannot be the name of a file.
    """
    folder.mkdir(mode=OWNER_ONLY)
    listings: dict[str, list[Json]] = {
        "assistants": _oldest_first(estate.assistants),
        "threads": _oldest_first(estate.threads),
        "messages": _of_all(estate.messages.values()),
        "runs": _of_all(estate.runs.values()),
        "run_steps": _of_all(estate.run_steps.values()),
        "files": _oldest_first(estate.files),
        "vector_stores": _oldest_first(estate.vector_stores),
        "vector_store_files": _of_all(estate.vector_store_files.values()),
        "agents": _oldest_first(estate.agents),
        "agent_versions": _of_all(estate.agent_versions.values()),
        "conversations": _oldest_first(estate.conversations),
        "items": [
            {**item, "conversation_id": conversation_id}
            for conversation_id, items in estate.items.items()
            for item in _oldest_first(items)
        ],
    }
    for name, rows in listings.items():
        if rows:
            _write(folder / f"{name}.json", {"object": "list", "data": rows, "has_more": False})
    for name, values in (("deployments", estate.deployments), ("connections", estate.connections)):
        if values is not None:
            _write(folder / f"{name}.json", {"value": values})
    (folder / CONTENT).mkdir()
    for file_id, blob in estate.content.items():
        if Path(file_id).name != file_id:
            raise ValueError(f"{file_id!r} cannot be the name of a file")
        with (folder / CONTENT / file_id).open("wb") as file:
            file.writelines(blob.pieces())


def _write(path: Path, document: Json) -> None:
    path.write_text(f"{json.dumps(document, indent=1)}\n", encoding="utf-8")


def _oldest_first(table: Table) -> list[Json]:
    return [table[place.id] for place in table.order]


def _of_all(tables: Iterable[Table]) -> list[Json]:
    """The rows of several parents, oldest first: `load` would turn a list around whose times only fall."""
    rows = [row for table in tables for row in _oldest_first(table)]
    return sorted(rows, key=lambda row: moment(row) or 0)
