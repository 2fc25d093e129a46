"""What the user decided about a plan, and the thresholds that stop one which would change too much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrate.errors import Refused
from migrate.stages.estate import Estate
from migrate.stages.planfile import Action

SAFE_COUNT = 10
"""Thresholds do not apply to fewer objects than this."""


@dataclass(frozen=True)
class Choices:
    """What the user decided. Percentages are of the target's objects of all kinds."""

    models: Mapping[str, str] = field(default_factory=dict)
    accept: frozenset[str] = frozenset()
    prune: bool = False
    max_update: int = 100
    max_delete: int = 10


def within_thresholds(actions: list[Action], target: Estate, choices: Choices) -> None:
    """Raises `Refused`, with the number and the option that allows it."""
    total = sum(len(target.of(kind)) for kind in ("file", "vector_store", "assistant")) + sum(
        1 for _ in target.threads()
    )
    for name, most, option in (
        ("update", choices.max_update, "--max-update"),
        ("delete", choices.max_delete, "--max-delete"),
    ):
        count = sum(1 for action in actions if action.action == name)
        percent = 100 * count / total if total else 0
        if count > SAFE_COUNT and percent > most:
            raise Refused(
                f"the plan would {name} {count} of {total} objects ({percent:.0f} %)",
                f"more than {most} % is refused",
                f"look at the differences first; if it is right: {option} {int(percent) + 1}%",
            )
