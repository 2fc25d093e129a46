"""What a command did and what it left, where it was stopped midway: the same records for all commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from migrate.model.results.plan import ChangeRow

WorkAction = Literal["create", "update", "delete", "adopt", "remove", "restore"]


@dataclass(frozen=True)
class WorkRow:
    """One object that a command works on.

    `action`: create, update, delete or adopt of a plan; remove or restore of a rollback. `id` and `parent`:
    ids of the source. `messages`: of a thread, how many are meant; None where they were not counted.
    `change`: what is changed in an object that exists."""

    action: WorkAction
    kind: str
    id: str
    name: str = ""
    parent: str = ""
    target_id: str = ""
    messages: int | None = 0
    change: ChangeRow | None = None
