"""Measure each process setting of the program alone: pairs of runs over TLS with 100 ms latency, on and off.

`python -m benchmarks.process_settings --pairs 5` prints the medians of the ratios off / on for a
snapshot and a verify. Judge by the processor time: it depends less on other work on the machine
than the seconds do.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from benchmarks.child import Cost, run, service
from benchmarks.scenes.tls import LATENCY_S

# The child process that runs the program reads this variable. The program itself does not know it.
OFF_VARIABLE = "BENCHMARK_TUNING_OFF"
WORKERS = ("--workers", "32")


def _without_collector_settings() -> None:
    from migrate.endpoints import process_settings

    unchanged = SimpleNamespace(
        get_threshold=gc.get_threshold, set_threshold=lambda *_: None, freeze=lambda: None
    )
    vars(process_settings)["gc"] = unchanged


def _without_header_reuse() -> None:
    from migrate.endpoints import process_settings

    process_settings.MAX_HEADER_AGE_S = 0.0


def _without_all() -> None:
    _without_collector_settings()
    _without_header_reuse()


SWITCHES: dict[str, Callable[[], None]] = {
    "garbage collector": _without_collector_settings,
    "header reuse": _without_header_reuse,
    "all": _without_all,
}


def run_program(arguments: list[str]) -> None:
    """Run the program in this process, with the tuning off that the environment names."""
    if name := os.environ.get(OFF_VARIABLE):
        SWITCHES[name]()
    from migrate.cli import main as program_main

    sys.argv = ["assistants-migrate", *arguments]
    program_main()


def _timed(off: str, arguments: tuple[str, ...], certificate: Path) -> Cost:
    os.environ[OFF_VARIABLE] = off
    try:
        return run(
            "-m", "benchmarks.process_settings", "run-program", *arguments, *WORKERS, "--quiet",
            certificate=str(certificate),
        )  # fmt: skip
    finally:
        del os.environ[OFF_VARIABLE]


def _report(command: str, name: str, pairs: list[tuple[Cost, Cost]]) -> str:
    cpu = statistics.median(off.cpu / on.cpu for on, off in pairs)
    seconds = statistics.median(off.seconds / on.seconds for on, off in pairs)
    peak = statistics.median(off.peak - on.peak for on, off in pairs) / 1e6
    return f"{command:10} {name:18} CPU {cpu:6.3f}  seconds {seconds:6.3f}  peak {peak:+5.1f} MB\n"


def _measure(command: str, pair_count: int, work: Callable[[str], Cost]) -> None:
    work("")  # compiles modules and fills caches
    for name in SWITCHES:
        pairs = []
        for number in range(pair_count):
            order = ("", name) if number % 2 else (name, "")
            costs = {off: work(off) for off in order}
            pairs.append((costs[""], costs[name]))
        sys.stdout.write(_report(command, name, pairs))
        sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Measure a snapshot and a verify with each tuning off in turn."""
    parser = argparse.ArgumentParser(prog="benchmarks.process_settings", description=__doc__)
    parser.add_argument("--threads", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        archive, plan = folder / "estate.db", str(folder / "plan.json")
        certificate = folder / "service.pem"
        shape = {"threads": options.threads, "messages": 100, "latency": LATENCY_S}
        with service("generated", **shape, certificate=certificate) as source:

            def snapshot(off: str) -> Cost:
                for file in folder.glob("estate.db*"):
                    file.unlink()
                command = ("snapshot", f"azure-openai+{source.url}", "-o", str(archive))
                return _timed(off, command, certificate)

            _measure("snapshot", options.pairs, snapshot)
        with service("foundry", latency=LATENCY_S, certificate=certificate) as target:
            plan_options = ("-o", plan, "--accept-loss", "all")
            _timed("", ("plan", str(archive), f"foundry+{target.address}", *plan_options), certificate)
            _timed("", ("apply", plan, "--yes"), certificate)
            _measure("verify", options.pairs, lambda off: _timed(off, ("verify", plan), certificate))


if __name__ == "__main__":
    if sys.argv[1:2] == ["run-program"]:
        run_program(sys.argv[2:])
    else:
        main(sys.argv[1:])
