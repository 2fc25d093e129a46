"""Plan a move: read the target, match it with the source, and decide about each object.

Nothing is written. The steps, each in a file of its own: what the target holds (`snapshot.target_state`),
what the journal knows of it (`journal_state`), which object is which (`match`), and what happens to each
(`build`).
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from migrate.archive.id_map import Side, derivations, id_map, reverse_message_ids
from migrate.archive.snapshots.writer import utc_now
from migrate.codecs import Capabilities, capabilities_for
from migrate.errors import IncompleteResult, OperationRefused
from migrate.model.loss import EVERY_OBJECT, Loss, accepted_names
from migrate.model.results.archive import IdMapping
from migrate.model.results.plan import (
    LossRow,
    Plan,
    SourceSide,
    TargetSettings,
    TargetSettingsRow,
    TargetSide,
)
from migrate.model.shard import Shard
from migrate.stages.config_directory.match import match_by_key
from migrate.stages.estate import Estate
from migrate.stages.fingerprints import combined_fingerprint, target_fingerprints
from migrate.stages.match import pairs as match_pairs
from migrate.stages.match.files import read_hashes
from migrate.stages.match.lineage import Lineage
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.decision import Decider
from migrate.stages.plan.journal_state import Conflict, JournalState, read_journal_state
from migrate.stages.plan.options import PlanOptions, check_accepted_fields, check_thresholds
from migrate.stages.plan.plan_file import FORMAT
from migrate.stages.plan.planner import Planner
from migrate.stages.plan.prune import PrunePlanner
from migrate.stages.plan.target_settings import TargetInventory, settle_target
from migrate.stages.progress import Progress
from migrate.stages.snapshot.live_estate import TargetState, absent_kinds, empty_estate, read_target

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


def plan_move(
    source: Estate,
    archive: str,
    reader: Reader,
    target_name: str,
    options: PlanOptions,
    workers: int,
    progress: Progress,
) -> Plan:
    """Plan how the target that `reader` reads becomes like `source`.

    `archive` and `target_name` are what the plan calls its sides. Raises `IncompleteResult` when the target
    could not be read to its end, `OperationRefused` when a threshold is exceeded or others changed what it
    would overwrite."""
    absent = absent_kinds(reader)
    target_side = Side(reader.type, reader.url)
    lines = list(id_map(source.snapshot.conn, source.side, target_side, messages=False))
    threads = [line.target_id for line in lines if line.kind == "thread"]
    with ExitStack() as stack:
        target = stack.enter_context(read_target(reader, absent, threads, workers, progress))
        pairs, known = _match(source, target, lines, options)
        wanted = _threads_to_read(target.estate, pairs, lines, options)
        messages = stack.enter_context(target.messages_of(wanted)) if wanted else None
        inventory = replace(TargetInventory.of(reader), absent=absent)
        capabilities = capabilities_for(reader.type, reader.api_version)
        side = TargetSide(
            estate=target_name, type=reader.type, url=reader.url, api_version=reader.api_version, digest=""
        )
        sides = (source_side(source, archive), side)
        return build_plan(
            source, target.estate, messages, pairs, known, capabilities, options, sides, inventory
        )


def plan_without_target(type_: str, source: Estate, options: PlanOptions) -> Plan:
    """Plan a move to a service of this type that holds nothing and is not asked."""
    side = TargetSide(estate=type_, type=type_, url="", api_version="", digest="")
    with empty_estate(type_) as target:
        pairs = match_pairs.pair_estates(source, target, {}, guess=False)
        sides = (source_side(source, ""), side)
        return build_plan(
            source, target, None, pairs, JournalState(), capabilities_for(type_), options, sides
        )


def source_side(source: Estate, archive: str) -> SourceSide:
    """What a plan says of its source."""
    info = source.snapshot.info
    return SourceSide(
        archive=archive,
        snapshot=info.id,
        type=info.type,
        url=info.url,
        digest=info.digest,
        state=info.state,
    )


def _match(
    source: Estate, target: TargetState, lines: list[IdMapping], options: PlanOptions
) -> tuple[ObjectPairs, JournalState]:
    """Which object of the target is which of the source, and what the journal knows of the target."""
    conn, estate = source.snapshot.conn, target.estate
    lineage = Lineage(derivations(conn))
    trusted = match_pairs.trusted_pairs(source, estate, lines)
    journal = {
        **lineage.originals_on_target(source, estate),
        **lineage.copies_for_target(source, estate),
        **trusted,
    }
    hashes = partial(read_hashes, target.reader, target.workers, target.progress)
    in_directory = source.codec.ids_are_keys
    pairs = match_pairs.pair_estates(
        source, estate, journal, guess=False, hashes=None if in_directory else hashes
    )
    known = replace(
        read_journal_state(source, estate.side, lines, trusted),
        copies=frozenset(lineage.shared_copies(source, estate, only_for_target=options.copy_files)),
        origins=lineage.message_origins(source, estate.side, partial(reverse_message_ids, conn)),
        ambiguous_matches=match_by_key(source, estate, pairs, hashes) if in_directory else {},
        further=lineage.duplicate_copies(source, estate, pairs),
    )
    return pairs, known


def _threads_to_read(
    target: Estate, pairs: ObjectPairs, lines: list[IdMapping], options: PlanOptions
) -> list[str]:
    """Ids of threads on the target whose messages decide about something: those that stand for one of the
    source, and with --prune those that would be deleted."""
    gone = [line for line in lines if line.kind == "thread" and line.source_id not in pairs.ids["thread"]]
    present = target.threads_by_id
    pruned = [line.target_id for line in gone if line.target_id in present] if options.prune else []
    return list(dict.fromkeys([*pairs.ids["thread"].values(), *pruned]))


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
    elif source.codec.owns_rest:
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
    if not source.codec.owns_rest:
        return decided
    kinds = ("file",) if choices.prune else ("file", "vector_store", "assistant")
    found = {
        (kind, old): new
        for (kind, old), new in known.lines.items()
        if kind in kinds and old not in source.objects(kind) and new in target.objects(kind)
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
    if shard := Shard.from_options(source.snapshot.info.options):
        raise OperationRefused(
            f"snapshot {source.snapshot.info.id} is shard {shard.number} of {shard.total} "
            f"of {source.side.url}",
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
