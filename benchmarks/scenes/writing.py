"""apply and verify, to an Assistants resource and to a Foundry project, beside the floor of these writes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.child import Cost, Service, program, run, service
from benchmarks.results import Results, middle
from benchmarks.sizes import Size

OPENING = {"azure-openai": (32, 1), "foundry": (20, 20)}
"""Messages that a new thread takes, and that a further request takes."""


def measure(size: Size, results: Results, folder: Path) -> None:
    """Both targets in turn."""
    for target, key, threads in (
        ("azure-openai", "assistants", size.assistants_threads),
        ("foundry", "foundry", size.foundry_threads),
    ):
        source = folder / f"{key}.db"
        with service("generated", threads=threads, messages=size.messages, assistants=10, latency=0) as there:
            taken = program("snapshot", f"azure-openai+{there.url}", "-o", str(source))
        results.facts[f"{key}_source_seconds"] = round(taken.seconds, 3)
        rows = [_round(size, results, target, key, threads, source) for _ in range(min(2, size.rounds))]
        results.put(f"{key}_floor", middle(row["floor"] for row in rows))
        results.facts[f"{key}_rounds"] = rows
        if target == "foundry":  # fewer requests, so the reading back weighs more
            _against_snapshot(size, results, threads, rows)


def _round(
    size: Size, results: Results, target: str, key: str, threads: int, source: Path
) -> dict[str, float]:
    floor, requests = _floor(size, target, threads)
    with service(target, latency=size.latency) as there:
        url = there.project if target == "foundry" else there.url
        moved = move(size, source, f"{target}+{url}", there)
    again, _ = _floor(size, target, threads)
    first, more = OPENING[target]
    writes = threads * (1 + max(0, -(-(size.messages - first) // more)))
    least = writes + threads * -(-size.messages // 100)
    threadwise = sum(n for route, n in moved.requests.items() if "ID" in route or route.startswith("POST"))
    results.put(f"{key}_requests", threadwise / (least + 10))  # and ten assistants
    results.largest("apply_peak", moved.apply.peak)
    results.largest("verify_peak", moved.verify.peak)
    results.facts[key] = {
        "requests": moved.requests,
        "least_writes": writes,
        "least_with_reading_back": least,
        "cpu_a_request": round(moved.apply.cpu / sum(moved.requests.values()), 6),
        "floor_cpu_a_request": round(floor.cpu / requests, 6),
    }
    beside = (floor.seconds + again.seconds) / 2
    return {
        "floor": beside / moved.apply.seconds,  # the same threads: a useless request does not count
        "floor_seconds": round(beside, 3),
        "apply_seconds": round(moved.apply.seconds, 3),
        "verify_seconds": round(moved.verify.seconds, 3),
    }


def _floor(size: Size, target: str, threads: int) -> tuple[Cost, int]:
    with service(target, latency=size.latency) as there:
        shape = [f"--threads={threads}", f"--messages={size.messages}", f"--workers={size.workers}"]
        project = ["--project"] if target == "foundry" else []
        cost = run("-m", "benchmarks.floor", "writing", there.url, *shape, *project)
        return cost, there.counts()["total"]


class Moved:
    """What it cost to plan, apply and verify; `requests` are those of apply, by route."""

    def __init__(self, plan: Cost, apply: Cost, verify: Cost, requests: dict[str, int]) -> None:
        self.plan, self.apply, self.verify, self.requests = plan, apply, verify, requests


def move(size: Size, source: Path, target: str, there: Service | None) -> Moved:
    """Plan, apply, verify."""
    plan = source.with_suffix(".plan.json")
    workers = ("--workers", str(size.workers))
    planned = program("plan", str(source), target, "-o", str(plan), "--accept-loss", "all", *workers)
    there and there.counts()
    applied = program("apply", str(plan), "--yes", *workers)
    requests = there.counts()["requests"] if there else {}
    verified = program("verify", str(plan), *workers)
    return Moved(planned, applied, verified, requests)


def _against_snapshot(size: Size, results: Results, threads: int, rows: list[dict[str, float]]) -> None:
    """verify beside a snapshot of an estate of that size, taken in the same run."""
    shape = {"threads": threads, "messages": size.messages, "assistants": 10, "latency": size.latency}
    taken = []
    with service("generated", **shape) as there, tempfile.TemporaryDirectory() as folder:
        for n, _ in enumerate(rows):
            at = ("-o", f"{folder}/{n}.db", "--workers", str(size.workers))
            taken.append(program("snapshot", f"azure-openai+{there.url}", *at).seconds)
    results.put("verify_snapshot", middle(taken) / middle(row["verify_seconds"] for row in rows))
