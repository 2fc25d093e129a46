"""All conversations of an archive as files: messages a second of processor time, and peak memory, which must
not grow with the number of threads."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.child import Cost, program, run
from benchmarks.results import Results, on_disk
from benchmarks.sizes import Size

# Messages of each thread: a chat, not a log.
MESSAGES = 10
FORMATS = ("html", "jsonl")


def measure(size: Size, results: Results, folder: Path) -> None:
    """Write threads, and a tenth of them, in each format."""
    counts = (max(1, size.transcripts // 10), size.transcripts)
    costs: dict[str, dict[int, Cost]] = {name: {} for name in FORMATS}
    for threads in counts:
        archive = folder / f"transcripts-{threads}.db"
        run("-m", "benchmarks.snapshots", "make", str(archive), "5", str(threads), str(MESSAGES))
        for name in FORMATS:
            place = folder / f"transcripts-{threads}-{name}"
            cost = program("transcript", str(archive), "--all", "--dir", str(place), "--format", name)
            costs[name][threads] = cost
            words = f"transcript --all as {name}, {threads:,} threads of {MESSAGES} messages"
            results.cost(words, cost, disk=on_disk(archive))
            results.put_peak("transcripts_peak", cost.peak)
            shutil.rmtree(place)
        archive.unlink()
    few, many = counts
    results.put("transcripts_growth", max(costs[name][many].peak / costs[name][few].peak for name in FORMATS))
    results.put("transcripts_rate", many * MESSAGES / costs["html"][many].cpu)
    results.facts["transcripts"] = {
        name: {
            "threads": many,
            "seconds": round(by_threads[many].seconds, 1),
            "messages_a_cpu_second": round(many * MESSAGES / by_threads[many].cpu),
            "peak_mb": round(by_threads[many].peak / 1e6, 1),
        }
        for name, by_threads in costs.items()
    }
