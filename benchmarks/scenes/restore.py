"""Restore one assistant with its vector store from a large archive, and plan one of its threads."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import CommandFailed, program, run, started
from benchmarks.estate import thread_id
from benchmarks.results import MB, Results, on_disk
from benchmarks.scenes.large_file import EMULATOR
from benchmarks.sizes import Size
from benchmarks.snapshots import DIFFERENT_EVERY, STORE_ASSISTANT

STORE_FILES = 20
ASSISTANTS, MESSAGES = 100, 100
# The name of the archive. Other scenes use it if this one ran before: its snapshots stay as they are.
RESTORED_ARCHIVE = "restored.db"


def measure(size: Size, results: Results, folder: Path) -> None:
    """The assistant and its store were deleted where the archive comes from, a service that lists its
    threads; the files in the store are still there. The thread is planned for an empty target."""
    archive, plan = folder / RESTORED_ARCHIVE, folder / "one_thread.json"
    numbers = (ASSISTANTS, size.restored_threads, MESSAGES, DIFFERENT_EVERY, STORE_FILES)
    accept, latency = ("--accept-loss", "all"), f"--latency={size.latency}"
    lacking = ("--lacking", str(ASSISTANTS), str(size.restored_threads), str(STORE_FILES))
    with started(*EMULATOR, *lacking, latency) as url, started(*EMULATOR, latency) as empty:
        run("-m", "benchmarks.snapshots", "make", str(archive), *map(str, numbers), url)
        thread = thread_id(size.restored_threads // 2)
        target = f"azure-openai+{empty}"
        selected = program("plan", f"{archive}@2", target, "-o", str(plan), "--id", thread, *accept)
        restored = program("restore", f"{archive}@2", "--id", STORE_ASSISTANT, "--yes", "--json", *accept)
    if (done := restored.json)["created"] != 2 + STORE_FILES or done["findings"]:
        raise CommandFailed(f"restore created {done['created']}, with {len(done['findings'])} findings")
    results.put("restore_seconds", restored.seconds)
    results.put("restore_peak", restored.peak / MB)
    results.put("select_cpu", selected.cpu)
    messages = f"{size.restored_threads * MESSAGES:,} messages"
    results.cost(f"restore of one assistant of {messages}", restored, disk=on_disk(archive))
    results.cost(f"plan of one thread of {messages}", selected)
