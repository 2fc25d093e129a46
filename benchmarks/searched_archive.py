"""Write an archive of one snapshot whose texts have a word that stands everywhere and a rare one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.estate import Estate, Shape, thread_id

URL = "https://example.openai.azure.com"
# The first word of every message, and a word of one message in so many threads.
COMMON_WORD, RARE_WORD, RARE_EVERY = "order", "zucchini", 1_000
# Texts repeat after so many threads: their words are those of a large vocabulary.
VARIANTS = 64


def make(path: Path, threads: int, messages: int) -> None:
    """Write the archive, one commit for each hundred threads."""
    from migrate.archive.bodies import BodyRow
    from migrate.archive.database import Archive
    from migrate.archive.snapshots.writer import SnapshotWriter

    estate = Estate(Shape(threads, messages, variants=VARIANTS))
    with Archive.open(path, write=True, create=True) as archive:
        writer = SnapshotWriter.begin(archive, "azure-openai", URL, {}, None)
        rows = [json.loads(row) for row in estate.assistants]
        writer.add_page("assistant", "", [BodyRow.from_json("assistant", row) for row in rows], "")
        writer.end_listing("assistant")
        for start in range(0, threads, 100):
            numbers = range(start, min(threads, start + 100))
            with archive.single_transaction():
                rows = [json.loads(estate.thread(n)) for n in numbers]
                writer.add_page("thread", "", [BodyRow.from_json("thread", row) for row in rows], "")
                for n in numbers:
                    bodies = [_with_words(row, n) for row in estate.messages(n)]
                    rows_of_thread = [BodyRow.from_json("message", body) for body in bodies]
                    writer.add_page("message", thread_id(n), rows_of_thread, "")
                    writer.end_listing("message", thread_id(n))
        writer.end_listing("thread")
        writer.finish("complete", "")


def _with_words(row: dict[str, Any], thread: int) -> dict[str, Any]:
    """A message with the common word, and in some threads one with the rare word."""
    text = row["content"][0]["text"]
    rare = f" {RARE_WORD}" if thread % RARE_EVERY == 0 and row["id"].endswith("1") else ""
    text["value"] = f"{COMMON_WORD} {text['value']}{rare}"
    row["created_at"] += thread
    return row


if __name__ == "__main__":
    make(Path(sys.argv[1]), *map(int, sys.argv[2:]))
