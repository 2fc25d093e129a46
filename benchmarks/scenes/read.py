"""snapshot compared with the floor and with a typed client; snapshot of an unchanged estate; diff against
live."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Cost, Service, program, run, service
from benchmarks.results import Results, median, on_disk
from benchmarks.sizes import Size

# Listings besides those of threads: files, vector stores, assistants.
LISTS = 3


def measure(size: Size, results: Results, folder: Path) -> None:
    """Measure in turn, as often as the size says; the medians of the ratios count."""
    shape = {"threads": size.threads, "messages": size.messages, "latency": size.latency, "assistants": 10}
    archive = folder / "reading.db"
    rows = []
    with service("generated", **shape) as source:
        for _ in range(size.rounds):
            archive.unlink(missing_ok=True)
            rows.append(_round(size, results, source, archive))
        for key in ("snapshot_floor", "snapshot_peers", "diff_live_snapshot"):
            results.put(key, median(row[key] for row in rows))
        results.facts["reading_rounds"] = rows
        _measure_unchanged(size, results, source, archive)


def _round(size: Size, results: Results, source: Service, archive: Path) -> dict[str, float]:
    messages = size.threads * size.messages
    floor = _floor(size, source)
    floor_counts = source.counts()
    snapshot = _snapshot(size, source, archive)
    snapshot_counts = source.counts()
    after = _floor(size, source)
    source.counts()
    peers_cost = run("-m", "benchmarks.typed_client", source.url, str(size.peers))
    peers = peers_cost.json
    results.cost(f"peers: {peers['messages']:,} messages", peers_cost, source.counts())
    live = program("diff", str(archive), f"azure-openai+{source.url}", "--workers", str(size.workers))
    results.cost("floor: the same pages", floor, floor_counts)
    results.cost("snapshot", snapshot, snapshot_counts, on_disk(archive))
    results.cost("diff against live", live, source.counts())
    _record(results, floor_counts, floor, snapshot_counts, snapshot, archive, size)
    results.put_peak("snapshot_peak", snapshot.peak)
    results.put_peak("diff_peak", live.peak)
    floor_seconds = (floor.seconds + after.seconds) / 2
    return {
        "snapshot_floor": floor_seconds / snapshot.seconds,
        "snapshot_peers": (messages / snapshot.seconds) / (peers["messages"] / peers["seconds"]),
        "diff_live_snapshot": snapshot.seconds / live.seconds,
        "floor_seconds": round(floor_seconds, 3),
        "snapshot_seconds": round(snapshot.seconds, 3),
        "diff_seconds": round(live.seconds, 3),
        "peers_messages_a_second": round(peers["messages"] / peers["seconds"], 1),
        "messages_a_second": round(messages / snapshot.seconds, 1),
    }


def _floor(size: Size, source: Service) -> Cost:
    shape = [f"--{name}={getattr(size, name)}" for name in ("threads", "messages", "workers")]
    return run("-m", "benchmarks.floor", "read", source.url, *shape, "--runs")


def _snapshot(size: Size, source: Service, archive: Path) -> Cost:
    options = ("-o", str(archive), "--workers", str(size.workers))
    return program("snapshot", f"azure-openai+{source.url}", *options)


def _record(
    results: Results, floor_counts: dict[str, int], floor: Cost, snapshot_counts: dict[str, int],
    snapshot: Cost, archive: Path, size: Size,
) -> None:  # fmt: skip
    """Record requests, bytes and processor time. They are the same in every round, so the last round
    counts."""
    pages = size.messages // 100 + 1  # after a full page, one more request proves the end
    minimum = LISTS + size.threads // 100 + 1 + size.threads * (pages + 1)
    results.put("snapshot_requests", snapshot_counts["total"] / minimum)
    results.facts["snapshot"] = {
        "requests": snapshot_counts["total"],
        "least": minimum,
        "floor_requests": floor_counts["total"],
        "floor_of_latency": round(_share_of_latency_limit(size, floor_counts), 3),
        "json_bytes": snapshot_counts["sent"],
        "archive_bytes": on_disk(archive),
        "archive_share": round(on_disk(archive) / snapshot_counts["sent"], 4),
        "cpu_a_request": round(snapshot.cpu / snapshot_counts["total"], 6),
        "floor_cpu_a_request": round(floor.cpu / floor_counts["total"], 6),
    }


def _share_of_latency_limit(size: Size, counted: dict[str, int]) -> float:
    """The floor's rate as a share of the rate that the latency allows. Near 1, the service is not the
    limit."""
    limit = size.workers / size.latency if size.latency else float("inf")
    return counted["total"] / max(counted["seconds"], 1e-9) / limit


def _measure_unchanged(size: Size, results: Results, source: Service, archive: Path) -> None:
    before = on_disk(archive)
    cost = _snapshot(size, source, archive)
    counted = source.counts()
    lists = sum(n for route, n in counted["requests"].items() if "ID" not in route)
    results.put("again_requests", (counted["total"] - lists) / size.threads)
    results.put("again_bytes", (on_disk(archive) - before) / before)
    results.cost("snapshot, nothing changed", cost, counted, on_disk(archive))
    results.facts["again"] = {"requests": counted["requests"], "seconds": round(cost.seconds, 3)}
