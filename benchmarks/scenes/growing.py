"""Time and peak memory against the size of an estate; check; and one large file there and back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from benchmarks.child import program, service, started
from benchmarks.results import MB, Results
from benchmarks.scenes.writing import move
from benchmarks.sizes import Size

QUICKLY = 0.0
"""Latency here: memory is what is looked at, and nothing is compared with a floor."""


def measure(size: Size, results: Results, folder: Path) -> None:
    """A snapshot of each size, one ten times the other among them."""
    workers = ("--workers", str(size.workers))
    for thousands in size.growth:
        threads = thousands * 1_000 // size.messages
        archive = folder / f"growing-{thousands}.db"
        with service("generated", threads=threads, messages=size.messages, latency=QUICKLY) as there:
            cost = program("snapshot", f"azure-openai+{there.url}", "-o", str(archive), *workers)
            if thousands == size.moved:
                live = program("diff", str(archive), f"azure-openai+{there.url}", *workers)
                results.largest("diff_peak", live.peak)
        checked = program("check", str(archive))
        results.largest("snapshot_peak", cost.peak)
        results.largest("check_peak", checked.peak)
        point = {"messages": threads * size.messages, "seconds": cost.seconds, "peak": cost.peak,
                 "check_peak": checked.peak, "check_seconds": checked.seconds}  # fmt: skip
        results.points.append({name: round(value, 3) for name, value in point.items()})
        if thousands == size.moved:
            _moved(size, results, archive)
        archive.unlink()
    last, tenth = size.growth[-1], size.growth[-1] // 10
    before = tenth if tenth in size.growth else size.growth[0]
    peaks = {thousands: point["peak"] for thousands, point in zip(size.growth, results.points, strict=True)}
    results.put("memory_growth", peaks[last] / peaks[before])
    if size.file_megabytes:
        _file(size, results, folder)


def _moved(size: Size, results: Results, archive: Path) -> None:
    with service("foundry", latency=QUICKLY) as there:
        moved = move(size, archive, f"foundry+{there.project}", there)
    results.largest("apply_peak", moved.apply.peak)
    results.largest("verify_peak", moved.verify.peak)
    results.facts["moved"] = {
        "plan_peak": moved.plan.peak,
        "apply_peak": moved.apply.peak,
        "verify_peak": moved.verify.peak,
        "apply_seconds": round(moved.apply.seconds, 1),
        "verify_seconds": round(moved.verify.seconds, 1),
    }


def _file(size: Size, results: Results, folder: Path) -> None:
    """Through the emulator, which streams files."""
    there = folder / "large"
    (there / "content").mkdir(parents=True)
    count = size.file_megabytes * MB
    row = {"id": "assistant-large", "object": "file", "bytes": count, "created_at": 1_740_000_000,
           "filename": "large.txt", "purpose": "assistants", "status": "processed"}  # fmt: skip
    (there / "files.json").write_text(json.dumps([row]))
    with (there / "content" / "assistant-large").open("wb") as stream:
        for number in range(size.file_megabytes):
            stream.write(b"%015d\n" % number * (MB // 16))
    emulator = ("-m", "benchmarks.service.emulated")
    archive = folder / "large.db"
    with started(*emulator, str(there)) as source, started(*emulator) as target:
        cost = program("snapshot", f"azure-openai+{source}", "-o", str(archive))
        moved = move(dataclasses.replace(size, workers=8), archive, f"azure-openai+{target}", None)
    peaks = {"snapshot": cost.peak, "apply": moved.apply.peak, "verify": moved.verify.peak}
    results.put("file_peak", max(peaks.values()) / MB)
    results.facts["large_file"] = {"megabytes": size.file_megabytes, "peaks": peaks}
