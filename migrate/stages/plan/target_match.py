"""Find out which object of the target is which of the source, and what the journal knows of the target."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from migrate.archive.id_map import Side, derivations, reverse_message_ids
from migrate.model.results.archive import IdMapping
from migrate.stages.config_directory.match import match_by_key
from migrate.stages.estate import Estate
from migrate.stages.match import pairs as match_pairs
from migrate.stages.match.files import read_hashes
from migrate.stages.match.lineage import Lineage
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.journal_state import JournalState, read_journal_state
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.relink import RECREATED_KINDS
from migrate.stages.selection import SelectedObjects
from migrate.stages.snapshot.live_estate import TargetState


def match_target(
    source: Estate, target: TargetState, lines: list[IdMapping], options: PlanOptions
) -> tuple[ObjectPairs, JournalState]:
    """Which object of the target is which of the source, and what the journal knows of the target."""
    conn, estate = source.journal, target.estate
    lineage = Lineage(derivations(conn))
    trusted = match_pairs.trusted_pairs(source, estate, lines)
    known_pairs = {
        **lineage.copies_of_replaced(source, estate),
        **lineage.originals_on_target(source, estate),
        **lineage.copies_for_target(source, estate),
        **trusted,
        **(lineage.later_copies(source, estate) if options.restore else {}),
    }
    hashes = partial(read_hashes, target.reader, target.workers, target.progress)
    by_key = source.codec.ids_are_keys
    pairs = match_pairs.pair_estates(
        source, estate, known_pairs, guess=False, hashes=None if by_key else hashes
    )
    journal = replace(
        read_journal_state(source, estate.side, lines, trusted, lineage),
        shared_copies=frozenset(lineage.shared_copies(source, estate, only_for_target=options.copy_files)),
        message_origins=lineage.message_origins(source, estate.side, partial(reverse_message_ids, conn)),
        ambiguous_matches=match_by_key(source, estate, pairs, hashes) if by_key else {},
        second_copies=lineage.duplicate_copies(source, estate, pairs),
        former_ids=lineage.former_ids(source, estate, RECREATED_KINDS) if options.restore else {},
        thread_ids=lineage.thread_ids(source.side, estate.side),
    )
    return pairs, journal


def threads_of_plan(
    source: Estate,
    target: Side,
    lines: list[IdMapping],
    options: PlanOptions,
    selected: SelectedObjects | None,
) -> list[str]:
    """Ids on the target of threads that a plan is about: those that the journal knows, and for a restore to
    the source's own place those of the source."""
    ids = [
        line.target_id
        for line in lines
        if line.kind == "thread" and (selected is None or ("thread", line.source_id) in selected)
    ]
    if options.restore and source.side == target:
        ids += source.threads_by_id if selected is None else selected.ids("thread")
    return ids


def needs_thread_list(
    source: Estate, target: Side, lines: list[IdMapping], selected: SelectedObjects | None
) -> bool:
    """Whether a plan needs the list of the target's threads. Where no thread is selected it does not: threads
    that refer to a selected object are requested by their ids. In another place of which the journal knows
    nothing, the stamps of threads show whether the source was moved there."""
    return selected is None or bool(selected.ids("thread")) or not (lines or source.side == target)


def threads_to_read(
    target: Estate,
    pairs: ObjectPairs,
    lines: list[IdMapping],
    options: PlanOptions,
    selected: SelectedObjects | None,
) -> list[str]:
    """Ids of threads on the target whose messages the plan depends on: counterparts of selected threads, and
    with --prune those that would be deleted."""
    if selected is not None:
        return [right for left, right in pairs.ids["thread"].items() if ("thread", left) in selected]
    gone = [line for line in lines if line.kind == "thread" and line.source_id not in pairs.ids["thread"]]
    existing = target.threads_by_id
    pruned = [line.target_id for line in gone if line.target_id in existing] if options.prune else []
    return list(dict.fromkeys([*pairs.ids["thread"].values(), *pruned]))
