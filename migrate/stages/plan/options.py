"""What the user decided about a plan, and the checks that refuse a plan because of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from migrate.errors import BadUsage, OperationRefused
from migrate.model.first_of import first_of
from migrate.model.loss import EVERY_OBJECT, Loss, accepted_names, declared_names, unknown_names
from migrate.model.results.plan import Action
from migrate.model.selection import Selection
from migrate.stages.estate import Estate
from migrate.stages.plan.decision import Conflict

MAX_SIMILAR_NAMES = 6
# Default thresholds do not apply to so few objects.
MAX_UNCHECKED_OBJECTS = 10
DEFAULT_THRESHOLDS_PERCENT = {"update": 100, "delete": 10}
# Maximum number of conflicting fields that an error lists, and of characters of each value.
MAX_CONFLICTS_SHOWN, MAX_VALUE_CHARS = 8, 60


@dataclass(frozen=True)
class PlanOptions:
    """What the user decided. Percentages are of the target's objects of all kinds; None is the default."""

    # Names of models and ids of connections on the source -> those on the target.
    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    # Id or name of an assistant -> the name of its agent: from the command line, which must fit, and from the
    # config file, which several estates may share.
    names: Mapping[str, str] = field(default_factory=dict)
    config_names: Mapping[str, str] = field(default_factory=dict)
    # Copy files and stores even where the target shares them with the source.
    copy_files: bool = False
    # Files whose bytes were not read are not counted as lost: an assessment of a live estate reads none.
    bytes_later: bool = False
    # Fields whose losses are accepted.
    accept: frozenset[str] = frozenset()
    # What happens to an object that others changed on the target since the last move.
    on_conflict: Literal["overwrite", "keep", "fail"] = "overwrite"
    # Replace ids of the source in instructions, tools and metadata.
    rewrite_ids: bool = False
    # Which version of an agent is moved, where its users get another one than the newest.
    agent_version: Literal["newest", "served"] = "newest"
    prune: bool = False
    # Put back what is missing into the place that the source was read from: `missing` writes nothing over an
    # object that exists, `changed` also writes the older state over a newer one. '' moves instead.
    restore: Literal["", "missing", "changed"] = ""
    # With `restore`: objects that refer to a restored object by its old id are updated to its new id.
    relink: bool = True
    # The objects of the source that the plan is about.
    selection: Selection = field(default_factory=Selection)
    max_update: int | None = None
    max_delete: int | None = None


def check_accepted_fields(accept: Iterable[str], losses: Sequence[Loss]) -> None:
    """Raises `BadUsage` for a name that is neither a known field nor in a loss of this plan.

    A misspelled name would accept nothing without any message."""
    unknown = unknown_names(accept, losses)
    if not unknown:
        return
    fields = sorted({loss.field for loss in losses if loss.grade != "adapted"} - {EVERY_OBJECT})
    reason = f"to accept in this plan: {', '.join(fields)}" if fields else "this plan has no loss to accept"
    names = declared_names().union(*(accepted_names(loss.kind, loss.field) for loss in losses))
    similar = similar_names(unknown[0], names)
    raise BadUsage(
        f"--accept-loss {unknown[0]}: there is no field of this name",
        f"{reason}; similar names: {', '.join(similar)}" if similar else reason,
        "name a FIELD, KIND.FIELD or a field with its parts (content.text.annotations), or write all",
    )


def similar_names(name: str, known: Iterable[str]) -> list[str]:
    """Known names that may have been meant: those that contain the name as a part, then similar spellings."""
    ordered = sorted(known)
    containing = [candidate for candidate in ordered if name in candidate.split(".")] if name else []
    close = get_close_matches(name, ordered, MAX_SIMILAR_NAMES, 0.7)
    return list(dict.fromkeys([*containing, *close]))[:MAX_SIMILAR_NAMES]


def check_thresholds(
    actions: Iterable[Action], target: Estate, options: PlanOptions, source_threads: int
) -> None:
    """Raises `OperationRefused` when too much would be updated or deleted; the error says which option allows
    it. `source_threads`: how many the source has, which count where the target's were not listed."""
    kinds = ("file", "vector_store", "assistant")
    is_listed = target.snapshot.info.options.get("threads", True)
    threads = target.snapshot.count("thread", "")
    total = sum(len(target.objects(kind)) for kind in kinds) + sum(map(len, target.store_files.values()))
    total += threads if is_listed else max(threads, source_threads)
    changes: list[str] = [action.action for action in actions if action.kind != "message"]
    for name, requested in (("update", options.max_update), ("delete", options.max_delete)):
        limit = DEFAULT_THRESHOLDS_PERCENT[name] if requested is None else requested
        count = changes.count(name)
        percent = 100 * count / total if total else 0
        if percent > limit and (requested is not None or count > MAX_UNCHECKED_OBJECTS):
            raise OperationRefused(
                f"the plan would {name} {count} of {total} objects ({percent:.0f} %)",
                f"more than {limit} % is refused",
                f"look at the differences first; if it is right: --max-{name} {int(percent) + 1}%",
            )


def refuse_conflicts(conflicts: Sequence[Conflict]) -> None:
    """Raises `OperationRefused` when others changed what this plan would overwrite, with both values."""
    if not conflicts:
        return
    lines = [
        f"{conflict.kind} {conflict.name or conflict.id} [{conflict.target_id}] {path.path}: "
        f"source {shortened_value(path.left)}, target {shortened_value(path.right)}"
        for conflict in conflicts
        for path in conflict.paths
    ]
    foreign = sum(conflict.by_other_tool for conflict in conflicts)
    note = f" ({foreign:,} of them created by another tool, and not known to any move)" if foreign else ""
    raise OperationRefused(
        f"{len(conflicts):,} object(s) were changed on the target by others since the last move{note}",
        first_of(lines, MAX_CONFLICTS_SHOWN, "; ", "; and"),
        "--on-conflict keep leaves them as they are, overwrite writes the source's over them",
    )


def shortened_value(value: object) -> str:
    """A value as JSON, short enough for a line of an error."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}..."
