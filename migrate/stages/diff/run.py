"""Two estates in, a list of differences out; what one side did not read is said, never counted as drift."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate.stages.comparing.ignoring import Ignored, Ledger
from migrate.stages.comparing.told import Told
from migrate.stages.diff.change import Change
from migrate.stages.diff.comparison import Comparison
from migrate.stages.diff.first_seen import dated
from migrate.stages.diff.scope import Focus
from migrate.stages.estate import Estate
from migrate.stages.match.pairing import pair

UNLOOKED = frozenset({"message", "run", "run_step"})
"""Kinds of which equal listings are not looked into, so that nobody knows which rules fit in them."""


@dataclass(frozen=True)
class Difference:
    """Everything that differs, how many objects were compared, and what was not.

    `unread`: what a side should have been asked for and could not tell. `ignored`: differences that a rule
    takes away, counted rule by rule. `left_out`: what was not compared on purpose."""

    changes: list[Change]
    compared: dict[str, int]
    unread: list[str] = field(default_factory=list)
    ignored: tuple[Ignored, ...] = ()
    expired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    """Filters that fit nothing on either side."""

    @property
    def exit_code(self) -> int:
        """Of the contract, from the very lists that are shown."""
        return 3 if self.unread else 1 if self.changes or self.unmatched else 0


def diff(
    left: Estate,
    right: Estate,
    told: Told | None = None,
    focus: Focus | None = None,
) -> Difference:
    """Compare two estates, with what journals know of them."""
    told, focus = told or Told(), focus or Focus()
    pairs = pair(left, right, told.objects, guess=True, told=told.copies)
    ledger = Ledger(focus.rules, focus.expected(left, right))
    comparison = Comparison(left, right, pairs, told, focus)
    changes = [kept for change in comparison.changes() if (kept := ledger.rest(change))]
    return Difference(
        changes=dated(changes, left, right),
        compared=comparison.compared,
        unread=comparison.unread,
        ignored=ledger.ignored(),
        expired=ledger.expired(),
        left_out=comparison.left_out(),
        unmatched=tuple(focus.choice.unfitted(UNLOOKED)),
    )
