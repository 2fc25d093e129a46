"""Cut what is listed in a body to a number that can be read: a hundred thousand parts, citations or pairs."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.model.entity import JSON


@dataclass(frozen=True)
class MemberLimit:
    """`in_one`: members of one list or object that are kept. `in_all`: of a whole body."""

    in_one: int
    in_all: int


def cut_members(body: dict[str, JSON], limit: MemberLimit) -> tuple[dict[str, JSON], int]:
    """A body with at most so many members, the first ones, and how many were left out. Texts stay whole."""
    cutter = _Cutter(limit)
    cut: dict[str, JSON] = cutter.cut(body)
    return cut, cutter.left_out


class _Cutter:
    def __init__(self, limit: MemberLimit) -> None:
        self._limit, self._room = limit, limit.in_all
        self.left_out = 0

    def cut(self, value: JSON) -> JSON:
        if isinstance(value, dict):
            kept = {}
            for number, (key, member) in enumerate(value.items()):
                if not self._has_room(number):
                    self.left_out += len(value) - number
                    break
                kept[key] = self.cut(member)
            return kept
        if isinstance(value, list):
            rows = []
            for number, member in enumerate(value):
                if not self._has_room(number):
                    self.left_out += len(value) - number
                    break
                rows.append(self.cut(member))
            return rows
        return value

    def _has_room(self, number: int) -> bool:
        self._room -= 1
        return number < self._limit.in_one and self._room >= 0
