"""Cut what is listed in a body to a number that can be read: a hundred thousand parts, citations or pairs."""

from __future__ import annotations

from collections.abc import Iterable
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
        if not isinstance(value, (dict, list)):
            return value
        members: Iterable[tuple[JSON, JSON]] = value.items() if isinstance(value, dict) else enumerate(value)
        kept = {}
        for number, (key, member) in enumerate(members):
            if not self._has_room(number):
                self.left_out += len(value) - number
                break
            kept[key] = self.cut(member)
        return kept if isinstance(value, dict) else list(kept.values())

    def _has_room(self, number: int) -> bool:
        self._room -= 1
        return number < self._limit.in_one and self._room >= 0
