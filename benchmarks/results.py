"""`Results`: what the scenes measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.child import Cost
from benchmarks.targets import BY_KEY

MB = 1_000_000


@dataclass
class Results:
    """`values`: the measured value for each target; `costs`: the cost of each command; `facts`: further
    numbers that explain them; `points`: the points of the chart."""

    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    points: list[dict[str, float]] = field(default_factory=list)

    def put(self, key: str, value: float) -> None:
        """Set the value of a target. Raises `KeyError` for an unknown target."""
        if key not in BY_KEY:
            raise KeyError(f"{key} is in no row of the table of targets")
        self.values[key] = round(value, 4)

    def put_peak(self, key: str, peak: int) -> None:
        """Set a peak, in bytes, unless a larger one was set before."""
        self.put(key, max(self.values.get(key, 0.0), peak / MB))

    def cost(self, command: str, cost: Cost, counts: dict[str, Any] | None = None, disk: int = 0) -> None:
        """Set the cost of a command; of several rounds the last cost counts, with the largest peak.
        `counts`: the counts of the service; `disk`: the size of the archive in bytes."""
        requests = counts["total"] if counts else 0
        self.costs[command] = {
            "seconds": round(cost.seconds, 3),
            "cpu": round(cost.cpu, 3),
            "requests": requests,
            "cpu_a_request": round(cost.cpu / requests, 6) if requests else 0.0,
            "peak": max(cost.peak, self.costs.get(command, {}).get("peak", 0)),
            "received": counts["sent"] if counts else 0,
            "disk": disk,
        }

    def missed(self) -> list[str]:
        """The targets whose value does not meet the bound."""
        return [key for key, value in self.values.items() if not BY_KEY[key].met(value)]


def on_disk(archive: Path) -> int:
    """The size in bytes of an archive and of the files that SQLite keeps next to it."""
    return sum(file.stat().st_size for file in archive.parent.glob(f"{archive.name}*") if file.is_file())


def median(values: Iterable[float]) -> float:
    """The median, so that one disturbed round has no influence."""
    return statistics.median(values)
