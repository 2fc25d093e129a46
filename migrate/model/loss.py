"""What a target cannot store, per object and field, reported before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["adapted", "lost", "blocked"]

# As an id: true of every object of the kind.
EVERY_OBJECT = "*"


@dataclass(frozen=True)
class Loss:
    """One thing that will not arrive as it was.

    `adapted`: the content arrives in another form, or waits in the archive by its nature (dates, ids).
    `lost`: it will not be on the target. `blocked`: the object cannot be made at all.
    """

    kind: str
    id: str
    field: str
    grade: Grade
    reason: str
    way_out: str = ""
    parent: str = ""
    name: str = ""
