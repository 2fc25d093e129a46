"""Save the objects of an emulated service as a folder that `--state` loads again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from migrate.emulator.load_state import CONTENT
from migrate.emulator.state import Estate, Json, Table, moment

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
