"""How long `--help` and `ls` take beside an interpreter that imports click and sqlite3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.child import Cost, program, run
from benchmarks.results import Results, middle
from benchmarks.sizes import Size


def measure(size: Size, results: Results, folder: Path) -> None:
    """In turn, many times; the medians. Once before that, so that everything is compiled."""
    archive = folder / "small.db"
    run("-m", "benchmarks.snapshots", "make", str(archive), "10", "3", "10")
    ways: dict[str, Callable[[], Cost]] = {
        "import": lambda: run("-c", "import click, sqlite3"),
        "help": lambda: run("-m", "migrate", "--help"),
        "ls": lambda: program("ls", str(archive)),
    }
    costs = {what: [start()] for what, start in ways.items()}
    for _ in range(size.starts):
        for what, start in ways.items():
            costs[what].append(start())
    times = {what: [cost.seconds for cost in rows[1:]] for what, rows in costs.items()}
    for what in ("help", "ls"):
        results.put(f"{what}_start", middle(times[what]) / middle(times["import"]))
        results.cost("--help" if what == "help" else what, costs[what][-1])
    results.facts["starts"] = {what: round(middle(values), 4) for what, values in times.items()}
