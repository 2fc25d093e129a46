"""What scenes put their measurements into: values beside their targets, facts, and points to draw."""

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
    """`values` are those of the table of targets; `costs` are those of each command; `facts` explain them;
    `points` are drawn."""

    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    points: list[dict[str, float]] = field(default_factory=list)

    def put(self, key: str, value: float) -> None:
        """A value of the table."""
        if key not in BY_KEY:
            raise KeyError(f"{key} is in no row of the table of targets")
        self.values[key] = round(value, 4)

    def largest(self, key: str, peak: int) -> None:
        """A peak in bytes; the largest that was seen counts."""
        self.put(key, max(self.values.get(key, 0.0), peak / MB))

    def cost(self, what: str, cost: Cost, counted: dict[str, Any] | None = None, disk: int = 0) -> None:
        """What a command cost; of several rounds the last, and the largest peak. `counted` is what the
        service told, `disk` the bytes on it afterwards."""
        requests = counted["total"] if counted else 0
        self.costs[what] = {
            "seconds": round(cost.seconds, 3),
            "cpu": round(cost.cpu, 3),
            "requests": requests,
            "cpu_a_request": round(cost.cpu / requests, 6) if requests else 0.0,
            "peak": max(cost.peak, self.costs.get(what, {}).get("peak", 0)),
            "received": counted["sent"] if counted else 0,
            "disk": disk,
        }

    def missed(self) -> list[str]:
        """Keys whose value is on the wrong side of its bound."""
        return [key for key, value in self.values.items() if not BY_KEY[key].met(value)]


def on_disk(archive: Path) -> int:
    """Bytes of an archive, with what SQLite keeps beside it."""
    return sum(file.stat().st_size for file in archive.parent.glob(f"{archive.name}*") if file.is_file())


def middle(values: Iterable[float]) -> float:
    """The median: one disturbed round must not decide."""
    return statistics.median(values)
