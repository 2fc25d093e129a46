"""One large file there and back, through the emulator, which streams files: peak memory of every command."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from benchmarks.child import program, started
from benchmarks.results import MB, Results, on_disk
from benchmarks.scenes.writing import move
from benchmarks.sizes import Size

EMULATOR = ("-m", "benchmarks.service.emulated")


def measure(size: Size, results: Results, folder: Path) -> None:
    """Snapshot, check, diff against live, apply, verify."""
    if not size.file_megabytes:
        return
    there, archive = folder / "large", folder / "large.db"
    _laid(there, size.file_megabytes)
    with started(*EMULATOR, str(there)) as source, started(*EMULATOR) as target:
        costs = {
            "snapshot": program("snapshot", f"azure-openai+{source}", "-o", str(archive)),
            "check": program("check", str(archive)),
            "diff": program("diff", str(archive), f"azure-openai+{source}"),
        }
        moved = move(dataclasses.replace(size, workers=8), archive, f"azure-openai+{target}", None)
    costs |= {"apply": moved.apply, "verify": moved.verify}
    results.put("file_peak", max(cost.peak for cost in costs.values()) / MB)
    for command, cost in costs.items():
        results.cost(f"{command}, one file of {size.file_megabytes} MB", cost, disk=on_disk(archive))


def _laid(there: Path, megabytes: int) -> None:
    (there / "content").mkdir(parents=True)
    row = {"id": "assistant-large", "object": "file", "bytes": megabytes * MB, "created_at": 1_740_000_000,
           "filename": "large.txt", "purpose": "assistants", "status": "processed"}  # fmt: skip
    (there / "files.json").write_text(json.dumps([row]))
    with (there / "content" / "assistant-large").open("wb") as stream:
        for number in range(megabytes):
            stream.write(b"%015d\n" % number * (MB // 16))
