"""apply and verify, to an Assistants resource and to a Foundry project, compared with the floor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.child import Cost, Service, program, run, service
from benchmarks.results import Results, median, on_disk
from benchmarks.sizes import Size

# How many messages fit into the request that creates a thread, and into each further request.
MESSAGE_LIMITS = {"azure-openai": (32, 1), "foundry": (20, 20)}
ASSISTANTS = 10


def measure(size: Size, results: Results, folder: Path) -> None:
    """Measure both targets in turn."""
    for target, key, threads in (
        ("azure-openai", "assistants", size.assistants_threads),
        ("foundry", "foundry", size.foundry_threads),
    ):
        source = folder / f"{key}.db"
        shape = {"threads": threads, "messages": size.messages, "assistants": ASSISTANTS}
        with service("generated", **shape, latency=size.latency) as target_service:
            options = ("-o", str(source), "--workers", str(size.workers))
            snapshot = program("snapshot", f"azure-openai+{target_service.url}", *options)
        rows = [_round(size, results, target, key, threads, source) for _ in range(min(2, size.rounds))]
        results.put(f"{key}_floor", median(row["floor"] for row in rows))
        results.facts[f"{key}_rounds"] = rows
        # Not in a quick run: reading its few threads takes less time than loading an SDK.
        if target == "foundry" and size.full:
            results.put("verify_snapshot", snapshot.seconds / median(row["verify_seconds"] for row in rows))
            results.facts["moved_source_seconds"] = round(snapshot.seconds, 3)


def _round(
    size: Size, results: Results, target: str, key: str, threads: int, source: Path
) -> dict[str, float]:
    floors = [_floor(size, target, threads)]
    with service(target, latency=size.latency) as target_service:
        costs_of_move = move(size, source, f"{target}+{target_service.address}", target_service)
    if size.rounds > 1:  # before and after
        floors.append(_floor(size, target, threads))
    first, per_request = MESSAGE_LIMITS[target]
    writes = threads * (1 + max(0, -(-(size.messages - first) // per_request)))
    minimum = writes + threads * (size.messages // 100 + 1)
    requests = costs_of_move.counts["apply"]["requests"]
    writes_and_reads = sum(n for route, n in requests.items() if "ID" in route or route.startswith("POST"))
    results.put(f"{key}_requests", writes_and_reads / (minimum + ASSISTANTS))
    _record(results, key, costs_of_move, floors[-1], source)
    results.facts[key] = {"requests": requests, "least_writes": writes, "least_with_reading_back": minimum}
    floor_seconds = sum(cost.seconds for cost, _ in floors) / len(floors)
    return {
        # Both for the same threads, so a needless request lowers the ratio.
        "floor": floor_seconds / costs_of_move.apply.seconds,
        "floor_seconds": round(floor_seconds, 3),
        "apply_seconds": round(costs_of_move.apply.seconds, 3),
        "verify_seconds": round(costs_of_move.verify.seconds, 3),
    }


def _record(
    results: Results, key: str, costs_of_move: MoveCosts, floor: tuple[Cost, dict[str, Any]], source: Path
) -> None:
    results.cost(f"floor: the same writes, {key}", *floor)
    results.cost(f"plan, {key}", costs_of_move.plan, costs_of_move.counts["plan"])
    results.cost(f"apply, {key}", costs_of_move.apply, costs_of_move.counts["apply"], on_disk(source))
    results.cost(f"verify, {key}", costs_of_move.verify, costs_of_move.counts["verify"])
    results.put_peak("apply_peak", costs_of_move.apply.peak)
    results.put_peak("verify_peak", costs_of_move.verify.peak)


def _floor(size: Size, target: str, threads: int) -> tuple[Cost, dict[str, Any]]:
    with service(target, latency=size.latency) as target_service:
        shape = [f"--threads={threads}", f"--messages={size.messages}", f"--workers={size.workers}"]
        project = ["--project"] if target == "foundry" else []
        cost = run("-m", "benchmarks.floor", "write", target_service.url, *shape, *project)
        return cost, target_service.counts()


class MoveCosts:
    """The costs of plan, apply and verify. `counts`: the requests that the service counted in each."""

    def __init__(self, costs: dict[str, Cost], counts: dict[str, dict[str, Any]]) -> None:
        self.plan, self.apply, self.verify = (costs[command] for command in ("plan", "apply", "verify"))
        self.counts = counts


def move(size: Size, source: Path, target: str, target_service: Service | None) -> MoveCosts:
    """Plan, apply, verify."""
    plan, workers = source.with_suffix(".plan.json"), ("--workers", str(size.workers))
    costs: dict[str, Cost] = {}
    counts: dict[str, dict[str, Any]] = {}
    for command, arguments in (
        ("plan", (str(source), target, "-o", str(plan), "--accept-loss", "all")),
        ("apply", (str(plan), "--yes")),
        ("verify", (str(plan),)),
    ):
        target_service and target_service.counts()
        costs[command] = program(command, *arguments, *workers)
        counts[command] = (
            target_service.counts() if target_service else {"requests": {}, "sent": 0, "total": 0}
        )
    return MoveCosts(costs, counts)
