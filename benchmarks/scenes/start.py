"""Start-up time of `--help` and `ls`, compared with an interpreter that imports click and sqlite3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.child import Cost, program, run
from benchmarks.results import Results, median
from benchmarks.sizes import Size


def measure(size: Size, results: Results, folder: Path) -> None:
    """Measure in turn, many times; the medians count. One run before that compiles all modules."""
    archive = folder / "small.db"
    run("-m", "benchmarks.snapshots", "make", str(archive), "10", "3", "10")
    commands: dict[str, Callable[[], Cost]] = {
        "import": lambda: run("-c", "import click, sqlite3"),
        "help": lambda: run("-m", "migrate", "--help"),
        "ls": lambda: program("ls", str(archive)),
    }
    costs = {name: [start()] for name, start in commands.items()}
    for _ in range(size.starts):
        for name, start in commands.items():
            costs[name].append(start())
    times = {name: [cost.seconds for cost in rows[1:]] for name, rows in costs.items()}
    for name in ("help", "ls"):
        results.put(f"{name}_start", median(times[name]) / median(times["import"]))
        results.cost("--help" if name == "help" else name, costs[name][-1])
    results.facts["starts"] = {name: round(median(values), 4) for name, values in times.items()}
