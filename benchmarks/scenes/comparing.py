"""diff of two snapshots of which one object in a hundred differs, beside loading and hashing the bodies."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Cost, program, run
from benchmarks.results import Results, middle, on_disk
from benchmarks.sizes import Size

# The exit code of a diff that finds some.
DIFFERENCES = (1,)


def measure(size: Size, results: Results, folder: Path) -> None:
    """Threads with messages; in full also many assistants."""
    threads = max(1, size.compared // 101)
    archive = _made(folder / "comparing.db", 0, threads, 100)
    pairs = []
    for _ in range(size.rounds):
        hashing = run("-m", "benchmarks.snapshots", "hash", str(archive))
        pairs.append((hashing, _diff(archive)))
    for hashing, diff in pairs:
        results.largest("pair_peak", diff.peak)
        results.cost(f"diff of two snapshots, {threads * 101:,} objects", diff, disk=on_disk(archive))
        results.cost("loading and hashing these", hashing)
    results.put("diff_hashing", middle(diff.seconds / hashing.seconds for hashing, diff in pairs))
    results.facts["diff_of_snapshots"] = {
        "objects": threads * 101,
        "diff_seconds": [round(diff.seconds, 3) for _, diff in pairs],
        "hashing_seconds": [round(hashing.seconds, 3) for hashing, _ in pairs],
    }
    if size.many_assistants:
        archive = _made(folder / "assistants.db", size.many_assistants, 0, 0)
        costs = [_diff(archive) for _ in range(size.rounds)]
        results.put("diff_assistants", middle(cost.cpu / 2 for cost in costs))
        results.cost(f"diff of two snapshots, {size.many_assistants:,} assistants", costs[-1])


def _made(archive: Path, *numbers: int) -> Path:
    run("-m", "benchmarks.snapshots", "make", str(archive), *map(str, numbers))
    return archive


def _diff(archive: Path) -> Cost:
    return program("diff", f"{archive}@1", f"{archive}@2", codes=DIFFERENCES)
