"""What the user decided about a plan, and the thresholds that stop one which would change too much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from migrate.errors import BadUsage, OperationRefused
from migrate.model.loss import EVERY_OBJECT, Loss, accepted_names, declared_names, unknown_names
from migrate.model.results.plan import Action
from migrate.stages.estate import Estate

MAX_NEAR_NAMES = 6
"""Near names that the error shows."""


def check_accepted_fields(accept: Iterable[str], losses: Sequence[Loss]) -> None:
    """Raises `BadUsage` for a name that is neither a known field nor in a loss of this plan: a misspelled
    name would accept nothing, and nobody would see it."""
    unknown = unknown_names(accept, losses)
    if not unknown:
        return
    fields = sorted({loss.field for loss in losses if loss.grade != "adapted"} - {EVERY_OBJECT})
    here = f"to accept in this plan: {', '.join(fields)}" if fields else "this plan has no loss to accept"
    wrong = unknown[0]
    near = near_names(
        wrong, declared_names().union(*(accepted_names(loss.kind, loss.field) for loss in losses))
    )
    raise BadUsage(
        f"--accept-loss {wrong}: there is no field of this name",
        f"{here}; near names: {', '.join(near)}" if near else here,
        "name a FIELD, KIND.FIELD or a field with its parts (content.text.annotations), or write all",
    )


def near_names(wrong: str, known: Iterable[str]) -> list[str]:
    """Names that the given one may have meant: those that have it as a part, then those spelled alike."""
    names = sorted(known)
    holding = [name for name in names if wrong in name.split(".")] if wrong else []
    alike = get_close_matches(wrong, names, MAX_NEAR_NAMES, 0.7)
    return list(dict.fromkeys([*holding, *alike]))[:MAX_NEAR_NAMES]


MAX_UNCHECKED_OBJECTS = 10
"""Thresholds that nobody asked for do not apply to so few objects."""
DEFAULT_THRESHOLDS = {"update": 100, "delete": 10}
"""Percentages when none is given."""


@dataclass(frozen=True)
class PlanOptions:
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


def check_thresholds(actions: list[Action], target: Estate, choices: PlanOptions) -> None:
    """Raises `OperationRefused`, with the number and the option that allows it."""
    total = sum(len(target.objects(kind)) for kind in ("file", "vector_store", "assistant")) + sum(
        1 for _ in target.iter_threads()
    )
    total += sum(map(len, target.store_files.values()))
    for name, given in (("update", choices.max_update), ("delete", choices.max_delete)):
        most = DEFAULT_THRESHOLDS[name] if given is None else given
        count = sum(1 for action in actions if action.action == name and action.kind != "message")
        percent = 100 * count / total if total else 0
        if percent > most and (given is not None or count > MAX_UNCHECKED_OBJECTS):
            raise OperationRefused(
                f"the plan would {name} {count} of {total} objects ({percent:.0f} %)",
                f"more than {most} % is refused",
                f"look at the differences first; if it is right: --max-{name} {int(percent) + 1}%",
            )
