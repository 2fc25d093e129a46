"""apply and verify, to an Assistants resource and to a Foundry project, beside the floor of these writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.child import Cost, Service, program, run, service
from benchmarks.results import Results, middle, on_disk
from benchmarks.sizes import Size

# Messages that a new thread takes, and that a further request takes.
OPENING = {"azure-openai": (32, 1), "foundry": (20, 20)}
ASSISTANTS = 10


def measure(size: Size, results: Results, folder: Path) -> None:
    """Both targets in turn."""
    for target, key, threads in (
        ("azure-openai", "assistants", size.assistants_threads),
        ("foundry", "foundry", size.foundry_threads),
    ):
        source = folder / f"{key}.db"
        shape = {"threads": threads, "messages": size.messages, "assistants": ASSISTANTS}
        with service("generated", **shape, latency=size.latency) as there:
            at = ("-o", str(source), "--workers", str(size.workers))
            taken = program("snapshot", f"azure-openai+{there.url}", *at)
        rows = [_round(size, results, target, key, threads, source) for _ in range(min(2, size.rounds))]
        results.put(f"{key}_floor", middle(row["floor"] for row in rows))
        results.facts[f"{key}_rounds"] = rows
        if target == "foundry" and size.full:  # a hundred threads are read back before an SDK is loaded
            results.put("verify_snapshot", taken.seconds / middle(row["verify_seconds"] for row in rows))
            results.facts["moved_source_seconds"] = round(taken.seconds, 3)


def _round(
    size: Size, results: Results, target: str, key: str, threads: int, source: Path
) -> dict[str, float]:
    floors = [_floor(size, target, threads)]
    with service(target, latency=size.latency) as there:
        moved = move(size, source, f"{target}+{there.address}", there)
    if size.rounds > 1:  # before and after
        floors.append(_floor(size, target, threads))
    first, more = OPENING[target]
    writes = threads * (1 + max(0, -(-(size.messages - first) // more)))
    least = writes + threads * (size.messages // 100 + 1)
    requests = moved.counts["apply"]["requests"]
    threadwise = sum(n for route, n in requests.items() if "ID" in route or route.startswith("POST"))
    results.put(f"{key}_requests", threadwise / (least + ASSISTANTS))
    _tell(results, key, moved, floors[-1], source)
    results.facts[key] = {"requests": requests, "least_writes": writes, "least_with_reading_back": least}
    beside = sum(cost.seconds for cost, _ in floors) / len(floors)
    return {
        "floor": beside / moved.apply.seconds,  # the same threads: a useless request does not count
        "floor_seconds": round(beside, 3),
        "apply_seconds": round(moved.apply.seconds, 3),
        "verify_seconds": round(moved.verify.seconds, 3),
    }


def _tell(results: Results, key: str, moved: Moved, floor: tuple[Cost, dict[str, Any]], source: Path) -> None:
    results.cost(f"floor: the same writes, {key}", *floor)
    results.cost(f"plan, {key}", moved.plan, moved.counts["plan"])
    results.cost(f"apply, {key}", moved.apply, moved.counts["apply"], on_disk(source))
    results.cost(f"verify, {key}", moved.verify, moved.counts["verify"])
    results.largest("apply_peak", moved.apply.peak)
    results.largest("verify_peak", moved.verify.peak)


def _floor(size: Size, target: str, threads: int) -> tuple[Cost, dict[str, Any]]:
    with service(target, latency=size.latency) as there:
        shape = [f"--threads={threads}", f"--messages={size.messages}", f"--workers={size.workers}"]
        project = ["--project"] if target == "foundry" else []
        cost = run("-m", "benchmarks.floor", "writing", there.url, *shape, *project)
        return cost, there.counts()


class Moved:
    """What it cost to plan, apply and verify; `counts` are what the service counted in each."""

    def __init__(self, costs: dict[str, Cost], counts: dict[str, dict[str, Any]]) -> None:
        self.plan, self.apply, self.verify = (costs[what] for what in ("plan", "apply", "verify"))
        self.counts = counts


def move(size: Size, source: Path, target: str, there: Service | None) -> Moved:
    """Plan, apply, verify."""
    plan, workers = source.with_suffix(".plan.json"), ("--workers", str(size.workers))
    costs: dict[str, Cost] = {}
    counts: dict[str, dict[str, Any]] = {}
    for what, arguments in (
        ("plan", (str(source), target, "-o", str(plan), "--accept-loss", "all")),
        ("apply", (str(plan), "--yes")),
        ("verify", (str(plan),)),
    ):
        there and there.counts()
        costs[what] = program(what, *arguments, *workers)
        counts[what] = there.counts() if there else {"requests": {}, "sent": 0, "total": 0}
    return Moved(costs, counts)
