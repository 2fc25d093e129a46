"""Write an archive of one snapshot whose texts have a word that stands everywhere and a rare one, and search
for these."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.estate import Estate, Shape, thread_id

URL = "https://example.openai.azure.com"
# The first word of every message, and a word of one message in so many threads.
COMMON_WORD, RARE_WORD, RARE_EVERY = "order", "zucchini", 1_000
# Texts repeat after so many threads: their words are those of a large vocabulary.
VARIANTS = 64
SEARCHES, PAGE_HITS = 9, 20


def make(path: Path, threads: int, messages: int) -> int:
    """Write the archive, one commit for each hundred threads. Returns the bytes of the texts of messages."""
    from migrate.archive.bodies import BodyRow
    from migrate.archive.database import Archive
    from migrate.archive.snapshots.writer import SnapshotWriter

    estate, text_bytes = Estate(Shape(threads, messages, variants=VARIANTS)), 0
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
                    text_bytes += sum(len(body["content"][0]["text"]["value"].encode()) for body in bodies)
                    rows_of_thread = [BodyRow.from_json("message", body) for body in bodies]
                    writer.add_page("message", thread_id(n), rows_of_thread, "")
                    writer.end_listing("message", thread_id(n))
        writer.end_listing("thread")
        writer.finish("complete", "")
    return text_bytes


def _with_words(row: dict[str, Any], thread: int) -> dict[str, Any]:
    """A message with the common word, and in some threads one with the rare word."""
    text = row["content"][0]["text"]
    rare = f" {RARE_WORD}" if thread % RARE_EVERY == 0 and row["id"].endswith("1") else ""
    text["value"] = f"{COMMON_WORD} {text['value']}{rare}"
    row["created_at"] += thread
    return row


def time_pages(path: Path) -> dict[str, float]:
    """Milliseconds until the first page of results for each word: the median of some searches."""
    from migrate.archive.database import Archive
    from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
    from migrate.model.search_query import parse_search_query
    from migrate.stages.query.text_search import search_index

    times: dict[str, float] = {}
    with Archive.open(path) as archive:
        snapshot = SnapshotReader(archive.conn, list_snapshots(archive.conn)[-1])
        for name, word in (("common", COMMON_WORD), ("rare", RARE_WORD)):
            query, taken = parse_search_query(word), []
            for _ in range(SEARCHES):
                began = time.perf_counter()
                search_index(snapshot, query, PAGE_HITS)
                taken.append(1_000 * (time.perf_counter() - began))
            times[name] = statistics.median(taken)
    return times


if __name__ == "__main__":
    action, path_text, *numbers = sys.argv[1:]
    if action == "make":
        sys.stdout.write(json.dumps({"text_bytes": make(Path(path_text), *map(int, numbers))}) + "\n")
    else:
        sys.stdout.write(json.dumps(time_pages(Path(path_text))) + "\n")
