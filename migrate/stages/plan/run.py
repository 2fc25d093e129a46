"""Plan a move: read the target, match it with the source, and decide about each object.

Nothing is written. The steps, each in a file of its own: what the target has (`snapshot.target_state`),
which object is which and what the journal knows of it (`target_match`), what holds for the whole
target (`target_settings`), and what happens to each object (`planner`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from migrate.archive.id_map import Side, id_map
from migrate.archive.snapshots.writer import utc_now
from migrate.errors import IncompleteResult, OperationRefused
from migrate.model.loss import EVERY_OBJECT, Loss, is_loss_accepted
from migrate.model.results.plan import (
    Action,
    LossRow,
    Plan,
    SelectionRow,
    SourceSide,
    TargetSettings,
    TargetSide,
)
from migrate.model.shard import Shard
from migrate.stages.estate import Estate
from migrate.stages.match import pairs as match_pairs
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.object_fingerprints import combined_fingerprint, target_fingerprints
from migrate.stages.plan.agent_names import kept_name_losses
from migrate.stages.plan.cost import estimate_cost
from migrate.stages.plan.decision import DecisionLog
from migrate.stages.plan.inputs import PlanInputs, read_inventory
from migrate.stages.plan.kept_objects import known_losses_of_kept
from migrate.stages.plan.known_losses import KnownLosses
from migrate.stages.plan.object_decider import ObjectDecider
from migrate.stages.plan.options import PlanOptions, check_accepted_fields, check_thresholds, refuse_conflicts
from migrate.stages.plan.plan_file import FORMAT
from migrate.stages.plan.planner import Planner
from migrate.stages.plan.prune import PrunePlanner
from migrate.stages.plan.relink import unlisted_thread_notes
from migrate.stages.plan.target_match import match_target, needs_thread_list, threads_of_plan, threads_to_read
from migrate.stages.plan.target_settings import add_journal_pairs, settle_target
from migrate.stages.progress import Progress
from migrate.stages.retirements import retiring_on_target
from migrate.stages.selection import SelectedObjects, select_objects, unread_lists
from migrate.stages.snapshot.live_estate import absent_kinds, empty_estate, read_target

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

    `archive` and `target_name`: the names of both sides in the plan. Raises `IncompleteResult` when the
    target could not be read to its end, `OperationRefused` when a threshold is exceeded or others changed
    what it would overwrite."""
    check_options(options)
    absent = absent_kinds(reader)
    side = Side(reader.type, reader.url)
    lines = list(id_map(source.journal, source.side, side, messages=False))
    selected = select_objects(source, options.selection)
    threads = threads_of_plan(source, side, lines, options, selected)
    list_threads = needs_thread_list(source, side, lines, selected)
    with ExitStack() as stack:
        target = stack.enter_context(
            read_target(reader, absent, threads, workers, progress, list_threads=list_threads)
        )
        pairs, journal = match_target(source, target, lines, options)
        thread_ids = threads_to_read(target.estate, pairs, lines, options, selected)
        conversations = stack.enter_context(target.messages_of(thread_ids)) if thread_ids else None
        target_side = TargetSide(
            estate=target_name, type=reader.type, url=reader.url, api_version=reader.api_version, digest=""
        )
        inputs = PlanInputs(
            source=source,
            target=target.estate,
            source_side=source_side(source, archive),
            target_side=target_side,
            options=options,
            pairs=pairs,
            journal=journal,
            inventory=read_inventory(reader, absent),
            selected=selected,
            conversations=conversations,
            threads_now=target.threads_now,
        )
        return build_plan(inputs)


def plan_without_target(type_: str, source: Estate, options: PlanOptions) -> Plan:
    """Plan a move to an empty service of this type, without a connection."""
    target_side = TargetSide(estate=type_, type=type_, url="", api_version="", digest="")
    with empty_estate(type_) as target:
        pairs = match_pairs.pair_estates(source, target, {}, guess=False)
        sides = source_side(source, ""), target_side
        selected = select_objects(source, options.selection)
        return build_plan(PlanInputs(source, target, *sides, options, pairs, selected=selected))


def source_side(source: Estate, archive: str) -> SourceSide:
    """What a plan records of its source."""
    info = source.snapshot.info
    return SourceSide(
        archive=archive, snapshot=info.id, type=info.type, url=info.url, digest=info.digest, state=info.state
    )


def build_plan(inputs: PlanInputs) -> Plan:
    """Plan how the target becomes like the source. Adds pairs that the journal knows to the pairs.

    Raises `OperationRefused` when a threshold is exceeded or deletions would follow from an incomplete
    snapshot."""
    source, target, pairs, options = inputs.source, inputs.target, inputs.pairs, inputs.options
    log = DecisionLog()
    settings = settle_target(inputs)
    different = ObjectDecider(inputs, log.blocked, settings).different_matches(target)
    lookalikes = {id_: pairs.ids["assistant"].pop(id_) for id_ in different}
    if lookalikes:
        settings = settle_target(inputs)  # they need names of their own
    settings = add_journal_pairs(settings, inputs)
    settings = _add_left_out(_add_present(settings, pairs, options), inputs.selected, pairs, log)
    decider = ObjectDecider(inputs, log.blocked, settings, lookalikes)
    planner = Planner(decider, log, inputs)
    actions = planner.all_actions(inputs.threads_now, options)
    if options.on_conflict == "fail":
        refuse_conflicts(log.conflicts)
    prune = PrunePlanner(decider, target, inputs.conversations)
    if options.prune:
        actions += prune.deletions()
    elif source.codec.lists_everything and inputs.selected is None:
        prune.note_removed_files()
    check_thresholds(actions, target, options, source.snapshot.count("thread", ""))
    kept_names = kept_name_losses(source, settings, options, actions)
    losses = [*log.losses, *kept_names, *prune.losses, *planner.general_losses(actions)]
    target_side = _with_fingerprints(inputs.target_side, target, actions)
    known = KnownLosses(source, target_side, inputs.journal, actions, log)
    losses += known_losses_of_kept(decider, actions, log, known, losses)
    check_accepted_fields(options.accept, losses)
    unread, inventory, service = source.snapshot.incomplete(), inputs.inventory, inputs.capabilities.service
    return Plan(
        format=FORMAT,
        created_at=utc_now(),
        source=inputs.source_side,
        target=target_side,
        settled=settings,
        actions=tuple(actions),
        losses=tuple(_loss_row(loss, options.accept, loss in known) for loss in losses),
        staying=tuple(prune.staying),
        unread=tuple(f"{kind} {parent or EVERY_OBJECT}: {why}" for kind, parent, why in unread),
        unread_kinds=tuple(kind for kind, _ in unread_lists(source, options.selection)),
        expected_gaps=source.snapshot.gaps()[1],
        hidden=tuple(source.snapshot.info.hidden),
        restore=options.restore,
        **_selection(options, inputs.selected, unlisted_thread_notes(options, target, actions)),
        left_out=tuple(sorted(log.left_out)),
        changes=tuple(log.changes.rows),
        replaced_ids=tuple(sorted(log.replaced_ids)),
        accepted_fields=tuple(sorted(options.accept)),
        cost=estimate_cost(decider, actions, inputs.conversations, inventory.requests_per_s),
        retiring=retiring_on_target(source, service, actions, decider.settings, inventory.served),
    ).sealed()


def _selection(
    options: PlanOptions, selected: SelectedObjects | None, notes: Iterable[str]
) -> dict[str, Any]:
    """What a plan records of its selection, and of ids that were selected and that the source lacks. `notes`:
    more sentences about it."""
    if selected is None:
        return {"selection_notes": tuple(notes)}
    unmatched = (f"no object matches {rule}" for rule in selected.unmatched_rules)
    return {
        "selection": SelectionRow.of(options.selection),
        "unknown_ids": selected.unknown_ids,
        "other_snapshots": selected.other_snapshots,
        "selection_notes": (*selected.notes, *unmatched, *notes),
    }


def _with_fingerprints(side: TargetSide, target: Estate, actions: Sequence[Action]) -> TargetSide:
    """The target's side of a plan, with the fingerprints of what it had when the plan was made."""
    threads = {action.target_id for action in actions if action.kind == "thread" and action.target_id}
    fingerprints = target_fingerprints(target, threads)
    # A thread that is only re-pointed may have been requested by its id, and is in no listing.
    relinked = (a for a in actions if a.kind == "thread" and a.relinks)
    fingerprints |= {(a.kind, "", a.target_id): a.before for a in relinked}
    objects = tuple((*key, fingerprint) for key, fingerprint in sorted(fingerprints.items()))
    return side.model_copy(update={"digest": combined_fingerprint(fingerprints), "objects": objects})


def _add_present(settings: TargetSettings, pairs: ObjectPairs, options: PlanOptions) -> TargetSettings:
    """In a restore, note the assistants that the target has. In a move, an object is sent as it was the first
    time."""
    present = frozenset(pairs.ids.get("assistant", {})) if options.restore else frozenset()
    return settings.model_copy(update={"present_assistants": present})


def _add_left_out(
    settings: TargetSettings, selected: SelectedObjects | None, pairs: ObjectPairs, log: DecisionLog
) -> TargetSettings:
    """Settle what becomes of references to objects that are not selected: they name the counterpart where the
    target has one; elsewhere nothing can refer to them."""
    if selected is None:
        return settings
    counterparts = [(*key, pairs.right(*key)) for key in selected.left_out]
    log.left_out |= {(kind, id_) for kind, id_, target_id in counterparts if target_id is None}
    log.blocked |= log.left_out
    known = tuple((kind, id_, target_id) for kind, id_, target_id in counterparts if target_id)
    return settings.model_copy(update={"further": (*settings.further, *known)})


def check_options(options: PlanOptions) -> None:
    """Raises `OperationRefused` for --prune with a selection: what was not selected cannot be distinguished
    from what was deleted."""
    if options.prune and not options.selection.is_whole:
        raise OperationRefused(
            "--prune cannot be combined with a selection",
            "objects that are not selected would look as if the source no longer had them",
            "leave --prune out, or plan for the whole source",
        )


def _loss_row(loss: Loss, accept: frozenset[str], known: bool) -> LossRow:
    accepted = loss.grade == "adapted" or is_loss_accepted(accept, loss.kind, loss.field)
    return LossRow(**loss.__dict__, accepted=accepted, known=known)


def check_source(source: Estate) -> None:
    """Refuse a source that no plan can be made from.

    Raises `IncompleteResult` for an empty snapshot, which is more often a mistake than intended, and for one
    that is still being read: what is reviewed must be what is applied. Raises `OperationRefused` for one
    shard of an estate."""
    if shard := Shard.from_options(source.snapshot.info.options):
        raise OperationRefused(
            f"snapshot {source.snapshot.info.id} is shard {shard.number} of {shard.total} "
            f"of {source.side.url}",
            "the objects of the other shards were not read, and nothing may be decided without them",
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
            f"snapshot {source.snapshot.info.id} of {source.side.url} is empty",
            "there is nothing to plan from it",
            "look at `snapshots FILE.db` and take a snapshot of the right estate",
        )
