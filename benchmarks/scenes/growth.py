"""Time, peak memory and size on disk of every command, for estates of different sizes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Cost, Service, program, run, service
from benchmarks.results import Results, on_disk
from benchmarks.scenes.compare import DIFFERENCES_FOUND_CODES
from benchmarks.scenes.restore import RESTORED_ARCHIVE
from benchmarks.scenes.write import move
from benchmarks.sizes import Size
from benchmarks.snapshots import DIFFERENT_EVERY

# This scene measures memory and compares nothing with a floor, so it needs no latency.
NO_LATENCY_S = 0.0

# Command -> thousands of messages -> cost.
Costs = dict[str, dict[int, Cost]]


def measure(size: Size, results: Results, folder: Path) -> None:
    """Measure every size; one of them is ten times another."""
    costs: Costs = {}

    def record(command: str, thousands: int, cost: Cost) -> None:
        costs.setdefault(command, {})[thousands] = cost
        results.cost(f"{command}, {thousands:,},000 messages", cost)
        results.put_peak(f"{command}_peak", cost.peak)

    for thousands in size.growth:
        threads, archive = thousands * 1_000 // size.messages, folder / f"growing-{thousands}.db"
        shape = {"threads": threads, "messages": size.messages, "latency": NO_LATENCY_S}
        if thousands == min(size.growth):
            shape["variants"] = threads  # no text repeats, because packs would compress repeated texts well
        with service("generated", **shape) as source:
            snapshot, disk = _snapshot(size, results, source, archive)
            if thousands in size.moved:
                record("diff", thousands, _live(size, archive, source))
        checked = program("check", str(archive))
        record("snapshot", thousands, snapshot)
        record("check", thousands, checked)
        point = {"messages": threads * size.messages, "seconds": snapshot.seconds, "peak": snapshot.peak,
                 "check_seconds": checked.seconds, "check_peak": checked.peak, "disk": disk}  # fmt: skip
        results.points.append({name: round(value, 3) for name, value in point.items()})
        if thousands in size.moved:
            with service("foundry", latency=NO_LATENCY_S) as target:
                costs_of_move = move(size, archive, f"foundry+{target.address}", target)
            record("apply", thousands, costs_of_move.apply)
            record("verify", thousands, costs_of_move.verify)
            results.cost(f"plan, {thousands:,},000 messages", costs_of_move.plan)
            record("pair", thousands, _pair(thousands, size, folder))
        archive.unlink()
    for command, by_size in costs.items():
        last = max(by_size)
        least = _tenth_of_largest(by_size, last)
        results.put(f"{command}_growth", by_size[last].peak / by_size[least].peak)
        if size.full:  # in a small run, starting the interpreter takes most of the time
            cpu_ratio = by_size[last].cpu / by_size[least].cpu
            results.put(f"{command}_time", cpu_ratio / (last / least))
    results.facts["peaks"] = {
        command: {thousands: cost.peak for thousands, cost in by_size.items()}
        for command, by_size in costs.items()
    }


def _tenth_of_largest(by_size: dict[int, Cost], last: int) -> int:
    """The size that is a tenth of the largest, or the smallest one."""
    return last // 10 if last // 10 in by_size else min(by_size)


def _snapshot(size: Size, results: Results, source: Service, archive: Path) -> tuple[Cost, int]:
    """Take a snapshot. `archive_size` is that of the smallest estate, in which no text repeats."""
    source.counts()
    options = ("-o", str(archive), "--workers", str(size.workers))
    cost = program("snapshot", f"azure-openai+{source.url}", *options)
    received, disk = source.counts()["sent"], on_disk(archive)
    if not results.points:
        results.put("archive_size", disk / received)
        results.facts["archive_size"] = {"received": received, "disk": disk}
    return cost, disk


def _live(size: Size, archive: Path, source: Service) -> Cost:
    return program("diff", str(archive), f"azure-openai+{source.url}", "--workers", str(size.workers))


def _pair(thousands: int, size: Size, folder: Path) -> Cost:
    """Compare two snapshots that differ in as many messages on each size: the result does not grow with the
    size, so memory must not grow either. The largest archive is that of the scene `restore`, if it ran
    before."""
    threads, restored = thousands * 1_000 // size.messages, folder / RESTORED_ARCHIVE
    if threads == size.restored_threads and restored.is_file():
        return _diff(restored)
    archive = folder / "pair.db"
    differences = max(size.growth) * 1_000 // DIFFERENT_EVERY
    shape = (0, threads, size.messages, max(1, thousands * 1_000 // differences))
    run("-m", "benchmarks.snapshots", "make", str(archive), *map(str, shape))
    cost = _diff(archive)
    archive.unlink()
    return cost


def _diff(archive: Path) -> Cost:
    return program("diff", f"{archive}@1", f"{archive}@2", codes=DIFFERENCES_FOUND_CODES)
