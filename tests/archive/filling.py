"""Archives with some content, and functions that read it back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.packs import (
    BODIES_PER_PACK,
    BODY_SEPARATOR,
    compress,
    decompress,
    register_sql_functions,
    split_bodies,
)
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter

Body = dict[str, Any]
Listing = tuple[str, str, list[Body]]

TYPE, URL = "azure-openai", "https://east.example.com"

ESTATE: list[Listing] = [
    (
        "file",
        "",
        [{"id": "file-a", "filename": "a.txt", "purpose": "assistants", "bytes": 3, "created_at": 1}],
    ),
    (
        "vector_store",
        "",
        [
            {
                "id": "vs_1",
                "name": "S",
                "status": "completed",
                "usage_bytes": 1 << 40,
                "file_counts": {"total": 1},
            }
        ],
    ),
    (
        "vector_store_file",
        "vs_1",
        [{"id": "file-a", "status": "completed", "attributes": {"a": 1}, "last_error": None}],
    ),
    (
        "assistant",
        "",
        [{"id": "asst_1", "name": "A", "model": "m", "instructions": "i", "metadata": {"k": "v"}}],
    ),
    ("thread", "", [{"id": "thread_1", "created_at": 2, "metadata": {}, "tool_resources": {}}]),
    (
        "message",
        "thread_1",
        [
            {
                "id": "msg_1",
                "role": "user",
                "content": [
                    {"type": "text", "text": {"value": "Hello"}},
                    {"type": "image_file", "image_file": {"file_id": "file-a"}},
                ],
            },
            {"id": "msg_2", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        ],
    ),
    ("run", "thread_1", [{"id": "run_1", "status": "completed", "usage": {"total_tokens": 5}}]),
    ("run_step", "thread_1", [{"id": "step_1", "run_id": "run_1", "type": "message_creation"}]),
]


def write(
    archive: Archive,
    listings: Iterable[Listing] = ESTATE,
    url: str = URL,
    state: Any = "complete",
    **begin: Any,
) -> SnapshotWriter:
    """One whole snapshot, a page per object."""
    writer = SnapshotWriter.begin(archive, TYPE, url, begin.get("options", {}), begin.get("tag"))
    for kind, parent, bodies in listings:
        for body in bodies:
            writer.add_page(kind, parent, [BodyRow.from_json(kind, body)], str(body["id"]))
        writer.end_listing(kind, parent)
    writer.finish(state, "2025-03-01-preview")
    return writer


def filled(path: Path, content: bytes = b"abc") -> None:
    """A closed archive with one snapshot and the bytes of its file."""
    with Archive.open(path, write=True, create=True) as archive:
        writer = write(archive)
        link_file_to_blob(
            archive, writer.endpoint, "file-a", store_blob(archive, [content[:1], content[1:]]), "download"
        )


def reader(archive: Archive, number: int = -1) -> SnapshotReader:
    return SnapshotReader(archive.conn, list_snapshots(archive.conn)[number])


def rows(archive: Archive, table: str) -> int:
    return int(archive.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


FACTS = {
    "snapshots": "SELECT n.id, e.type, e.url, tag, state, digest, options, started_at, finished_at, "
    "bodies_added FROM snapshots n JOIN endpoints e ON e.id = n.endpoint_id ORDER BY n.id",
    "scopes": "SELECT snapshot_id, kind, parent_id, state, reason, hex(m.sha) FROM scopes "
    "JOIN manifests m ON m.id = manifest_id ORDER BY 1, 2, 3",
    "missing": "SELECT * FROM missing ORDER BY 1, 2, 3, 4",
    "bodies": "SELECT kind, body FROM bodies ORDER BY 1, 2",
    "contents": "SELECT type, url, file_id, hex(sha), size, origin, fetched_at FROM contents c "
    "JOIN blobs b ON b.id = blob_id JOIN endpoints e ON e.id = endpoint_id ORDER BY 1, 2, 3",
    "listings": "SELECT hex(sha) FROM manifests ORDER BY 1",
    "blobs": "SELECT hex(sha), count(*), sum(chunks.size) FROM blobs LEFT JOIN chunks ON blob_id = id "
    "GROUP BY 1 ORDER BY 1",
    "plans": "SELECT * FROM plans ORDER BY id",
    "journal": "SELECT * FROM journal ORDER BY id",
}


def facts(path: Path | str) -> dict[str, Any]:
    """The whole content of an archive, without row numbers that differ between files."""
    with closing(sqlite3.connect(path)) as conn:
        register_sql_functions(conn)
        return {name: conn.execute(sql).fetchall() for name, sql in FACTS.items()}


def tamper(conn: sqlite3.Connection, id_: str, change: Callable[[str], str]) -> None:
    """Change the stored text of every body of an id directly in the packs, with correct compression."""
    for (number,) in conn.execute("SELECT id FROM bodies WHERE object_id = ?", (id_,)).fetchall():
        pack, place = divmod(number, BODIES_PER_PACK)
        data, size = conn.execute("SELECT data, size FROM packs WHERE id = ?", (pack,)).fetchone()
        texts = split_bodies(decompress(data, size))
        texts[place] = change(texts[place])
        plain = f"[{BODY_SEPARATOR.join(texts)}]".encode()
        conn.execute("UPDATE packs SET data = ?, size = ? WHERE id = ?", (compress(plain), len(plain), pack))
