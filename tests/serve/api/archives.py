"""Archives for one test: estates of any type, with listings in any state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.id_map import Side
from migrate.archive.journal import Journal
from migrate.archive.snapshots.writer import SnapshotWriter

Body = dict[str, Any]
AZURE, AZURE_URL = "azure-openai", "https://east.openai.azure.com"


@dataclass(frozen=True)
class Made:
    """A listing as it is stored."""

    kind: str
    parent: str
    bodies: Iterable[Body] = ()
    state: Any = "complete"
    reason: str = ""


@dataclass(frozen=True)
class MadeSnapshot:
    """One snapshot. `missing`: kind, parent, id, reason, and whether it is expected. `files`: id -> bytes and
    where they are from."""

    listings: Iterable[Made]
    type: str = AZURE
    url: str = AZURE_URL
    version: str = "2025-03-01-preview"
    options: Mapping[str, Any] = field(default_factory=dict)
    missing: Iterable[tuple[str, str, str, str, bool]] = ()
    files: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)


def make_archive(path: Path, *snapshots: MadeSnapshot) -> Path:
    """An archive with these snapshots, in this order."""
    with Archive.open(path, write=True, create=True) as archive:
        for made in snapshots:
            writer = SnapshotWriter.begin(archive, made.type, made.url, made.options, None)
            for listing in made.listings:
                rows = [BodyRow.from_json(listing.kind, body) for body in listing.bodies]
                if rows:
                    writer.add_page(listing.kind, listing.parent, rows, "cursor")
                if listing.state != "reading":
                    writer.end_listing(listing.kind, listing.parent, listing.state, listing.reason)
            for kind, parent, id_, reason, expected in made.missing:
                writer.add_missing(kind, id_, reason, parent, expected=expected)
            for id_, (content, origin) in made.files.items():
                blob = store_blob(archive, [content[n : n + 4] for n in range(0, len(content), 4)])
                link_file_to_blob(archive, writer.endpoint, id_, blob, origin)
            writer.finish("complete", made.version, made.shown)
    return path


def journal_move(
    path: Path,
    source: Side,
    target: Side,
    rows: Iterable[tuple[str, str, str, str, str]],
    plan: str = "p" * 64,
) -> None:
    """Record a move that created: kind, source parent, source id, target parent, target id."""
    with Archive.open(path, write=True) as archive:
        journal = Journal(archive, plan, source, target)
        for kind, parent, id_, target_parent, target_id in rows:
            (entry,) = journal.record_intent([("create", kind, parent, id_, "")])
            journal.record_done(entry, target_id, target_parent)


def messages(count: int, thread: str = "thread_1", **more: Any) -> list[Body]:
    return [
        {
            "id": f"msg_{n}",
            "object": "thread.message",
            "created_at": n,
            "thread_id": thread,
            "role": "user",
            "content": [{"type": "text", "text": {"value": f"Nummer {n}", "annotations": []}}],
            "metadata": {},
            **more,
        }
        for n in range(count)
    ]


def named(*ids: str, **more: Any) -> list[Body]:
    """Objects with only an id and the keys that all of them have."""
    return [{"id": id_, **more} for id_ in ids]
