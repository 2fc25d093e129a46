"""Files and a vector store applied to the emulator: requests made beside the least that the API allows."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Service, program, started
from benchmarks.results import Results
from benchmarks.scenes.writing import move
from benchmarks.sizes import Size

BATCH = 500
EMULATOR = "benchmarks.service.emulated"


def measure(size: Size, results: Results, folder: Path) -> None:
    """The least: one upload a file, one store, a batch for each 500 files, one look at the store at the end,
    and one reading of its files."""
    archive = folder / "files.db"
    with started("-m", EMULATOR, "--files", str(size.files)) as source, started("-m", EMULATOR) as target:
        program("snapshot", f"azure-openai+{source}", "-o", str(archive))
        moved = move(size, archive, f"azure-openai+{target}", Service(target))
    counted = {
        route: n
        for route, n in moved.counts["apply"]["requests"].items()
        if route.startswith("POST") or "ID" in route
    }
    least = size.files + 1 + -(-size.files // BATCH) + 1 + size.files // 100 + 1
    results.put("files_requests", sum(counted.values()) / least)
    results.cost(f"apply {size.files:,} files and a store", moved.apply, moved.counts["apply"])
    results.facts["files"] = {"requests": counted, "least": least}
