"""Time, peak memory and bytes on disk against the size of an estate, for every command."""

from __future__ import annotations

from pathlib import Path

from benchmarks.child import Cost, Service, program, run, service
from benchmarks.results import Results, on_disk
from benchmarks.scenes.comparing import DIFFERENCES
from benchmarks.scenes.writing import move
from benchmarks.sizes import Size

# Latency here: memory is what is looked at, and nothing is compared with a floor.
QUICKLY = 0.0

# Command -> thousands of messages -> what it cost.
Costs = dict[str, dict[int, Cost]]


def measure(size: Size, results: Results, folder: Path) -> None:
    """Every size in turn, one ten times the other among them."""
    costs: Costs = {}

    def told(command: str, thousands: int, cost: Cost) -> None:
        costs.setdefault(command, {})[thousands] = cost
        results.cost(f"{command}, {thousands:,},000 messages", cost)
        results.largest(f"{command}_peak", cost.peak)

    for thousands in size.growth:
        threads, archive = thousands * 1_000 // size.messages, folder / f"growing-{thousands}.db"
        shape = {"threads": threads, "messages": size.messages, "latency": QUICKLY}
        if thousands == min(size.growth):
            shape["variants"] = threads  # no text repeats, which an archive that packs could gain from
        with service("generated", **shape) as there:
            taken, disk = _taken(size, results, there, archive)
            if thousands in size.moved:
                told("diff", thousands, _live(size, archive, there))
        checked = program("check", str(archive))
        told("snapshot", thousands, taken)
        told("check", thousands, checked)
        point = {"messages": threads * size.messages, "seconds": taken.seconds, "peak": taken.peak,
                 "check_seconds": checked.seconds, "check_peak": checked.peak, "disk": disk}  # fmt: skip
        results.points.append({name: round(value, 3) for name, value in point.items()})
        if thousands in size.moved:
            with service("foundry", latency=QUICKLY) as target:
                moved = move(size, archive, f"foundry+{target.address}", target)
            told("apply", thousands, moved.apply)
            told("verify", thousands, moved.verify)
            results.cost(f"plan, {thousands:,},000 messages", moved.plan)
            told("pair", thousands, _pair(thousands, size.messages, folder / "pair.db"))
        archive.unlink()
    for command, known in costs.items():
        last = max(known)
        least = _tenth(known, last)
        results.put(f"{command}_growth", known[last].peak / known[least].peak)
        if size.full:  # in a small run the start of the interpreter would be most of it
            more = known[last].cpu / known[least].cpu
            results.put(f"{command}_time", more / (last / least))
    results.facts["peaks"] = {
        command: {thousands: cost.peak for thousands, cost in known.items()}
        for command, known in costs.items()
    }


def _tenth(known: dict[int, Cost], last: int) -> int:
    """The size that is a tenth of the last, or the smallest."""
    return last // 10 if last // 10 in known else min(known)


def _taken(size: Size, results: Results, there: Service, archive: Path) -> tuple[Cost, int]:
    """A snapshot. The bytes of the smallest are the ones that count: no text repeats in it."""
    there.counts()
    at = ("-o", str(archive), "--workers", str(size.workers))
    cost = program("snapshot", f"azure-openai+{there.url}", *at)
    received, disk = there.counts()["sent"], on_disk(archive)
    if not results.points:
        results.put("archive_size", disk / received)
        results.facts["archive_size"] = {"received": received, "disk": disk}
    return cost, disk


def _live(size: Size, archive: Path, there: Service) -> Cost:
    return program("diff", str(archive), f"azure-openai+{there.url}", "--workers", str(size.workers))


def _pair(thousands: int, messages: int, archive: Path) -> Cost:
    """Two snapshots of so many messages, of which a thousand differ: what is told does not grow, so memory
    must not. Where one in a hundred differs, the scene `comparing` looks."""
    shape = ("0", str(thousands * 1_000 // messages), str(messages), str(thousands))
    run("-m", "benchmarks.snapshots", "make", str(archive), *shape)
    cost = program("diff", f"{archive}@1", f"{archive}@2", codes=DIFFERENCES)
    archive.unlink()
    return cost
