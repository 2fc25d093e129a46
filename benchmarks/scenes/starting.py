"""How long `--help` and `ls` take beside an interpreter that imports click and sqlite3."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import program, run
from benchmarks.results import Results, middle
from benchmarks.sizes import Size


def measure(size: Size, results: Results, folder: Path) -> None:
    """In turn, many times; the medians."""
    archive = folder / "small.db"
    run("-m", "benchmarks.snapshots", "make", str(archive), "10", "3", "10")
    times: dict[str, list[float]] = {"import": [], "help": [], "ls": []}
    for _ in range(size.starts):
        times["import"].append(run("-c", "import click, sqlite3").seconds)
        times["help"].append(run("-m", "migrate", "--help").seconds)
        times["ls"].append(program("ls", str(archive)).seconds)
    for what in ("help", "ls"):
        results.put(f"{what}_start", middle(times[what]) / middle(times["import"]))
    results.facts["starts"] = {what: round(middle(values), 4) for what, values in times.items()}
