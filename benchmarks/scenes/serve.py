"""Pages of `serve` over a large archive: the time in the server of each, and its peak memory."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.child import MAXRSS_UNIT_BYTES, ROOT, CommandFailed, environment, program, run
from benchmarks.estate import thread_id
from benchmarks.results import MB, Results, median
from benchmarks.scenes.restore import RESTORED_ARCHIVE
from benchmarks.sizes import Size
from benchmarks.snapshots import DIFFERENT_EVERY, STORE, STORE_ASSISTANT

MESSAGES, STORE_FILES = 100, 20
# Requests of which the median counts. The first one of each page counts by itself.
ROUNDS = 7
COMPARISON = "/compare?left=1&right=2"


def measure(size: Size, results: Results, folder: Path) -> None:
    """A thread of many messages lies in an archive of its own."""
    archive, long_thread = folder / "served.db", folder / "long.db"
    restored = folder / RESTORED_ARCHIVE  # made by the scene `restore`, with the same snapshots
    if restored.is_file():
        shutil.copyfile(restored, archive)
    else:
        _make(archive, 100, size.restored_threads, MESSAGES, DIFFERENT_EVERY, STORE_FILES)
    _make(long_thread, 1, 1, size.long_thread, DIFFERENT_EVERY, 0)
    for path in (archive, long_thread):
        program("index", str(path))
    with _served(archive) as pages:
        times = {address: pages.seconds(address) for address in _addresses(size.restored_threads)}
        compared = pages.compare()
    with _served(long_thread) as pages:
        last = f"?from={size.long_thread - 99}"
        longest = max(pages.seconds(f"/snapshots/2/threads/{thread_id(0)}{query}") for query in ("", last))
        peak = pages.peak
    results.put("serve_page", 1000 * max(times.values()))
    results.put("serve_long_thread", 1000 * longest)
    results.put("serve_comparison", 1000 * compared)
    results.put("serve_peak", max(pages.peak, peak) / MB)
    results.facts["serve"] = {
        "messages": size.restored_threads * MESSAGES,
        "long_thread": size.long_thread,
        "page_ms": {address: round(1000 * seconds, 1) for address, seconds in times.items()},
    }


def _make(archive: Path, *numbers: int) -> None:
    run("-m", "benchmarks.snapshots", "make", str(archive), *map(str, numbers))


def _addresses(threads: int) -> list[str]:
    """One page of each sort."""
    thread = thread_id(threads // 2)
    below = [
        "", "threads", "threads?sort=oldest", "threads?meta=changed%3Dyes", f"threads/{thread}", "assistants",
        f"assistants/{STORE_ASSISTANT}", "files", "files/assistant-000000000000000000000001", "vector-stores",
        f"vector-stores/{STORE}", "search?q=please", "search?q=manual*+role%3Auser",
    ]  # fmt: skip
    return [
        "/snapshots/",
        *(f"/snapshots/2/{path}" for path in below),
        f"/jump?snapshot=2&q={thread[:24]}",
        "/jump?snapshot=2&q=searcher",
        "/compare?right=2",
    ]


@dataclass
class _Pages:
    """A running server. `peak`: bytes of its largest resident set, when it has ended."""

    port: int
    cookie: str = ""
    peak: int = 0
    answers: list[bytes] = field(default_factory=list)

    def seconds(self, address: str) -> float:
        """The median time in the server of a page."""
        return median(self.get(address)[0] for _ in range(ROUNDS))

    def compare(self) -> float:
        """The longest time in the server of a look at a comparison, until it has ended."""
        longest = 0.0
        while True:
            seconds, body = self.get(COMPARISON)
            longest = max(longest, seconds)
            if b'http-equiv="refresh"' not in body:
                return longest
            time.sleep(0.5)

    def get(self, address: str) -> tuple[float, bytes]:
        """Time in the server, and the page. Raises `CommandFailed`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request("GET", address, headers={"cookie": self.cookie} if self.cookie else {})
            answer = connection.getresponse()
            body = answer.read()
            if self.cookie and answer.status not in (200, 303):
                raise CommandFailed(f"{address} ended with {answer.status}")
            self.cookie = self.cookie or (answer.getheader("set-cookie") or "").partition(";")[0]
            match = re.search(r"dur=([\d.]+)", answer.getheader("server-timing") or "")
            return float(match[1]) / 1000 if match else 0.0, body
        finally:
            connection.close()


@contextmanager
def _served(archive: Path) -> Iterator[_Pages]:
    """The command, with the measured peak after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate", "serve", str(archive), "--port", "0", "--json"],
        cwd=ROOT, stdout=subprocess.PIPE, env=environment(), text=True,
    )  # fmt: skip
    stop: Callable[[int], None] = process.send_signal
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise CommandFailed("serve did not start")
        said = json.loads(line)
        pages = _Pages(int(said["url"].rsplit(":", 1)[1].strip("/")))
        pages.get(f"/?key={said['key']}")
        yield pages
    finally:
        stop(signal.SIGTERM)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.stdout:
            process.stdout.close()
    pages.peak = usage.ru_maxrss * MAXRSS_UNIT_BYTES
