"""Restore one assistant with its vector store from a large archive, and plan one of its threads."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import program, run, started
from benchmarks.estate import thread_id
from benchmarks.results import MB, Results, on_disk
from benchmarks.scenes.large_file import EMULATOR
from benchmarks.sizes import Size
from benchmarks.snapshots import DIFFERENT_EVERY, STORE_ASSISTANT

STORE_FILES = 20
MESSAGES = 100


def measure(size: Size, results: Results, folder: Path) -> None:
    """The target is empty, so the assistant, its store and the files in it are created."""
    archive, plan = folder / "restored.db", folder / "one_thread.json"
    numbers = (100, size.restored_threads, MESSAGES, DIFFERENT_EVERY, STORE_FILES)
    run("-m", "benchmarks.snapshots", "make", str(archive), *map(str, numbers))
    accept = ("--accept-loss", "all")
    with started(*EMULATOR, f"--latency={size.latency}") as url:
        target = f"azure-openai+{url}"
        thread = thread_id(size.restored_threads // 2)
        selected = program("plan", f"{archive}@2", target, "-o", str(plan), "--id", thread, *accept)
        restored = program(
            "restore", f"{archive}@2", "--to", target, "--id", STORE_ASSISTANT, "--yes", *accept
        )
    results.put("restore_seconds", restored.seconds)
    results.put("restore_peak", restored.peak / MB)
    results.put("select_cpu", selected.cpu)
    messages = f"{size.restored_threads * MESSAGES:,} messages"
    results.cost(f"restore of one assistant of {messages}", restored, disk=on_disk(archive))
    results.cost(f"plan of one thread of {messages}", selected)
