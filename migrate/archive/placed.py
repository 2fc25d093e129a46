"""The bodies of a listing by their place in it, each read when it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from migrate.archive.packs.reader import Bodies
from migrate.model import JSON

Body = dict[str, JSON]


class Placed:
    """Cheapest in order: the packs that were used last are at hand."""

    def __init__(
        self, bodies: Bodies, spans: Sequence[tuple[int, int, int]], load: Callable[[str], Body]
    ) -> None:
        """`spans`: pack, first place in it and count, in order."""
        self._bodies, self._spans, self._load = bodies, spans, load
        self._starts = [0]
        for _, _, count in spans:
            self._starts.append(self._starts[-1] + count)

    def __len__(self) -> int:
        return self._starts[-1]

    def read(self, place: int) -> Body:
        """The body at a place, which must be less than the length."""
        span = bisect_right(self._starts, place) - 1
        pack, first, count = self._spans[span]
        return self._load(self._bodies.pack(pack, first + count)[1][first + place - self._starts[span]])
