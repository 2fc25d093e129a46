"""apply of files and a vector store to the emulator: requests compared with the least that the API needs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Service, program, started
from benchmarks.results import Results
from benchmarks.scenes.write import move
from benchmarks.sizes import Size

BATCH = 500
EMULATOR = "benchmarks.service.emulated"


def measure(size: Size, results: Results, folder: Path) -> None:
    """The least: one upload per file, one store, one batch for every 500 files, one read of the store at
    the end, and one listing of its files."""
    archive = folder / "files.db"
    with started("-m", EMULATOR, "--files", str(size.files)) as source, started("-m", EMULATOR) as target:
        program("snapshot", f"azure-openai+{source}", "-o", str(archive))
        costs_of_move = move(size, archive, f"azure-openai+{target}", Service(target))
    counted = {
        route: n
        for route, n in costs_of_move.counts["apply"]["requests"].items()
        if route.startswith("POST") or "ID" in route
    }
    minimum = size.files + 1 + -(-size.files // BATCH) + 1 + size.files // 100 + 1
    results.put("files_requests", sum(counted.values()) / minimum)
    results.cost(
        f"apply {size.files:,} files and a store", costs_of_move.apply, costs_of_move.counts["apply"]
    )
    results.facts["files"] = {"requests": counted, "least": minimum}
