"""Losses of objects that a restore leaves as they are, since they are on the target already.

A restore decides nothing about such an object, so it reports no loss of it. What an earlier move reported of
it still holds, and is counted as known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from migrate.model import Entity
from migrate.model.loss import Loss
from migrate.model.results.plan import Action
from migrate.stages.plan.decision import DecisionLog
from migrate.stages.plan.known_losses import KnownLosses
from migrate.stages.plan.object_decider import ObjectDecider


def known_losses_of_kept(
    decider: ObjectDecider,
    actions: Sequence[Action],
    log: DecisionLog,
    known: KnownLosses,
    losses: Sequence[Loss],
) -> Iterator[Loss]:
    """The known losses of objects that a restore leaves, and of their messages, without those that are among
    `losses` already."""
    if decider.restore != "missing" or known.is_empty:
        return
    reported = set(losses)
    for loss in (*_losses(decider, actions), *log.earlier_losses):
        if loss not in reported and loss in known:
            reported.add(loss)
            yield loss


def _losses(decider: ObjectDecider, actions: Sequence[Action]) -> Iterator[Loss]:
    source = decider.source

    @cache
    def store_files(store: str) -> dict[str, Entity]:
        return {row.id: row for row in source.iter_members("vector_store_file", store)}

    for action in actions:
        is_itself = decider.same_place and action.id == action.target_id
        if action.action != "skip" or action.kind == "message" or is_itself:
            continue
        if action.kind == "vector_store_file":
            entity = store_files(action.parent).get(action.id)
        else:
            entity = source.objects(action.kind).get(action.id)
        if entity is not None:
            adapted, losses = decider.adapt(entity)
            yield from losses
            yield from decider.mention_losses(entity, adapted)
