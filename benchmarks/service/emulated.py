"""The program's emulator as a process of its own, with its requests counted, for files and vector stores.

With a folder as argument it serves the state stored there; with `--files N`, N small files in one vector
store; with `--lacking ASSISTANTS THREADS FILES`, what `benchmarks.snapshots` archives, without the vector
store and the assistant that uses it.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.service.protocol import COUNTS, RequestCounts, route_of
from migrate.emulator import Emulator, Options

KEY = "benchmark"
EPOCH = 1_740_000_000


class CountingApp:
    """An ASGI application that counts the requests of another one."""

    def __init__(self, app: Any, counted: RequestCounts) -> None:
        self._app, self._counted = app, counted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == COUNTS:
            head = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": self._counted.to_json()})
            return
        self._counted.requests[route_of(scope["method"], scope["path"])] += 1
        self._counted.ended = time.monotonic()
        await self._app(scope, receive, send)


def add_files(cloud: Emulator, files: int) -> None:
    """Add small files, all in one vector store."""
    from migrate.emulator.uploads import Upload

    estate, store = cloud.estate, f"vs_{1:024}"
    for number in range(files):
        id_, text = f"assistant-{number:024}", b"file number %d\n" % number
        row = {"id": id_, "object": "file", "bytes": len(text), "created_at": EPOCH + number}
        estate.files[id_] = {
            **row,
            "filename": f"file-{number}.txt",
            "purpose": "assistants",
            "status": "processed",
        }
        blob = Upload()
        blob.write(text)
        estate.content[id_] = blob
        row_in_store = {
            "id": id_,
            "object": "vector_store.file",
            "created_at": EPOCH,
            "vector_store_id": store,
        }
        estate.vector_store_files[store][id_] = {
            **row_in_store, "status": "completed", "last_error": None, "usage_bytes": 1
        }  # fmt: skip
    counts = {"in_progress": 0, "completed": files, "failed": 0, "cancelled": 0, "total": files}
    estate.vector_stores[store] = {"id": store, "object": "vector_store", "created_at": EPOCH, "name": "all",
                                   "usage_bytes": files, "file_counts": counts, "status": "completed",
                                   "metadata": {}, "last_active_at": EPOCH}  # fmt: skip


def add_lacking(cloud: Emulator, assistants: int, threads: int, files: int) -> None:
    """Add the estate of the second snapshot that `snapshots.make` writes, without messages, the vector store
    and the assistant that uses it."""
    import json

    from benchmarks.estate import Estate, Shape
    from benchmarks.snapshots import archived_assistant, store_rows

    generated = Estate(Shape(max(1, threads), 1))
    ((_, _, rows), *_) = store_rows(files)
    for row in rows:
        cloud.estate.files[row["id"]] = row
    for number in range(assistants):
        row = archived_assistant(number, 1)
        cloud.estate.assistants[row["id"]] = row
    for number in range(threads):
        row = json.loads(generated.thread(number))
        cloud.estate.threads[row["id"]] = row


def main(arguments: list[str]) -> None:
    latency = (
        float(arguments.pop().partition("=")[2]) if arguments[-1:] and "--latency=" in arguments[-1] else 0.0
    )
    option, *numbers = arguments if arguments[:1] and arguments[0].startswith("--") else [""]
    fill = {"": None, "--files": add_files, "--lacking": add_lacking}[option]
    state = Path(arguments[0]) if arguments and not option else None
    counted = RequestCounts()
    options = Options(
        key=KEY, state=state, ingestion_seconds=0, downloads=True, latency=latency, list_threads="works"
    )
    with Emulator(options, wrap=lambda app: CountingApp(app, counted)) as cloud:
        if fill is not None:
            fill(cloud, *map(int, numbers))
        sys.stdout.write(f"{cloud.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
