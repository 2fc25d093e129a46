"""One object that differs: what every comparison tells, and everything that shows differences reads."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.model.object_diff import Path


@dataclass(frozen=True)
class Change:
    """One object that differs. `action` goes from left to right: added, removed, changed.

    `how` says how the two were found to be one: journal, stamp, id, key, or the natural key of a guess."""

    kind: str
    left_id: str
    right_id: str
    name: str
    action: str
    paths: tuple[Path, ...] = ()
    guessed: bool = False
    how: str = ""
    left_parent: str = ""
    right_parent: str = ""
    since: str = ""
