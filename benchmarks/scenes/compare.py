"""diff of two snapshots that differ in one object of a hundred, compared with loading and hashing the
bodies."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Cost, program, run
from benchmarks.results import Results, median, on_disk
from benchmarks.sizes import Size

# The exit code of a diff that finds differences.
DIFFERENCES_FOUND_CODES = (1,)


def measure(size: Size, results: Results, folder: Path) -> None:
    """Measure threads with messages, and in a full run also many assistants."""
    threads = max(1, size.compared // 101)
    archive = _make_archive(folder / "comparing.db", 0, threads, 100)
    pairs = []
    for _ in range(size.rounds):
        hashing = run("-m", "benchmarks.snapshots", "hash", str(archive))
        pairs.append((hashing, _diff(archive)))
    for hashing, diff in pairs:
        results.put_peak("pair_peak", diff.peak)
        results.cost(f"diff of two snapshots, {threads * 101:,} objects", diff, disk=on_disk(archive))
        results.cost("loading and hashing these", hashing)
    results.put("diff_hashing", median(diff.seconds / hashing.seconds for hashing, diff in pairs))
    results.facts["diff_of_snapshots"] = {
        "objects": threads * 101,
        "diff_seconds": [round(diff.seconds, 3) for _, diff in pairs],
        "hashing_seconds": [round(hashing.seconds, 3) for hashing, _ in pairs],
    }
    if size.many_assistants:
        archive = _make_archive(folder / "assistants.db", size.many_assistants, 0, 0)
        costs = [_diff(archive) for _ in range(size.rounds)]
        results.put("diff_assistants", median(cost.cpu / 2 for cost in costs))
        results.cost(f"diff of two snapshots, {size.many_assistants:,} assistants", costs[-1])


def _make_archive(archive: Path, *numbers: int) -> Path:
    run("-m", "benchmarks.snapshots", "make", str(archive), *map(str, numbers))
    return archive


def _diff(archive: Path) -> Cost:
    return program("diff", f"{archive}@1", f"{archive}@2", codes=DIFFERENCES_FOUND_CODES)
