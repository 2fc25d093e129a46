"""The result of `restore`: its plan, what was written, and the new ids."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.model.results.apply import ApplyResult, VerifyResult
from migrate.model.results.archive import IdMapping
from migrate.model.results.plan import Plan, unaccepted_losses


@dataclass(frozen=True)
class RestoreResult:
    """What `restore` did. `applied` and `verified` are None in a dry run and where nothing had to be written;
    `ids` has the objects that came back under another id."""

    plan: Plan
    applied: ApplyResult | None = None
    verified: VerifyResult | None = None
    ids: tuple[IdMapping, ...] = ()
    # Sentences about the run.
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """The exit code of the contract."""
        if self.plan.unknown_ids or self.plan.unread_kinds or (self.applied and self.applied.failed):
            return 3
        steps = (step for step in (self.applied, self.verified) if step is not None)
        return 1 if unaccepted_losses(self.plan.losses) or any(step.exit_code for step in steps) else 0
