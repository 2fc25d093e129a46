"""A snapshot to look back to: which of two compared objects is no longer what it was there."""

from __future__ import annotations

from migrate.model import KINDS
from migrate.model.normalize import digest, normal
from migrate.model.status import condition
from migrate.stages.estate import Estate

Marks = dict[str, str]
"""Id -> fingerprint."""


class Baseline:
    """One earlier reading. A listing is fingerprinted once; of those below a parent, the last is kept."""

    def __init__(self, base: Estate) -> None:
        self.base = base
        self.name = f"snapshot {base.snapshot.info.id}"
        self._marks: dict[tuple[int, str], tuple[str, Marks]] = {}

    def speaks_of(self, *sides: Estate) -> bool:
        """Whether one of these is the place that the earlier reading is of."""
        return any(side.side == self.base.side for side in sides)

    def moved(self, kind: str, *objects: tuple[Estate, str, str]) -> bool:
        """Whether one of these (estate, id, parent) that lies in the same place is another than it was."""
        here = [(side, id_, parent) for side, id_, parent in objects if side.side == self.base.side and id_]
        gone = len(here) < sum(side.side == self.base.side for side, _, _ in objects)
        return gone or any(
            self._mark(side, kind, id_, parent) != self._mark(self.base, kind, id_, parent)
            for side, id_, parent in here
        )

    def _mark(self, estate: Estate, kind: str, id_: str, parent: str) -> str:
        key = (id(estate), kind)
        if key not in self._marks or self._marks[key][0] != parent:
            self._marks[key] = (parent, self._read(estate, kind, parent))
        return self._marks[key][1].get(id_, "")

    def _read(self, estate: Estate, kind: str, parent: str) -> Marks:
        if KINDS[kind].parent:
            found = estate.walk(kind, parent)
        else:
            found = iter(estate.threads() if kind == "thread" else estate.of(kind).values())
        return {e.id: digest([normal(e), condition(e)]) for e in found}
