"""Plan a move: read the target, match it with the source, and decide about each object.

Nothing is written. The steps, each in a file of its own: what the target holds (`snapshot.target_state`),
what the journal knows of it (`journal_state`), which object is which (`match`), and what happens to each
(`build`).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from migrate.archive.id_map import Side, derivations, id_map, reverse_message_ids
from migrate.codecs import capabilities_for
from migrate.codecs.config_directory import CONFIG_TYPE as CONFIG
from migrate.model.results.archive import IdMapping
from migrate.model.results.plan import Plan, SourceSide, TargetSide
from migrate.stages.config_directory.match import match_by_key
from migrate.stages.estate import Estate
from migrate.stages.match import pairs as match_pairs
from migrate.stages.match.file_hashes import read_hashes
from migrate.stages.match.lineage import Lineage
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.build import build_plan
from migrate.stages.plan.journal_state import JournalState, read_journal_state
from migrate.stages.plan.options import PlanOptions
from migrate.stages.plan.target_settings import TargetInventory
from migrate.stages.progress import Progress
from migrate.stages.snapshot.live_estate import absent_kinds, empty_estate
from migrate.stages.snapshot.target_state import TargetState, read_target

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
    in_directory = source.type == CONFIG
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
