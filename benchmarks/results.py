"""What scenes put their measurements into: values beside their targets, facts, and points to draw."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.targets import BY_KEY

MB = 1_000_000


@dataclass
class Results:
    """`values` are those of the table of targets; `facts` explain them; `points` are drawn."""

    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    points: list[dict[str, float]] = field(default_factory=list)

    def put(self, key: str, value: float) -> None:
        """A value of the table."""
        if key not in BY_KEY:
            raise KeyError(f"{key} is in no row of the table of targets")
        self.values[key] = round(value, 4)

    def largest(self, key: str, peak: int) -> None:
        """A peak in bytes; the largest that was seen counts."""
        self.put(key, max(self.values.get(key, 0.0), peak / MB))

    def missed(self) -> list[str]:
        """Keys whose value is on the wrong side of its bound."""
        return [key for key, value in self.values.items() if not BY_KEY[key].met(value)]


def middle(values: Iterable[float]) -> float:
    """The median: one disturbed round must not decide."""
    return statistics.median(values)
