"""snapshot beside the floor and the peers' way; then of an unchanged estate; then diff against live."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Cost, Service, program, run, service
from benchmarks.results import Results, middle, on_disk
from benchmarks.sizes import Size

# Listings beside the threads' own: files, vector stores, assistants.
LISTS = 3


def measure(size: Size, results: Results, folder: Path) -> None:
    """All three ways in turn, as often as the size says, and the median of the ratios."""
    shape = {"threads": size.threads, "messages": size.messages, "latency": size.latency, "assistants": 10}
    archive = folder / "reading.db"
    rows = []
    with service("generated", **shape) as there:
        for _ in range(size.rounds):
            archive.unlink(missing_ok=True)
            rows.append(_round(size, results, there, archive))
        for key in ("snapshot_floor", "snapshot_peers", "diff_live_snapshot"):
            results.put(key, middle(row[key] for row in rows))
        results.facts["reading_rounds"] = rows
        _again(size, results, there, archive)


def _round(size: Size, results: Results, there: Service, archive: Path) -> dict[str, float]:
    messages = size.threads * size.messages
    floor = _floor(size, there)
    at_floor = there.counts()
    ours = _snapshot(size, there, archive)
    at_ours = there.counts()
    after = _floor(size, there)
    there.counts()
    others = run("-m", "benchmarks.peers", there.url, str(size.peers))
    peers = others.json
    results.cost(f"peers: {peers['messages']:,} messages", others, there.counts())
    live = program("diff", str(archive), f"azure-openai+{there.url}", "--workers", str(size.workers))
    results.cost("floor: the same pages", floor, at_floor)
    results.cost("snapshot", ours, at_ours, on_disk(archive))
    results.cost("diff against live", live, there.counts())
    _tell(results, at_floor, floor, at_ours, ours, archive, size)
    results.largest("snapshot_peak", ours.peak)
    results.largest("diff_peak", live.peak)
    beside = (floor.seconds + after.seconds) / 2
    return {
        "snapshot_floor": beside / ours.seconds,
        "snapshot_peers": (messages / ours.seconds) / (peers["messages"] / peers["seconds"]),
        "diff_live_snapshot": ours.seconds / live.seconds,
        "floor_seconds": round(beside, 3),
        "snapshot_seconds": round(ours.seconds, 3),
        "diff_seconds": round(live.seconds, 3),
        "peers_messages_a_second": round(peers["messages"] / peers["seconds"], 1),
        "messages_a_second": round(messages / ours.seconds, 1),
    }


def _floor(size: Size, there: Service) -> Cost:
    shape = [f"--{name}={getattr(size, name)}" for name in ("threads", "messages", "workers")]
    return run("-m", "benchmarks.floor", "reading", there.url, *shape, "--runs")


def _snapshot(size: Size, there: Service, archive: Path) -> Cost:
    at = ("-o", str(archive), "--workers", str(size.workers))
    return program("snapshot", f"azure-openai+{there.url}", *at)


def _tell(
    results: Results, at_floor: dict[str, int], floor: Cost, at_ours: dict[str, int], ours: Cost,
    archive: Path, size: Size,
) -> None:  # fmt: skip
    """Requests, bytes and processor time: the same in every round, so the last may stand."""
    pages = size.messages // 100 + 1  # a full page is the last one when nothing lies behind it
    least = LISTS + size.threads // 100 + 1 + size.threads * (pages + 1)
    results.put("snapshot_requests", at_ours["total"] / least)
    results.facts["snapshot"] = {
        "requests": at_ours["total"],
        "least": least,
        "floor_requests": at_floor["total"],
        "floor_of_latency": round(_share(size, at_floor), 3),
        "json_bytes": at_ours["sent"],
        "archive_bytes": on_disk(archive),
        "archive_share": round(on_disk(archive) / at_ours["sent"], 4),
        "cpu_a_request": round(ours.cpu / at_ours["total"], 6),
        "floor_cpu_a_request": round(floor.cpu / at_floor["total"], 6),
    }


def _share(size: Size, counted: dict[str, int]) -> float:
    """The floor's rate as a share of what the latency alone would allow: near 1, the service is not the
    limit."""
    most = size.workers / size.latency if size.latency else float("inf")
    return counted["total"] / max(counted["seconds"], 1e-9) / most


def _again(size: Size, results: Results, there: Service, archive: Path) -> None:
    before = on_disk(archive)
    cost = _snapshot(size, there, archive)
    counted = there.counts()
    lists = sum(n for route, n in counted["requests"].items() if "ID" not in route)
    results.put("again_requests", (counted["total"] - lists) / size.threads)
    results.put("again_bytes", (on_disk(archive) - before) / before)
    results.cost("snapshot, nothing changed", cost, counted, on_disk(archive))
    results.facts["again"] = {"requests": counted["requests"], "seconds": round(cost.seconds, 3)}
