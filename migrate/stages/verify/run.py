"""Verify a plan: read the target and compare every object with what should be there.

Only the id map is taken from the journal of apply. A difference is a finding unless the plan reported it: the
expected form is adapted from the archive again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.archive.journal import CITATIONS_NOT_TAKEN
from migrate.errors import IncompleteResult
from migrate.model.results.apply import VerifyFinding, VerifyResult
from migrate.model.results.plan import Plan
from migrate.stages.apply.context import blocked_objects
from migrate.stages.match.files import check_file_hashes
from migrate.stages.plan.served_versions import version_notes
from migrate.stages.plan_sides import PlanSides
from migrate.stages.progress import Progress
from migrate.stages.retirements import read_served_models, retiring_on_target
from migrate.stages.snapshot.live_estate import read_target
from migrate.stages.verify.context import VerifyContext, finding
from migrate.stages.verify.objects import check_configuration
from migrate.stages.verify.threads import ThreadCheck

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


class VerifyInterrupted(IncompleteResult):
    """Ctrl-C or SIGTERM while a target is compared with its plan."""

    def __init__(self) -> None:
        super().__init__("stopped before everything was compared", "nothing was written", "run verify again")


def verify_plan(plan: Plan, sides: PlanSides[Reader], workers: int, progress: Progress) -> VerifyResult:
    """Read everything that a plan is about from the target and compare it. Raises `IncompleteResult` when it
    could not be read, `VerifyInterrupted` on Ctrl-C."""
    try:
        return _verify(plan, sides, workers, progress)
    except KeyboardInterrupt:
        raise VerifyInterrupted from None


def _verify(plan: Plan, sides: PlanSides[Reader], workers: int, progress: Progress) -> VerifyResult:
    source, reader = sides.source, sides.service
    ctx, result = VerifyContext(plan, sides), VerifyResult()
    expected_ids = ((kind, ctx.target_id(kind, id_)) for kind, _, id_ in sorted(ctx.expected))
    threads = [id_ for kind, id_ in expected_ids if kind == "thread" and id_]
    threads += [action.target_id for action in plan.actions if action.kind == "thread" and action.relinks]
    # The list shows whether a thread was created twice. A restore that created none does not need it.
    creates_threads = any((a.kind, a.action) == ("thread", "create") for a in plan.actions)
    absent, list_threads = plan.settled.absent, creates_threads or not plan.restore
    options = {"must_answer": False, "just_these": True, "list_threads": list_threads}
    with read_target(reader, absent, threads, workers, progress, **options) as state:
        check_configuration(ctx, state.estate, result)
        assistants = (id_ for kind, _, id_ in sorted(ctx.expected) if kind == "assistant")
        names = (ctx.target_id("assistant", id_) or "" for id_ in assistants)
        result.notes += version_notes(state.estate, names)
        ThreadCheck(ctx, state.estate, reader, result).run(workers, progress)
    _check_files(ctx, reader, workers, progress, result)
    result.losses = sorted(ctx.losses, key=lambda row: row.parent)
    if ctx.citations in CITATIONS_NOT_TAKEN:
        result.notes.append(
            "messages are on the target without their citations: the service did not take them when the plan "
            "was applied; the archive has them"
        )
    served = read_served_models(reader)
    result.retiring = retiring_on_target(source, reader.type, plan.actions, plan.settled, served)
    result.notes += [f"not in the snapshot, so not on the target: {gap}" for gap in plan.unread]
    _report_blocked(plan, result)
    return result


def _check_files(
    ctx: VerifyContext, reader: Reader, workers: int, progress: Progress, result: VerifyResult
) -> None:
    """Compare the bytes of every file by their hash, where the service returns them."""
    files = [
        (file, ctx.ids["file", file.id])
        for file in ctx.expected_objects("file", ctx.source.objects("file").values())
        if ("file", file.id) in ctx.ids and file.fields.get("sha256")
    ]  # a file that is used where it is may have no bytes in the archive
    proof = check_file_hashes(files, reader, workers, progress)
    for file, target_id, reason, found in proof.wrong:
        values = (file.fields.get("sha256"), found) if found else ()
        result.findings.append(finding(file, target_id, "bytes", reason, *values))
    if proof.unproven:
        result.notes.append(
            f"{len(proof.unproven)} file(s): the service does not return the bytes, "
            "so only names and sizes are proven"
        )


def _report_blocked(plan: Plan, result: VerifyResult) -> None:
    """Report objects that were not moved: as a note where that was accepted, else as findings."""
    accepted = 0
    for (kind, _, id_), name, row in blocked_objects(plan):
        if row is not None and row.accepted:
            accepted += 1
            continue
        reason = f"it was not moved, and this was not accepted{f': {row.reason}' if row else ''}"
        result.findings.append(VerifyFinding(kind, id_, "", name, "", reason))
    if accepted:
        result.notes.append(f"{accepted:,} blocked object(s) were not moved; the plan lists them")
