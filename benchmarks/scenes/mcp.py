"""Calls of the tools of `mcp` over a large archive with an index: the time of an answer, and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.child import MAXRSS_UNIT_BYTES, ROOT, CommandFailed, environment, program
from benchmarks.estate import thread_id
from benchmarks.results import MB, Results, median
from benchmarks.scenes.index import SEARCHED_ARCHIVE, make_searched
from benchmarks.searched_archive import COMMON_WORD, RARE_WORD
from benchmarks.sizes import Size

# Calls of which the median counts.
ROUNDS = 7
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1"},
}


def measure(size: Size, results: Results, folder: Path) -> None:
    """The archive is that of the scene `index`, if it ran before."""
    archive = folder / SEARCHED_ARCHIVE
    if not archive.is_file():
        make_searched(size, archive)
        program("index", str(archive))
    calls = _calls(size.indexed_threads)
    with _served(archive) as server:
        times = {
            words: median(server.seconds(tool, arguments) for _ in range(ROUNDS))
            for words, (tool, arguments) in calls.items()
        }
    results.put("mcp_call", 1000 * max(times.values()))
    results.put("mcp_peak", server.peak / MB)
    results.facts["mcp"] = {
        "messages": size.indexed_threads * size.messages,
        "call_ms": {words: round(1000 * seconds, 1) for words, seconds in times.items()},
    }


def _calls(threads: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """What is measured, with the tool and its arguments."""
    return {
        "search, common word": ("search", {"query": COMMON_WORD}),
        "search, rare word": ("search", {"query": RARE_WORD}),
        "search, filter": ("search", {"query": f"{COMMON_WORD} role:user"}),
        "list_threads": ("list_threads", {}),
        "get_thread": ("get_thread", {"thread": thread_id(threads // 2)}),
    }


@dataclass
class _Server:
    """A running server. `peak`: bytes of its largest resident set, when it has ended."""

    process: subprocess.Popen[str]
    peak: int = 0
    requests: int = 0

    def seconds(self, tool: str, arguments: dict[str, Any]) -> float:
        """The time until the answer of a call is there. Raises `CommandFailed`."""
        began = time.perf_counter()
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        seconds = time.perf_counter() - began
        if result.get("isError"):
            raise CommandFailed(f"{tool} ended with {result}")
        return seconds

    def ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The result of a request. Raises `CommandFailed` where there is none."""
        self.requests += 1
        self.send({"id": self.requests, "method": method, "params": parameters})
        answer = json.loads((self.process.stdout and self.process.stdout.readline()) or "{}")
        if answer.get("id") != self.requests or "result" not in answer:
            raise CommandFailed(f"{method} ended with {answer}")
        result: dict[str, Any] = answer["result"]
        return result

    def send(self, message: dict[str, Any]) -> None:
        """Write a message of the protocol, which is one line."""
        if self.process.stdin:
            self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            self.process.stdin.flush()


@contextmanager
def _served(archive: Path) -> Iterator[_Server]:
    """The command after its greeting, with the measured peak after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate", "mcp", str(archive), "--quiet"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True,
    )  # fmt: skip
    server = _Server(process)
    try:
        server.ask("initialize", HELLO)
        server.send({"method": "notifications/initialized"})
        yield server
    finally:
        if process.stdin:
            process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.stdout:
            process.stdout.close()
    server.peak = usage.ru_maxrss * MAXRSS_UNIT_BYTES
