"""Peak memory of every command with one large file. The emulator streams files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from benchmarks.child import program, started
from benchmarks.results import MB, Results, on_disk
from benchmarks.scenes.write import move
from benchmarks.sizes import Size

EMULATOR = ("-m", "benchmarks.service.emulated")


def measure(size: Size, results: Results, folder: Path) -> None:
    """Measure snapshot, check, diff against live, apply and verify."""
    if not size.file_megabytes:
        return
    folder_of_state, archive = folder / "large_file", folder / "large.db"
    _write_state(folder_of_state, size.file_megabytes)
    with started(*EMULATOR, str(folder_of_state)) as source, started(*EMULATOR) as target:
        costs = {
            "snapshot": program("snapshot", f"azure-openai+{source}", "-o", str(archive)),
            "check": program("check", str(archive)),
            "diff": program("diff", str(archive), f"azure-openai+{source}"),
        }
        costs_of_move = move(dataclasses.replace(size, workers=8), archive, f"azure-openai+{target}", None)
    costs |= {"apply": costs_of_move.apply, "verify": costs_of_move.verify}
    results.put("file_peak", max(cost.peak for cost in costs.values()) / MB)
    for command, cost in costs.items():
        results.cost(f"{command}, one file of {size.file_megabytes} MB", cost, disk=on_disk(archive))


def _write_state(folder_of_state: Path, megabytes: int) -> None:
    (folder_of_state / "content").mkdir(parents=True)
    row = {"id": "assistant-large", "object": "file", "bytes": megabytes * MB, "created_at": 1_740_000_000,
           "filename": "large.txt", "purpose": "assistants", "status": "processed"}  # fmt: skip
    (folder_of_state / "files.json").write_text(json.dumps([row]))
    with (folder_of_state / "content" / "assistant-large").open("wb") as stream:
        for number in range(megabytes):
            stream.write(b"%015d\n" % number * (MB // 16))
