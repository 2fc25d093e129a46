"""What a plan with --prune deletes: only what we made from this source, only after it was read whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from migrate.codecs.config import TYPE as CONFIG
from migrate.errors import Refused
from migrate.model import Entity
from migrate.stages.comparing.pairing import Pairs
from migrate.stages.comparing.present import fingerprint
from migrate.stages.estate import Estate, stamp
from migrate.stages.planning.planfile import Action

PRUNED = ("thread", "assistant", "vector_store")
"""In the order in which they are deleted. Files are left: deleting one takes it out of every store."""


def deletions(
    source: Estate, target: Estate, pairs: Pairs, made: Mapping[tuple[str, str], str]
) -> list[Action]:
    """What this archive's journal made from this very source, and the source no longer has. `made`: (kind,
    target id) -> source id.

    A stamp is no proof: another estate of the same type may have been moved here too. Raises `Refused`
    after a partial or filtered reading.
    """
    if source.snapshot.info.state != "complete" or not any(source.snapshot.counts().values()):
        raise Refused(
            "--prune needs a complete snapshot that holds something",
            "what was not read cannot be told from what was deleted",
            "take a complete snapshot, or plan without --prune",
        )
    rows: list[Action] = []
    for kind in PRUNED:
        if kind == "thread" and source.type == CONFIG:
            continue
        _must_be_whole(source, kind)
        present = target.threads_by_id if kind == "thread" else target.of(kind)
        kept = set(pairs.ids.get(kind, {}).values())
        for id_, entity in present.items():
            old = made.get((kind, id_))
            if id_ not in kept and old is not None and _is_ours(source, target, entity, old):
                row = Action(action="delete", kind=kind, id=old, name=entity.name, target_id=id_)
                rows.append(replace(row, before=fingerprint(entity)))
    return rows


def _is_ours(source: Estate, target: Estate, entity: Entity, old: str) -> bool:
    """Whether what lies under an id is still what we made: where ids are names only the stamp tells, and
    where the stamp names a name again, nothing does."""
    if not target.named or entity.kind != "assistant":
        return True
    return not source.named and stamp(entity) == f"{source.type}:{old}"


def _must_be_whole(source: Estate, kind: str) -> None:
    """What a snapshot was told to leave out, or only given by id, cannot be told from what was deleted."""
    state, remark = source.snapshot.scope(kind)
    unread = "" if state == "complete" else f"{kind}: {state or 'not read'}"
    why = source.filtered(kind) or remark or unread
    if why:
        raise Refused(
            f"--prune needs a snapshot that read every {kind}",
            why,
            "take a snapshot without filters, or plan without --prune",
        )
