"""`python -m benchmarks`: every scene in turn, then the table; exit 1 when a target is missed."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import document, picture, table
from benchmarks.results import Results
from benchmarks.scenes import comparing, growing, reading, starting, storing, writing
from benchmarks.sizes import SIZES

SCENES = {
    "starting": starting.measure,
    "reading": reading.measure,
    "writing": writing.measure,
    "storing": storing.measure,
    "comparing": comparing.measure,
    "growing": growing.measure,
}


def main(arguments: list[str]) -> int:
    """Run the scenes that were asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--only", choices=SCENES, action="append", help="may be repeated")
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/results"))
    given = parser.parse_args(arguments)
    size, results, began = SIZES[given.size], Results(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for name in given.only or SCENES:
            sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {name}\n")
            SCENES[name](size, results, Path(folder))
    told = document(size, results, time.monotonic() - began)
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / f"{size.name}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (given.output / f"{size.name}.txt").write_text(table(told), encoding="utf-8")
    if told["points"]:
        (given.output / f"{size.name}.svg").write_text(picture(told), encoding="utf-8")
    sys.stdout.write(table(told))
    return 1 if told["missed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
