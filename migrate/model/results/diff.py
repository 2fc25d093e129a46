"""The result of `diff`: every object that differs, and what was not compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from migrate.model.object_diff import FieldDifference
from migrate.model.results.retirements import Retiring

DiffSide = Literal["left", "right"]


@dataclass(frozen=True)
class Change:
    """One object that differs. `action`, from left to right: added, removed or changed.

    `name`: its own; of a message its time, role and first words. `left_parent`, `right_parent`: id of the
    thread or store that it belongs to. `paired_by`: how the two objects were matched: journal, stamp, id,
    key, or the fields of a guess."""

    kind: str
    left_id: str
    right_id: str
    name: str
    action: str
    paths: tuple[FieldDifference, ...] = ()
    guessed: bool = False
    paired_by: str = ""
    left_parent: str = ""
    right_parent: str = ""
    since: str = ""


@dataclass(frozen=True)
class IgnoreCount:
    """How many differences a rule removed. `expires` is a date or ''."""

    rule: str
    reason: str
    expires: str
    count: int


@dataclass(frozen=True)
class DiffResult:
    """The result of `diff`: every difference, and how many objects were compared.

    `unread`: listings that one side could not provide. `ignored`: how many differences each rule removed.
    `left_out`: what was not compared on purpose. `retiring`: what ends, of each side (left or right) that is
    an estate of its own."""

    changes: list[Change]
    compared: dict[str, int]
    unread: list[str] = field(default_factory=list)
    ignored: tuple[IgnoreCount, ...] = ()
    expired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    # Filters that matched nothing on either side.
    unmatched: tuple[str, ...] = ()
    retiring: tuple[tuple[DiffSide, Retiring], ...] = ()

    @property
    def exit_code(self) -> int:
        """3: not everything could be compared; 1: something differs, or a filter matched nothing; else 0."""
        return 3 if self.unread else 1 if self.changes or self.unmatched else 0
