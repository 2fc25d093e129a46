"""What the user decided about a plan, and the thresholds that stop one which would change too much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from migrate.errors import Refused
from migrate.stages.estate import Estate
from migrate.stages.plan.plan_file import Action

SAFE_COUNT = 10
"""Thresholds that nobody asked for do not apply to so few objects."""
DEFAULTS = {"update": 100, "delete": 10}
"""Percentages when none is given."""


@dataclass(frozen=True)
class Choices:
    """What the user decided. Percentages are of the target's objects of all kinds."""

    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    copy_files: bool = False
    """Copy files and stores even where the target shares them with the source."""
    bytes_later: bool = False
    """Files whose bytes were not read are not taken for lost: an assessment of a live estate."""
    accept: frozenset[str] = frozenset()
    on_conflict: Literal["overwrite", "keep", "fail"] = "overwrite"
    """What becomes of an object on the target that others changed since we left it there."""
    rewrite_ids: bool = False
    """Ids of the source in instructions, tools and metadata are replaced by the new ones."""
    agent_version: Literal["newest", "served"] = "newest"
    """Which version of an agent is moved, where its users get another one than the newest."""
    prune: bool = False
    max_update: int | None = None
    max_delete: int | None = None


def within_thresholds(actions: list[Action], target: Estate, choices: Choices) -> None:
    """Raises `Refused`, with the number and the option that allows it."""
    total = sum(len(target.of(kind)) for kind in ("file", "vector_store", "assistant")) + sum(
        1 for _ in target.threads()
    )
    total += sum(map(len, target.store_files.values()))
    for name, given in (("update", choices.max_update), ("delete", choices.max_delete)):
        most = DEFAULTS[name] if given is None else given
        count = sum(1 for action in actions if action.action == name and action.kind != "message")
        percent = 100 * count / total if total else 0
        if percent > most and (given is not None or count > SAFE_COUNT):
            raise Refused(
                f"the plan would {name} {count} of {total} objects ({percent:.0f} %)",
                f"more than {most} % is refused",
                f"look at the differences first; if it is right: --max-{name} {int(percent) + 1}%",
            )
