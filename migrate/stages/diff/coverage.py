"""What a side of a comparison could not tell: where nobody looked, absence is no difference."""

from __future__ import annotations

from collections.abc import Mapping

from migrate.model import KINDS
from migrate.model.status import NOT_THERE
from migrate.stages.estate import Estate


class Unseen:
    """Collects `lines`, one for each listing or object that a side did not read."""

    def __init__(self, left: Estate, right: Estate, journal: Mapping[tuple[str, str], str]) -> None:
        self.lines: list[str] = []
        self._sides = (("left", left), ("right", right))
        self._same_place = left.side == right.side
        self._there = journal
        self._here = {(kind, new): old for (kind, old), new in journal.items()}
        self._gaps = [
            {(gap.kind, gap.id): gap.reason for gap in side.snapshot.missing() if gap.kind != "file"}
            for _, side in self._sides
        ]
        self._told: set[str] = set()

    def both_read(self, kind: str, left: str = "", right: str = "") -> bool:
        """Whether both sides were read to their end; otherwise neither absence nor presence means a thing."""
        read = [self.read(side, kind, parent) for side, parent in enumerate((left, right))]
        return all(read)

    def read(self, side: int, kind: str, parent: str = "") -> bool:
        """Whether one side (0: left) was read to its end."""
        name, estate = self._sides[side]
        filtered = estate.filtered(kind)
        if not filtered and estate.read(kind, parent):
            return True
        state, why = estate.snapshot.scope(kind, parent)
        if state or KINDS[kind].replayed:  # runs are left out on purpose when estates are compared
            self._tell(f"{kind} {parent or '*'} on the {name}: {filtered or why or 'not read'}")
        return False

    def absent_right(self, kind: str, left_id: str) -> bool:
        """Whether a left object is known not to be on the right."""
        return self._absent(1, kind, left_id if self._same_place else self._there.get((kind, left_id), ""))

    def absent_left(self, kind: str, right_id: str) -> bool:
        """Whether a right object is known not to be on the left."""
        return self._absent(0, kind, right_id if self._same_place else self._here.get((kind, right_id), ""))

    def _absent(self, side: int, kind: str, id_: str) -> bool:
        name, estate = self._sides[side]
        reason = self._gaps[side].get((kind, id_), "")
        if reason and not reason.startswith(NOT_THERE):
            self._tell(f"{kind} {id_} on the {name}: {reason}")
            return False
        state, remark = estate.snapshot.scope(kind)
        if remark and state == "complete" and not reason:
            self._tell(f"{kind} * on the {name}: {remark}")
            return False
        return True

    def _tell(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self.lines.append(line)
