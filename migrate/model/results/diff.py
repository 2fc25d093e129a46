"""The result of `diff`: every object that differs, and what was not compared."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.model.object_diff import FieldDifference


@dataclass(frozen=True)
class Change:
    """One object that differs. `action` goes from left to right: added, removed, changed.

    `how` says how the two were found to be one: journal, stamp, id, key, or the natural key of a guess."""

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
    """Everything that differs, how many objects were compared, and what was not.

    `unread`: what a side should have been asked for and could not tell. `ignored`: differences that a rule
    takes away, counted rule by rule. `left_out`: what was not compared on purpose."""

    changes: list[Change]
    compared: dict[str, int]
    unread: list[str] = field(default_factory=list)
    ignored: tuple[IgnoreCount, ...] = ()
    expired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    """Filters that fit nothing on either side."""

    @property
    def exit_code(self) -> int:
        """Of the contract, from the very lists that are shown."""
        return 3 if self.unread else 1 if self.changes or self.unmatched else 0
