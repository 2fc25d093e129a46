"""`python -m benchmarks`: every scene in turn, then tables; exit 1 where a target is missed or unmeasured."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.report import document, picture, table
from benchmarks.results import Results
from benchmarks.scenes import comparing, growing, large, reading, starting, storing, tls, writing
from benchmarks.sizes import SIZES, Size

SCENES = {
    "starting": starting.measure,
    "reading": reading.measure,
    "tls": tls.measure,
    "writing": writing.measure,
    "storing": storing.measure,
    "comparing": comparing.measure,
    "growing": growing.measure,
    "large": large.measure,
}


OTHERWISE: dict[str, type] = {"threads": int, "messages": int, "workers": int, "latency": float}


def main(arguments: list[str]) -> int:
    """Run the scenes that were asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--only", choices=SCENES, action="append", help="may be repeated")
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/results"))
    for name, kind in OTHERWISE.items():
        parser.add_argument(f"--{name}", type=kind, help="otherwise than the size says")
    given = parser.parse_args(arguments)
    size, results = _sized(given), Results()
    took: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for name in given.only or SCENES:
            sys.stderr.write(f"{name}\n")
            began, cpu = time.monotonic(), _cpu()
            SCENES[name](size, results, Path(folder))
            took[name] = {"seconds": round(time.monotonic() - began, 1), "cpu": round(_cpu() - cpu, 1)}
    told = document(size, results, took)
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / f"{size.name}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (given.output / f"{size.name}.txt").write_text(table(told), encoding="utf-8")
    if told["points"]:
        (given.output / f"{size.name}.svg").write_text(picture(told), encoding="utf-8")
    sys.stdout.write(table(told))
    return 1 if told["missed"] or told["unmeasured"] else 0


def _sized(given: argparse.Namespace) -> Size:
    """The size that was named, with what was asked for otherwise."""
    others = {name: value for name in OTHERWISE if (value := getattr(given, name)) is not None}
    return replace(SIZES[given.size], **others)


def _cpu() -> float:
    """Seconds of processor time of every process that was started and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
