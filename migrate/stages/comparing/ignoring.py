"""Changes in, changes without what somebody expects out. Nothing vanishes: what is left out is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from migrate.model.object_diff import Path
from migrate.stages.diff.change import Change
from migrate.stages.diff.ignore_rules import Rule


@dataclass(frozen=True)
class Ignored:
    """How many differences a rule took away. `expires` is a date or ''."""

    rule: str
    reason: str
    expires: str
    count: int


@dataclass(frozen=True)
class Expected:
    """A difference that follows from the configuration; counted as an ignored one."""

    reason: str
    fits: Callable[[Path], bool]


class Ledger:
    """Applies rules to one change after the other and counts what each took away."""

    def __init__(
        self, rules: tuple[Rule, ...], expected: tuple[Expected, ...], today: date | None = None
    ) -> None:
        self._today = today or date.today()
        self._rules = [rule for rule in rules if not self._is_over(rule)]
        self._over = [rule for rule in rules if self._is_over(rule)]
        self._expected = expected
        self._counts: Counter[int] = Counter()
        """By the identity of a rule: two files may have one name."""

    def rest(self, change: Change) -> Change | None:
        """The change without what is ignored; None when nothing is left."""
        rules = [rule for rule in self._rules if rule.takes(change)]
        if change.action != "changed":
            whole = next((rule for rule in rules if not rule.steps), None)
            if whole is None:
                return change
            self._counts[id(whole)] += 1
            return None
        kept = tuple(path for path in change.paths if not self._taken(path, rules))
        if not kept:
            return None
        return change if len(kept) == len(change.paths) else replace(change, paths=kept)

    def ignored(self) -> tuple[Ignored, ...]:
        """Every rule that is in force, with its count; one that took nothing may be superfluous."""
        rows = [
            Ignored(rule.where, rule.reason, str(rule.expires or ""), self._counts[id(rule)])
            for rule in self._rules
        ]
        made = [
            Ignored("expected", one.reason, "", self._counts[id(one)])
            for one in self._expected
            if self._counts[id(one)]
        ]
        return (*rows, *made)

    def expired(self) -> tuple[str, ...]:
        """Rules whose time is over, in words; they are not applied."""
        return tuple(f"{rule.where} expired on {rule.expires}: {rule.reason}" for rule in self._over)

    def _taken(self, path: Path, rules: list[Rule]) -> bool:
        for rule in rules:
            if rule.covers(path):
                self._counts[id(rule)] += 1
                return True
        for one in self._expected:
            if one.fits(path):
                self._counts[id(one)] += 1
                return True
        return False

    def _is_over(self, rule: Rule) -> bool:
        return rule.expires is not None and rule.expires < self._today
