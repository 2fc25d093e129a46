"""A plan in, a workshop out: both sides, the journal, and what is known to be on the target already."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from migrate.archive.database import Archive
from migrate.archive.id_map import Side, derivations, id_map, origins_of
from migrate.archive.journal import Journal
from migrate.codecs import Profile
from migrate.errors import PlanStale
from migrate.stages.apply.context import Workshop
from migrate.stages.estate import Estate
from migrate.stages.match.lineage import Lineage
from migrate.stages.plan.adaptation import fitting
from migrate.stages.plan.plan_file import Plan
from migrate.stages.progress import Progress

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer


def workshop(
    plan: Plan, source: Estate, archive: Archive, writer: Writer, profile: Profile, progress: Progress
) -> Workshop:
    """What carrying out a plan, and taking it back, work with. Raises `PlanStale` when the snapshot is not
    the one that was planned."""
    if source.snapshot.info.digest != plan.source.digest:
        raise PlanStale(
            f"snapshot {plan.source.snapshot} is not the one that was planned",
            "its fingerprint changed",
            "run plan again and read the new one",
        )
    sides = (Side(plan.source.type, plan.source.url), Side(plan.target.type, plan.target.url))
    journal = Journal(archive, plan.digest, *sides, json.dumps(plan.model_dump()).encode())
    blocked = {
        (a.kind, a.id)
        for a in plan.actions
        if a.action == "blocked" and a.kind != "vector_store_file" and not a.target_id
    }
    fit = fitting(source, profile, plan.settled.decided(), blocked)
    shop = Workshop(source, writer, fit, journal, progress)
    origins = partial(origins_of, archive.conn)
    shop.origins = Lineage(derivations(archive.conn)).message_origins(source, sides[1], origins)
    shop.same_place = sides[0] == sides[1]
    shop.strangers = frozenset(id_ for _, _, id_, _ in plan.target.objects)
    return shop


def recall(plan: Plan, shop: Workshop, archive: Archive) -> None:
    """Fill the workshop's id map from every earlier move between the two sides, and from what the plan found
    on the target."""
    sides = (Side(plan.source.type, plan.source.url), Side(plan.target.type, plan.target.url))
    for line in id_map(archive.conn, *sides, messages=False):
        shop.noted.add((line.kind, line.source_id, line.target_id))
        if line.kind in ("file", "vector_store", "assistant", "thread"):
            shop.ids.setdefault((line.kind, line.source_id), line.target_id)
    for kind, id_, there in plan.settled.further:
        shop.ids.setdefault((kind, id_), there)
    for action in plan.actions:
        if action.target_id and action.action != "delete" and action.kind != "vector_store_file":
            shop.ids[(action.kind, action.id)] = action.target_id
