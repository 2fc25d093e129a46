"""Archives for pages: the bundled estates, one of them changed later; and one with only hostile texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.database import Archive
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.stages.index.run import build_index
from migrate.stages.progress import Progress
from tests.archive.bundled import SERVICES, bundled
from tests.reports.hostile import HOSTILE

CHANGED_TEXT = "Always answer in two short sentences."
# Ids that would be another path if they were not encoded as one segment.
ODD_IDS = (
    "..", ".", "~", "~x", "a/b/../c", "a?b#c", "%2e%2e", "with blank", "é/日本", "a\\b", "'\"<b>", "a&b=c;d",
    "//evil.example/", "x" * 300,
)  # fmt: skip


def every_estate(path: Path) -> None:
    """One snapshot of each bundled estate, and a second one of the first, with a changed and a deleted
    assistant."""
    with Archive.open(path, write=True, create=True) as archive:
        for name in SERVICES:
            bundled(archive, name)
        first = SnapshotReader(archive.conn, list_snapshots(archive.conn)[0])
        copy_snapshot(archive, first, _changed)
        build_index(archive, Progress())


def copy_snapshot(archive: Archive, snapshot: SnapshotReader, change: Any) -> None:
    """Another snapshot of the same estate. `change`: kind and bodies -> bodies that are written."""
    info = snapshot.info
    writer = SnapshotWriter.begin(archive, info.type, info.url, {}, "after")
    listings = archive.conn.execute("SELECT kind, parent_id FROM scopes WHERE snapshot_id = ?", (info.id,))
    for kind, parent in listings.fetchall():
        bodies = change(kind, [body for _, body in snapshot.bodies(kind, parent)])
        writer.add_page(kind, parent, [BodyRow.from_json(kind, body) for body in bodies], "")
        writer.end_listing(kind, parent)
    writer.finish("complete", "v")


def _changed(kind: str, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if kind != "assistant":
        return bodies
    first, *others = bodies
    text = f"{first.get('instructions') or ''}\n{CHANGED_TEXT}"
    return [{**first, "instructions": text, "model": "gpt-4o"}, *others[:-1]]


def hostile_estate(path: Path) -> None:
    """Two different snapshots in which every name, id, text and value is hostile."""
    texts = [*HOSTILE, "\u202egnp.exe", "a" * 20_000, "javascript:alert(1)", "[x](javascript:alert(1))"]
    run = b"window.pwned=1"
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='%b'><script>%b</script></svg>" % (run, run)
    with Archive.open(path, write=True, create=True) as archive:
        for number in range(2):
            writer = SnapshotWriter.begin(archive, "azure-openai", f"https://{HOSTILE[0]}/", {}, HOSTILE[1])

            def add(kind: str, bodies: list[dict[str, Any]], parent: str = "", writer: Any = writer) -> None:
                writer.add_page(kind, parent, [BodyRow.from_json(kind, body) for body in bodies], "")
                writer.end_listing(kind, parent)

            rows = [(ODD_IDS[n % len(ODD_IDS)] + ("" if n < len(ODD_IDS) else str(n)), text)
                    for n, text in enumerate(texts)]  # fmt: skip
            more = " and more" if number else ""
            add("file", [{"id": id_, "filename": text, "bytes": 9, "purpose": text} for id_, text in rows])
            add(
                "vector_store",
                [{"id": id_, "name": text, "metadata": {text[:60]: text}} for id_, text in rows],
            )
            add(
                "vector_store_file",
                [{"id": id_, "status": text, "attributes": {text[:60]: text}, "last_error": {"message": text}}
                 for id_, text in rows],
                ODD_IDS[0],
            )  # fmt: skip
            add("assistant", [_hostile_assistant(id_, text, more) for id_, text in rows])
            add("thread", [{"id": id_, "created_at": 1, "metadata": {text[:60]: text}} for id_, text in rows])
            add("message", [_hostile_message(f"m{n}-{id_}", text, rows[0][0], more)
                            for n, (id_, text) in enumerate(rows)], ODD_IDS[4])  # fmt: skip
            add("run", [{"id": "run_1", "status": HOSTILE[0], "assistant_id": ODD_IDS[0], "last_error":
                         {"code": HOSTILE[1], "message": HOSTILE[2]}}], ODD_IDS[4])  # fmt: skip
            for id_, text in rows:
                blob = store_blob(archive, [svg if id_ == ".." else text.encode("utf-8", "replace")])
                link_file_to_blob(archive, writer.endpoint, id_, blob, "download")
            writer.finish("complete", HOSTILE[3])
        build_index(archive, Progress())


def _hostile_assistant(id_: str, text: str, more: str) -> dict[str, Any]:
    tool = {"type": text, text[:60]: {"name": text, "headers": {"Authorization": "Bearer hostile-secret-1"}}}
    return {
        "id": id_, "name": text, "description": text, "instructions": f"{text}{more}", "model": text,
        "tools": [tool], "metadata": {text[:60]: f"{text}{more}"}, "created_at": text,
        "tool_resources": {"file_search": {"vector_store_ids": [id_, text]},
                           "code_interpreter": {"file_ids": [id_]}},
    }  # fmt: skip


def _hostile_message(id_: str, text: str, file: str, more: str) -> dict[str, Any]:
    note = {"type": "file_citation", "text": text[:20], "start_index": 0, "end_index": 4,
            "file_citation": {"file_id": file, "quote": text}}  # fmt: skip
    return {
        "id": id_, "role": "user" if more else text, "created_at": 10**20, "metadata": {text[:60]: text},
        "content": [{"type": "text", "text": {"value": f"{text}{more}", "annotations": [note]}},
                    {"type": "image_file", "image_file": {"file_id": file}},
                    {"type": "image_url", "image_url": {"url": text}}],
        "attachments": [{"file_id": file, "tools": [{"type": text}]}],
    }  # fmt: skip
