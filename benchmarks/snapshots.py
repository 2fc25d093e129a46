"""Write an archive with two snapshots that differ in some objects, without a service."""

from __future__ import annotations

import json
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.estate import Estate, Shape, assistant, thread_id

# One object of so many differs where nobody says otherwise.
DIFFERENT_EVERY = 100
URL = "https://example.openai.azure.com"


# The vector store that `make` can add, and the assistant that uses it.
STORE, STORE_ASSISTANT = f"vs_{1:024}", f"asst_{10**9:024}"


def make(
    path: Path,
    assistants: int,
    threads: int,
    messages: int,
    differ: int = DIFFERENT_EVERY,
    store_files: int = 0,
    *,
    url: str = URL,
) -> None:
    """Write the archive. In the second snapshot, one of `differ` objects is changed. `store_files`: add a
    vector store with so many files, and an assistant that uses it. `url`: where it was read."""
    from migrate.archive.blobs import link_file_to_blob, store_blob
    from migrate.archive.bodies import BodyRow
    from migrate.archive.database import Archive
    from migrate.archive.snapshots.writer import SnapshotWriter

    estate = Estate(Shape(max(1, threads), max(1, messages)))
    with Archive.open(path, write=True, create=True) as archive:
        for number in range(2):
            writer = SnapshotWriter.begin(archive, "azure-openai", url, {"number": number}, None)

            def store(kind: str, parent: str, bodies: list[dict[str, Any]], writer: Any = writer) -> None:
                writer.add_page(kind, parent, [BodyRow.from_json(kind, body) for body in bodies], "")

            for kind, parent, rows in store_rows(store_files):
                store(kind, parent, rows)
                writer.end_listing(kind, parent)
                for row in rows if kind == "file" else ():
                    blob = store_blob(archive, [b"x" * row["bytes"]])
                    link_file_to_blob(archive, writer.endpoint, row["id"], blob, "download")
            if store_files:
                searching = {"file_search": {"vector_store_ids": [STORE]}}
                store(
                    "assistant",
                    "",
                    [
                        {
                            **assistant(0, 1),
                            "id": STORE_ASSISTANT,
                            "name": "searcher",
                            "tool_resources": searching,
                        }
                    ],
                )
            for start in range(0, assistants, 100):
                numbers = range(start, min(assistants, start + 100))
                store("assistant", "", [archived_assistant(n, number, differ) for n in numbers])
            writer.end_listing("assistant")
            for start in range(0, threads, 100):
                numbers = range(start, min(threads, start + 100))
                store("thread", "", [json.loads(estate.thread(n)) for n in numbers])
            writer.end_listing("thread")
            for n in range(threads):
                rows = list(estate.messages(n))
                changed_rows = [
                    _changed(row, position + n, number, differ) for position, row in enumerate(rows)
                ]
                store("message", thread_id(n), changed_rows)
                writer.end_listing("message", thread_id(n))
            writer.finish("complete", "")


def store_rows(files: int) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Kind, parent and bodies of a vector store with files; empty listings without any."""
    ids = [f"assistant-{number:024}" for number in range(files)]
    common = {"created_at": 1_740_000_000, "status": "processed", "purpose": "assistants"}
    counts = {"in_progress": 0, "completed": files, "failed": 0, "cancelled": 0, "total": files}
    store = {"id": STORE, "object": "vector_store", "name": "manuals", "status": "completed",
             "created_at": 1_740_000_000, "file_counts": counts, "metadata": {}}  # fmt: skip
    rows: list[tuple[str, str, list[dict[str, Any]]]] = [
        (
            "file",
            "",
            [
                {**common, "id": id_, "object": "file", "bytes": 1_000, "filename": f"{id_}.txt"}
                for id_ in ids
            ],
        ),
        ("vector_store", "", [store] if files else []),
    ]
    members = [
        {"id": id_, "object": "vector_store.file", "vector_store_id": STORE, "status": "completed"}
        for id_ in ids
    ]
    return [*rows, *([("vector_store_file", STORE, members)] if files else [])]


def archived_assistant(n: int, snapshot: int, differ: int = DIFFERENT_EVERY) -> dict[str, Any]:
    """An assistant as it is in a snapshot."""
    return _changed(assistant(n, 1), n, snapshot, differ)


def _changed(row: dict[str, Any], position: int, snapshot: int, differ: int) -> dict[str, Any]:
    """The row as it is in a snapshot: in the second one, one of `differ` rows has other metadata."""
    changes = snapshot == 1 and position % differ == 0
    return {**row, "metadata": {**row["metadata"], "changed": "yes"}} if changes else row


def load_and_hash(path: Path) -> float:
    """Seconds of processor time to load and hash every body of both snapshots: the least that comparing
    needs."""
    from migrate.archive.database import Archive
    from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots

    began = time.process_time()
    with Archive.open(path) as archive:
        for info in list_snapshots(archive.conn):
            reader = SnapshotReader(archive.conn, info)
            for kind in ("assistant", "thread", "message"):
                for _, body in reader.bodies(kind, None):
                    sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).digest()
    return time.process_time() - began


if __name__ == "__main__":
    action, path_text, *others = sys.argv[1:]
    if action == "make":
        addresses = [text for text in others if "://" in text]
        numbers = [int(text) for text in others if text not in addresses]
        make(Path(path_text), *numbers, url=addresses[0] if addresses else URL)
    else:
        sys.stdout.write(json.dumps({"cpu": load_and_hash(Path(path_text))}) + "\n")
