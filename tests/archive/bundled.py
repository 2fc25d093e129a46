"""Archives of the bundled example estates, read from their files without a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.archive.snapshots.writer import SnapshotWriter
from tests.archive.filling import reader

FIXTURES = Path(__file__).parents[2] / "fixtures"
SERVICES = {
    "azure-v1": "azure-openai",
    "azure-v2": "azure-openai",
    "openai-v2": "openai",
    "foundry-classic": "foundry-classic",
    "foundry": "foundry",
}
ROOTS = {
    "assistants": "assistant",
    "agents": "assistant",
    "files": "file",
    "vector_stores": "vector_store",
    "threads": "thread",
    "conversations": "thread",
}
BELOW = {
    "messages": "message",
    "items": "message",
    "runs": "run",
    "vector_store_files": "vector_store_file",
}


def bundled(archive: Archive, name: str, bytes_: bool = True) -> SnapshotReader:
    """One complete snapshot of an example estate."""
    folder = FIXTURES / name
    writer = SnapshotWriter.begin(archive, SERVICES[name], f"https://{name}.example.com", {}, None)

    def write(kind: str, parent: str, bodies: list[dict[str, Any]]) -> None:
        writer.add_page(kind, parent, [BodyRow.from_json(kind, body) for body in bodies], "")
        writer.end_listing(kind, parent)

    for root, kind in ROOTS.items():
        if (folder / f"{root}.json").is_file():
            write(kind, "", _rows(folder / f"{root}.json"))
    for below, kind in BELOW.items():
        for path in sorted((folder / below).glob("*.json")):
            write(kind, path.stem, _rows(path))
    for path in sorted((folder / "runs").glob("*.json")):
        steps = [folder / "steps" / f"{run['id']}.json" for run in _rows(path)]
        write("run_step", path.stem, [row for step in steps if step.is_file() for row in _rows(step)])
    for path in sorted((folder / "content").iterdir()) if bytes_ else ():
        blob = store_blob(archive, [path.read_bytes()])
        link_file_to_blob(archive, writer.endpoint, path.name, blob, "download")
    writer.finish("complete", "v")
    return reader(archive)


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["data"]
    return rows
