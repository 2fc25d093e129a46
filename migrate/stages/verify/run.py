"""Verify a plan: read the target back and compare every object with what should be there.

Nothing is taken from what apply remembers beyond the id map. A difference is a finding unless the plan
announced it: the expected form is the adapted one, computed anew from the archive.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from migrate.archive.database import Archive
from migrate.archive.id_map import Side, arrived_messages, derivations, id_map, reverse_message_ids
from migrate.codecs import Capabilities
from migrate.model.results.apply import VerifyResult
from migrate.model.results.plan import Plan
from migrate.stages.estate import Estate
from migrate.stages.match.files import check_file_hashes
from migrate.stages.match.lineage import Lineage
from migrate.stages.plan.served_versions import version_notes
from migrate.stages.progress import Progress
from migrate.stages.snapshot.live_estate import read_target
from migrate.stages.verify.inspector import Inspector

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


def verify_plan(
    plan: Plan,
    source: Estate,
    archive: Archive,
    reader: Reader,
    capabilities: Capabilities,
    workers: int,
    progress: Progress,
) -> VerifyResult:
    """Read everything the plan speaks of back from the target and compare it."""
    sides = (Side(plan.source.type, plan.source.url), Side(plan.target.type, plan.target.url))
    ids = _target_ids(plan, archive, sides)
    expected = {(a.kind, a.parent, a.id) for a in plan.actions if a.action not in ("blocked", "delete")}
    threads = [
        ids[("thread", id_)] for kind, _, id_ in expected if kind == "thread" and ("thread", id_) in ids
    ]
    blocked = {
        (a.kind, a.id)
        for a in plan.actions
        if a.action == "blocked" and a.kind != "vector_store_file" and not a.target_id
    }
    inspector = Inspector(source, plan, capabilities, ids, blocked, expected)
    asking = threading.Lock()  # a connection answers one thread at a time

    def targets_of(id_: str) -> list[str]:
        with asking:
            return [line.target_id for line in id_map(archive.conn, *sides, source_id=id_)]

    def origins(*sides_and_threads: Any) -> dict[str, str]:
        with asking:
            return reverse_message_ids(archive.conn, *sides_and_threads)

    def arrived(thread: str) -> dict[str, tuple[str, str]]:
        with asking:
            lines = arrived_messages(archive.conn, *sides, thread)
            return {new: (old, mark) for old, new, mark in lines}

    inspector.message_targets, inspector.arrived_messages = targets_of, arrived
    inspector.origins = Lineage(derivations(archive.conn)).message_origins(source, sides[1], origins)
    absent, options = plan.settled.absent, {"must_answer": False, "just_these": True}
    with read_target(reader, absent, threads, workers, progress, **options) as state:
        target = state.estate
        inspector.check_configuration(target)
        compared = (
            ids.get(("assistant", id_), "") for kind, _, id_ in sorted(expected) if kind == "assistant"
        )
        inspector.result.notes += version_notes(target, compared)
        inspector.check_duplicates(target)
        inspector.check_deletions(plan, target)
        inspector.check_threads(target, reader, workers, progress)
    _check_files(inspector, reader, workers, progress)
    inspector.result.notes += [f"not in the snapshot, so not on the target: {gap}" for gap in plan.unread]
    _report_blocked(plan, inspector)
    return inspector.result


def _target_ids(plan: Plan, archive: Archive, sides: tuple[Side, Side]) -> dict[tuple[str, str], str]:
    """(kind, id on the source) -> id on the target, by the id map and by what the plan decided."""
    lines = id_map(archive.conn, *sides, messages=False)
    ids = {(line.kind, line.source_id): line.target_id for line in lines}
    for kind, id_ in plan.settled.in_place:
        ids.setdefault((kind, id_), id_)
    for kind, id_, there in plan.settled.further:
        ids.setdefault((kind, id_), there)
    return ids


def _report_blocked(plan: Plan, inspector: Inspector) -> None:
    """What was not moved is noted where it was accepted, and a finding where it was not."""
    rows = {(row.kind, row.parent, row.id): row for row in plan.losses if row.grade == "blocked"}
    stuck = {(a.kind, a.parent, a.id): a.name for a in plan.actions if a.action == "blocked"}
    stuck |= {key: row.name for key, row in rows.items() if row.kind == "message"}
    accepted = 0
    for (kind, parent, id_), name in stuck.items():
        row = rows.get((kind, parent, id_))
        if row is not None and row.accepted:
            accepted += 1
            continue
        why = f": {row.reason}" if row is not None else ""
        inspector.add_finding(kind, id_, "", name, "", f"it was not moved, which nobody accepted{why}")
    if accepted:
        inspector.result.notes.append(f"{accepted:,} blocked object(s) were not moved; the plan names them")


def _check_files(inspector: Inspector, reader: Reader, workers: int, progress: Progress) -> None:
    """Every file's bytes by their hash, where the service gives them back."""
    files = [
        (file, inspector.ids[("file", file.id)])
        for file in inspector.expected_objects("file", inspector.source.objects("file").values())
        if ("file", file.id) in inspector.ids and file.fields.get("sha256")
    ]  # a file that is used where it is may have no bytes in the archive
    proof = check_file_hashes(files, reader, workers, progress)
    for file, there, reason, found in proof.wrong:
        values = (file.fields.get("sha256"), found) if found else ()
        inspector.add_finding("file", file.id, there, file.name, "bytes", reason, *values)
    if proof.unproven:
        inspector.result.notes.append(
            f"{len(proof.unproven)} file(s): the service keeps the bytes, so only names and sizes are proven"
        )
