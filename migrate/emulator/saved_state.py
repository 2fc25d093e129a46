"""Load a folder of saved answers into an estate, and save an estate as such a folder.

Any file of JSON or JSON lines may contain objects in the shapes that `dump_parser` reads. They are kept
exactly. The location of a file shows the kind of objects without `object`: `items/CONVERSATION_ID.json`,
`deployments.json`, `connections.json`. The bytes of a file are in `content/FILE_ID`, or beside its JSON under
its id or its name. Every file, row and list that is not used is reported.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.emulator.dump_parser import (
    IGNORED_FILES,
    JSON_SUFFIXES,
    PARENT_KEYS,
    PLURALS,
    ListingEnd,
    Location,
    NotAnObject,
    SavedObject,
    UnreadableDocument,
    parse_objects,
    read_documents,
)
from migrate.emulator.state import Estate, Json, Table
from migrate.emulator.uploads import SavedContent

CONTENT_FOLDER, ITEMS_FOLDER = "content", "items"
INCOMPLETE_LIST = "an incomplete list: it says that more rows follow, but no file has them"
OWNER_ONLY = 0o700


@dataclass(frozen=True)
class Skipped:
    """Something in the folder that was not used, and why. `file` is relative to the folder."""

    file: str
    reason: str


@dataclass(frozen=True)
class Destination:
    """Where objects of one kind are stored, and the keys they must have (dots lead into objects)."""

    store: Callable[[Estate, Json], object]
    required: tuple[str, ...]


def _table(table_of: Callable[[Estate, Json], Table], *required: str) -> Destination:
    def store(estate: Estate, row: Json) -> None:
        table_of(estate, row)[row["id"]] = row

    return Destination(store, ("id", *required))


DESTINATIONS: dict[str, Destination] = {  # by the value of `object`
    "assistant": _table(lambda estate, _row: estate.assistants),
    "thread": _table(lambda estate, _row: estate.threads),
    "thread.message": _table(lambda estate, row: estate.messages[row["thread_id"]], "thread_id"),
    "thread.run": _table(lambda estate, row: estate.runs[row["thread_id"]], "thread_id"),
    "thread.run.step": _table(lambda estate, row: estate.run_steps[row["run_id"]], "thread_id", "run_id"),
    "file": _table(lambda estate, _row: estate.files),
    "vector_store": _table(lambda estate, _row: estate.vector_stores),
    "vector_store.file": _table(
        lambda estate, row: estate.vector_store_files[row["vector_store_id"]], "vector_store_id"
    ),
    "agent": _table(lambda estate, _row: estate.agents, "name", "versions.latest.id"),
    "agent.version": _table(lambda estate, row: estate.agent_versions[row["name"]], "name", "version"),
    "conversation": _table(lambda estate, _row: estate.conversations),
}


def load(folder: Path, estate: Estate) -> list[Skipped]:
    """Fill the estate from a folder. If an object was saved twice, the later one is used."""
    skipped: list[Skipped] = []
    listings: dict[
        tuple[str, str], tuple[str, bool]
    ] = {}  # kind and parent -> file, whether rows are missing
    other_files: list[Path] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if name.parts[0] == CONTENT_FOLDER or name.name in IGNORED_FILES:
            continue
        if path.suffix.lower() not in JSON_SUFFIXES:
            other_files.append(path)
            continue
        by_location = _destination_by_location(name, estate)
        for document in read_documents(path):
            if isinstance(document, UnreadableDocument):
                where = f"{document.where}: " if document.where else ""
                skipped.append(Skipped(str(name), f"{where}{document.reason}"))
                continue
            for parsed in parse_objects(document, _location(name, by_location)):
                if isinstance(parsed, ListingEnd):
                    _note_listing(listings, parsed, str(name))
                elif reason := _store(estate, parsed, by_location):
                    skipped.append(Skipped(str(name), reason))
    skipped += [Skipped(name, INCOMPLETE_LIST) for name, has_more in listings.values() if has_more]
    _add_missing_parents(estate)
    skipped += [
        Skipped(str(path.relative_to(folder)), reason)
        for path, reason in _find_content(folder, other_files, estate)
    ]
    return skipped


def _note_listing(listings: dict[tuple[str, str], tuple[str, bool]], page: ListingEnd, name: str) -> None:
    """A listing may be saved page by page. It is complete if one of its pages is the last."""
    key = (page.kind, page.parent_id) if page.kind else (name, "")
    has_ended = key in listings and not listings[key][1]
    listings[key] = (name, page.has_more and not has_ended)


def _location(name: Path, by_location: Destination | None) -> Location:
    """What the name of a file, or of its folder, shows about the objects in it."""
    if by_location is not None:
        return Location("item")
    if name.stem in PLURALS:
        return Location(PLURALS[name.stem])
    kind = PLURALS.get(name.parent.name, "")
    parent_key = PARENT_KEYS.get(kind)
    return Location(kind, ((parent_key, name.stem),) if parent_key else ())


def _destination_by_location(name: Path, estate: Estate) -> Destination | None:
    """The destination of a file whose objects do not show their kind; None for all other files."""
    if name.parent.name == ITEMS_FOLDER:
        return _items_of(name.stem)
    if name.stem not in ("deployments", "connections"):
        return None
    rows: list[Json] = []
    setattr(estate, name.stem, rows)
    return Destination(lambda _estate, row: rows.append(row), ("name",))


def _items_of(conversation_id: str) -> Destination:
    return _table(lambda estate, _row: estate.items[conversation_id], "type")


def _store(estate: Estate, parsed: SavedObject | NotAnObject, by_location: Destination | None) -> str | None:
    """Store an object, or return why it cannot be stored."""
    if isinstance(parsed, NotAnObject):
        return parsed.reason
    row, destination = parsed.row, by_location
    kind = row.get("object")
    if destination is None and parsed.kind == "item":
        conversation_id = row.get("conversation_id")
        if not isinstance(conversation_id, str):
            return "an item without conversation_id"
        row = {key: value for key, value in row.items() if key != "conversation_id"}
        destination = _items_of(conversation_id)
    elif destination is None and "error" in row:
        return "an error answer"
    if row.get("deleted"):
        return "the answer to a deletion"
    destination = destination or DESTINATIONS.get(str(kind))
    if destination is None:
        return f"not a known kind of object: {kind}"
    if missing := [key for key in destination.required if not isinstance(_value_at(row, key), str)]:
        return f"{kind} without {' and '.join(missing)}"
    destination.store(estate, row)
    return None


def _value_at(row: Json, path: str) -> Any:
    value: Any = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _find_content(folder: Path, other_files: list[Path], estate: Estate) -> Iterator[tuple[Path, str]]:
    """Find the bytes of files; yields the paths that belong to no file, and why.

    Folders are listed, so that no id is ever used as a path. Beside the JSON, bytes are recognised by the id
    of their file, or by its name if only one file has it.
    """
    content = folder / CONTENT_FOLDER
    for path in sorted(content.rglob("*")) if content.is_dir() else ():
        if path.is_dir() or path.name in IGNORED_FILES:
            continue
        if path.parent == content and path.name in estate.files:
            estate.content[path.name] = SavedContent(path)
        else:
            yield path, "no file has this id"
    name_counts = Counter(str(row.get("filename")) for row in estate.files.values())
    ids_by_name = {str(row.get("filename")): id_ for id_, row in estate.files.items()}
    for path in other_files:
        ids = [name for name in (path.name, path.stem) if name in estate.files]
        ids += [ids_by_name[path.name]] if name_counts[path.name] == 1 else []
        if ids and ids[0] not in estate.content:
            estate.content[ids[0]] = SavedContent(path)
        else:
            yield path, "it is neither JSON nor the content of exactly one file"


# -------------------------------------------------------------------- parents that were not saved


def _add_missing_parents(estate: Estate) -> None:
    """Create the runs, threads, stores, conversations and agents to which saved objects belong."""
    for run_id, steps in estate.run_steps.items():
        first = next(iter(steps.values()))
        runs = estate.runs[first["thread_id"]]
        if run_id not in runs:
            runs[run_id] = _run(run_id, first)
    for thread_id in [*estate.messages, *estate.runs]:
        if thread_id not in estate.threads:
            children = [*estate.messages[thread_id].values(), *estate.runs[thread_id].values()]
            estate.threads[thread_id] = {
                "id": thread_id,
                "object": "thread",
                "created_at": _earliest(children),
                "metadata": {},
                "tool_resources": {},
            }
    for store_id, entries in estate.vector_store_files.items():
        if store_id not in estate.vector_stores:
            estate.vector_stores[store_id] = _vector_store(store_id, list(entries.values()))
    for id_ in estate.items:
        if id_ not in estate.conversations:
            conversation = {"id": id_, "object": "conversation", "created_at": 0, "metadata": {}}
            estate.conversations[id_] = conversation
    for name, agent in estate.agents.items():  # agents may be saved without their versions
        latest = agent["versions"]["latest"]
        if latest["id"] not in estate.agent_versions[name]:
            estate.agent_versions[name][latest["id"]] = latest
    for name, versions in estate.agent_versions.items():
        if name not in estate.agents:
            latest = {key: value for key, value in versions.newest().items() if key != "agent_guid"}
            estate.agents[name] = {
                "object": "agent",
                "id": name,
                "name": name,
                "versions": {"latest": latest},
            }


def _earliest(rows: list[Json]) -> int:
    return min((int(row.get("created_at") or 0) for row in rows), default=0)


def _run(run_id: str, step: Json) -> Json:
    return {
        "id": run_id,
        "object": "thread.run",
        "created_at": _earliest([step]),
        "assistant_id": step.get("assistant_id"),
        "thread_id": step["thread_id"],
        "status": "completed",
    }


def _vector_store(store_id: str, entries: list[Json]) -> Json:
    created_at = _earliest(entries)
    statuses = [entry.get("status") for entry in entries]
    counts = {name: statuses.count(name) for name in ("in_progress", "completed", "failed", "cancelled")}
    return {
        "id": store_id,
        "object": "vector_store",
        "name": None,
        "status": "completed",
        "usage_bytes": sum(entry.get("usage_bytes") or 0 for entry in entries),
        "created_at": created_at,
        "file_counts": {**counts, "total": len(entries)},
        "metadata": {},
        "expires_after": None,
        "expires_at": None,
        "last_active_at": created_at,
    }


# ------------------------------------------------------------------------------------------------- saving


def save(estate: Estate, folder: Path) -> None:
    """Write every object and the bytes of every file, for `load`. The folder must not exist.

    Ids, creation times and the order of lists stay. Not saved: batches of files, the endpoint of an agent
    (the emulator answers as for an agent without one), and whether a vector store will expire.
    Raises `OSError`, and `ValueError` for the id of a file that cannot be the name of a file.
    """
    folder.mkdir(mode=OWNER_ONLY)
    # Sorted over all parents: `load` would reverse a list whose times only fall.
    listings = {name: table.oldest_first() for name, table in estate.tables().items()}
    listings["items"] = [
        {**item, "conversation_id": conversation_id}
        for conversation_id, items in estate.items.items()
        for item in items.oldest_first()
    ]
    for name, rows in listings.items():
        if rows:
            _write(folder / f"{name}.json", {"object": "list", "data": rows, "has_more": False})
    for name, values in (("deployments", estate.deployments), ("connections", estate.connections)):
        if values is not None:
            _write(folder / f"{name}.json", {"value": values})
    (folder / CONTENT_FOLDER).mkdir()
    for file_id, blob in estate.content.items():
        if Path(file_id).name != file_id:
            raise ValueError(f"{file_id!r} cannot be the name of a file")
        with (folder / CONTENT_FOLDER / file_id).open("wb") as file:
            file.writelines(blob.chunks())


def _write(path: Path, document: Json) -> None:
    path.write_text(f"{json.dumps(document, indent=1)}\n", encoding="utf-8")
