"""Results of the commands that write to a target or read it back: `apply`, `verify` and `rollback`."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.model.results.archive import LaterChange


@dataclass(frozen=True)
class FailedObject:
    """An object that was not made, changed or deleted, and why."""

    kind: str
    id: str
    name: str
    reason: str


@dataclass
class ApplyResult:
    """What an apply did. Threads add to it through `ApplyContext`."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    adopted: int = 0
    skipped: int = 0
    failed: list[FailedObject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outage: tuple[str, str, str] | None = None
    """Where the service went away: what, why, what to do next."""


@dataclass(frozen=True)
class VerifyFinding:
    """A difference between the target and what the plan announced."""

    kind: str
    source_id: str
    target_id: str
    name: str
    path: str
    reason: str
    expected: object = None
    found: object = None


@dataclass
class VerifyResult:
    """The numbers of compared objects by kind, the findings, and notes on what could not be verified."""

    checked: dict[str, int] = field(default_factory=dict)
    findings: list[VerifyFinding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class UndoStep:
    """One object to take back. `how`: remove, restore; `gone` when it is not there any more."""

    how: str
    kind: str
    id: str
    parent: str
    name: str
    target_id: str
    target_parent: str = ""
    gone: bool = False
    changed: str = ""
    """In what it is not as we left it."""
    before: dict[str, object] | None = None
    fields: tuple[str, ...] = ()
    written: str = ""
    """Fingerprint of what we left there."""
    later: LaterChange | None = None
    """The apply of ours that changed it since."""
    detach: str = ""
    """Thread on the target that stays, and no longer names it."""


@dataclass
class RollbackResult:
    """What was taken back. `steps` is what would be done, in a dry run."""

    removed: int = 0
    restored: int = 0
    gone: int = 0
    failed: list[FailedObject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[UndoStep] = field(default_factory=list)
