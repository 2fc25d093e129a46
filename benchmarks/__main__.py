"""`python -m benchmarks`: run every scene, then print tables. Exit 1 if a target is missed or not
measured."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.report import document, growth_chart, table
from benchmarks.results import Results
from benchmarks.scenes import (
    api,
    compare,
    files,
    growth,
    index,
    large_file,
    mcp,
    read,
    restore,
    serve,
    start,
    tls,
    transcripts,
    write,
)
from benchmarks.sizes import SIZES, Size

SCENES = {
    "start": start.measure,
    "read": read.measure,
    "tls": tls.measure,
    "write": write.measure,
    "files": files.measure,
    "compare": compare.measure,
    "restore": restore.measure,
    "growth": growth.measure,
    "large_file": large_file.measure,
    "api": api.measure,
    "serve": serve.measure,
    "index": index.measure,
    "mcp": mcp.measure,
    "transcripts": transcripts.measure,
}


SIZE_OPTIONS: dict[str, type] = {"threads": int, "messages": int, "workers": int, "latency": float}


def main(arguments: list[str]) -> int:
    """Run the requested scenes; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--only", choices=SCENES, action="append", help="may be repeated")
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/results"))
    for name, kind in SIZE_OPTIONS.items():
        parser.add_argument(f"--{name}", type=kind, help="instead of the value of the size")
    options = parser.parse_args(arguments)
    size, results = _size(options), Results()
    scene_costs: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for name in options.only or SCENES:
            sys.stderr.write(f"{name}\n")
            began, cpu = time.monotonic(), _cpu()
            SCENES[name](size, results, Path(folder))
            scene_costs[name] = {"seconds": round(time.monotonic() - began, 1), "cpu": round(_cpu() - cpu, 1)}
    report = document(size, results, scene_costs)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{size.name}.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (options.output / f"{size.name}.txt").write_text(table(report), encoding="utf-8")
    if report["points"]:
        (options.output / f"{size.name}.svg").write_text(growth_chart(report), encoding="utf-8")
    sys.stdout.write(table(report))
    return 1 if report["missed"] or report["unmeasured"] else 0


def _size(options: argparse.Namespace) -> Size:
    """The named size with the values that were given as options."""
    changes = {name: value for name in SIZE_OPTIONS if (value := getattr(options, name)) is not None}
    return replace(SIZES[options.size], **changes)


def _cpu() -> float:
    """Seconds of processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
