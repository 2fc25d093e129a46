"""A source and a target in, an ordered plan out: every action, every loss, fingerprints of both sides.

Nothing is written. Objects are matched with what lies on the target by the journal and by stamps only;
a like name is no proof, so an assistant of the same name that somebody else made is left alone.
"""

from __future__ import annotations

import json
from dataclasses import replace

from migrate.archive.snapshots.writer import utc_now
from migrate.codecs import Capabilities
from migrate.codecs.config_directory import CONFIG_TYPE as CONFIG
from migrate.errors import IncompleteResult, OperationRefused
from migrate.model.loss import EVERY_OBJECT, Loss
from migrate.model.loss_fields import accepted_names
from migrate.model.results.plan import (
    LossRow,
    Plan,
    SourceSide,
    TargetSettings,
    TargetSettingsRow,
    TargetSide,
)
from migrate.model.shard import Shard
from migrate.stages.estate import Estate
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.decision import Decider
from migrate.stages.plan.journal_state import Conflict, JournalState
from migrate.stages.plan.options import PlanOptions, check_accepted_fields, check_thresholds
from migrate.stages.plan.plan_file import FORMAT
from migrate.stages.plan.planner import Planner
from migrate.stages.plan.prune import PrunePlanner
from migrate.stages.plan.target_fingerprints import combined_fingerprint, target_fingerprints
from migrate.stages.plan.target_settings import TargetInventory, settle_target

MAX_CONFLICTS_SHOWN, MAX_VALUE_CHARS = 8, 60
"""Conflicting fields that an error names, and characters of each value."""


def build_plan(
    source: Estate,
    target: Estate,
    conversations: Estate | None,
    pairs: ObjectPairs,
    known: JournalState,
    capabilities: Capabilities,
    choices: PlanOptions,
    sides: tuple[SourceSide, TargetSide],
    offer: TargetInventory | None = None,
) -> Plan:
    """Plan how `target` becomes like `source`. `known`: what the journal knows of the target.

    Raises `OperationRefused` when a threshold is exceeded or deletes would follow from a partial reading.
    """
    offer = offer or TargetInventory()
    decided = settle_target(source, target, pairs, capabilities, choices, offer, known.copies)
    beside: dict[str, str] = {}
    if strangers := Decider(source, pairs, known, capabilities, decided).unlike(target):
        for id_ in strangers:
            beside[id_] = pairs.ids["assistant"].pop(id_)
        decided = settle_target(source, target, pairs, capabilities, choices, offer, known.copies)
    decided = _with_arrived(decided, source, target, pairs, known, choices)
    decided = _with_further(decided, pairs, known)
    planner = Planner(source, target, conversations, pairs, known, capabilities, decided)
    planner.on_conflict = choices.on_conflict
    planner.beside = beside
    actions = list(planner.actions())
    if choices.on_conflict == "fail":
        refuse_conflicts(planner.conflicts)
    overwrite = choices.on_conflict == "overwrite"
    gone = PrunePlanner(source, target, conversations, pairs, known, decided.in_place, overwrite)
    if choices.prune:
        actions += gone.deletions()
    elif source.type != CONFIG:
        gone.left_in_stores()
    check_thresholds(actions, target, choices)
    told = planner.losses + gone.losses + planner.general(actions)
    check_accepted_fields(choices.accept, told)
    losses = [_row(loss, choices.accept) for loss in told]
    touched = {a.target_id for a in actions if a.kind == "thread" and a.target_id}
    present = target_fingerprints(target, touched)
    objects = tuple((*key, state) for key, state in sorted(present.items()))
    return Plan(
        format=FORMAT,
        created_at=utc_now(),
        source=sides[0],
        target=sides[1].model_copy(update={"digest": combined_fingerprint(present), "objects": objects}),
        settled=TargetSettingsRow.of(decided),
        actions=tuple(actions),
        losses=tuple(losses),
        staying=tuple(gone.staying),
        unread=tuple(f"{k} {p or EVERY_OBJECT}: {r}" for k, p, r in source.snapshot.incomplete()),
        expected_gaps=source.snapshot.gaps()[1],
        hidden=tuple(source.snapshot.info.hidden),
    ).sealed()


def _with_arrived(
    decided: TargetSettings,
    source: Estate,
    target: Estate,
    pairs: ObjectPairs,
    known: JournalState,
    choices: PlanOptions,
) -> TargetSettings:
    """Add what the source no longer has and what stands on the target by the journal: references to it stay
    as they arrived. With --prune its stores and assistants are deleted, and nothing refers to them."""
    if source.type == CONFIG:
        return decided
    kinds = ("file",) if choices.prune else ("file", "vector_store", "assistant")
    found = {
        (kind, old): new
        for (kind, old), new in known.lines.items()
        if kind in kinds and old not in source.of(kind) and new in target.of(kind)
    }
    for (kind, old), new in found.items():
        pairs.ids.setdefault(kind, {}).setdefault(old, new)
    return replace(decided, arrived=frozenset(found))


def _with_further(decided: TargetSettings, pairs: ObjectPairs, known: JournalState) -> TargetSettings:
    """Let second copies of one origin stand for that origin."""
    further = tuple(sorted((*key, there) for key, there in known.further.items()))
    for kind, id_, there in further:
        pairs.ids.setdefault(kind, {})[id_] = there
    return replace(decided, further=further)


def refuse_conflicts(conflicts: list[Conflict]) -> None:
    """Raises `OperationRefused` when others changed what this move would write over, each shown side by
    side."""
    if not conflicts:
        return
    named = [
        f"{c.kind} {c.name or c.id} [{c.target_id}] {p.path}: "
        f"here {shortened_value(p.left)}, there {shortened_value(p.right)}"
        for c in conflicts
        for p in c.paths
    ]
    more = f"; and {len(named) - MAX_CONFLICTS_SHOWN:,} more" if len(named) > MAX_CONFLICTS_SHOWN else ""
    made = sum(c.by_other_tool for c in conflicts)
    also = f" ({made:,} of them made by another tool, and not known to any move)" if made else ""
    raise OperationRefused(
        f"{len(conflicts):,} object(s) were changed on the target by others since the last move{also}",
        "; ".join(named[:MAX_CONFLICTS_SHOWN]) + more,
        "--on-conflict keep leaves them as they are, overwrite writes the source's over them",
    )


def shortened_value(value: object) -> str:
    """A value in a line of an error."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}..."


def _row(loss: Loss, accept: frozenset[str]) -> LossRow:
    names = {"all"} | (accepted_names(loss.kind, loss.field) if accept else set())
    return LossRow(**loss.__dict__, accepted=loss.grade == "adapted" or bool(accept & names))


def check_source(source: Estate) -> None:
    """Raises `IncompleteResult` when the source holds nothing (more often a mistake than a wish), or is still
    being read: what is reviewed must be what is applied. Raises `OperationRefused` for one shard of an
    estate."""
    if shard := Shard.of_options(source.snapshot.info.options):
        raise OperationRefused(
            f"snapshot {source.snapshot.info.id} is shard {shard.number} of {shard.of} of {source.side.url}",
            "what the other shards hold was not read, and nothing may be decided without it",
            "join all shards: merge SHARD.db... -o ALL.db; then use ALL.db",
        )
    if source.snapshot.info.interrupted:
        raise IncompleteResult(
            f"snapshot {source.snapshot.info.id} of {source.side.url} was interrupted",
            "it may still grow, so no plan can be made from it",
            "run the same snapshot command again: it continues",
        )
    if not any(source.snapshot.counts().values()):
        raise IncompleteResult(
            f"snapshot {source.snapshot.info.id} of {source.side.url} holds nothing",
            "there is nothing to plan from it",
            "look at `snapshots FILE.db` and take a snapshot of the right estate",
        )
