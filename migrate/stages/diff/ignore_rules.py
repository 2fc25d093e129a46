"""Read ignore rules from TOML and remove the differences that they cover."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path as File
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from migrate.errors import BadUsage
from migrate.files.text import read_toml
from migrate.model import KINDS
from migrate.model.object_diff import DiffSteps, FieldDifference, MemberStep
from migrate.model.results.diff import Change, IgnoreCount

# One step of a path as it is written: `.name`, `["odd name"]`, `[0]`, `[function:f]`, with `*` in names.
PATH_STEP = re.compile(
    r'\.?(?P<name>\*\*|\*|[^\W\d][\w*-]*)|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\[(?P<inner>[^\]]*)\]'
)

ANY_DEPTH = "**"


class IgnoreRuleTable(BaseModel):
    """One `[[ignore]]` table. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: str = "*"
    name: str = "*"
    path: str = ""
    action: Literal["added", "removed", "changed", ""] = ""
    reason: str = Field(min_length=1)
    expires: date | None = None


@dataclass(frozen=True)
class IgnoreRule:
    """One rule. `location`: its file and number. `steps`: its path, parsed."""

    location: str
    table: IgnoreRuleTable
    steps: tuple[str, ...]

    def applies_to(self, change: Change) -> bool:
        """Whether the rule applies to this object and this kind of change."""
        names = [name for name in (change.name, change.left_id, change.right_id) if name]
        return (
            self.table.kind in ("*", change.kind)
            and self.table.action in ("", change.action)
            and any(fnmatchcase(name, self.table.name) for name in names)
        )

    def covers(self, path: FieldDifference) -> bool:
        """Whether a path is that of the rule, or is below it."""
        return _covers(self.steps, path.steps or (path.path,))


def read_ignore_rules(file: File) -> tuple[IgnoreRule, ...]:
    """Read the rules of a file. Raises `BadUsage` with the rule and the key that is wrong."""
    data = read_toml(file, "it must be TOML, saved as UTF-8: docs/diff.md shows one")
    rows = data.get("ignore", [])
    unknown = sorted(data.keys() - {"ignore"})
    if unknown or not isinstance(rows, list):
        raise BadUsage(f"{file}: {', '.join(unknown) or 'ignore'}", "only [[ignore]] tables are known")
    return tuple(_ignore_rule(f"{file.name}, rule {n}", row) for n, row in enumerate(rows, 1))


def _ignore_rule(location: str, row: Any) -> IgnoreRule:
    try:
        table = IgnoreRuleTable.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the table"
        known = ", ".join(IgnoreRuleTable.model_fields)
        raise BadUsage(
            f"{location}: {key}: {first['msg']}", "", f"keys of a rule: {known}; reason is required"
        ) from None
    if table.kind != "*" and table.kind not in KINDS:
        raise BadUsage(f"{location}: there is no kind {table.kind!r}", f"kinds are {', '.join(KINDS)}, or *")
    return IgnoreRule(location, table, parse_path(location, table.path))


def parse_path(location: str, path: str) -> tuple[str, ...]:
    """Parse a path into steps. A leading `$.` is allowed and ignored."""
    rest = path[1:] if path.startswith("$") else path
    steps: list[str] = []
    position = 0
    while position < len(rest):
        step = PATH_STEP.match(rest, position)
        if not step:
            raise _bad_path(location, path, rest[position:])
        if step["name"] is not None:
            steps.append(step["name"])
        elif step["quoted"] is not None:
            steps.append(_quoted_key(location, path, step["quoted"]))
        else:
            steps.append(MemberStep(f"[{step['inner']}]"))
        position = step.end()
    return tuple(steps)


def _bad_path(location: str, path: str, part: str) -> BadUsage:
    return BadUsage(
        f"{location}: path {path!r} cannot be read at {part!r}",
        todo='write it as `diff` shows it: metadata.owner, tools[*].function, a["odd key"]',
    )


def _quoted_key(location: str, path: str, quoted: str) -> str:
    try:
        key = str(json.loads(f'"{quoted}"', strict=False))
    except ValueError:
        raise _bad_path(location, path, f'"{quoted}"') from None
    return key.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")


def _covers(pattern: tuple[str, ...], steps: DiffSteps) -> bool:
    if not pattern:
        return True
    if pattern[0] == ANY_DEPTH:
        return any(_covers(pattern[1:], steps[n:]) for n in range(len(steps) + 1))
    return bool(steps) and _step_matches(pattern[0], steps[0]) and _covers(pattern[1:], steps[1:])


def _step_matches(pattern: str, step: str | int) -> bool:
    """A pattern in brackets matches members of lists, any other pattern matches keys."""
    if isinstance(pattern, MemberStep):
        name = str(step) if isinstance(step, int) else step[1:-1]
        return isinstance(step, (int, MemberStep)) and fnmatchcase(name, pattern[1:-1].replace("[", "[[]"))
    return isinstance(step, str) and not isinstance(step, MemberStep) and fnmatchcase(step, pattern)


@dataclass(frozen=True)
class ExpectedDifference:
    """A difference that follows from the configuration; counted as an ignored one."""

    reason: str
    matches: Callable[[FieldDifference], bool]


class IgnoreFilter:
    """Apply rules to changes and count what each rule removed."""

    def __init__(
        self,
        rules: tuple[IgnoreRule, ...],
        expected: tuple[ExpectedDifference, ...],
        today: date | None = None,
    ) -> None:
        self._today = today or date.today()
        self._rules = [rule for rule in rules if not self._is_expired(rule)]
        self._expired = [rule for rule in rules if self._is_expired(rule)]
        self._expected = expected
        # By the identity of a rule: two files may have the same name.
        self._counts: Counter[int] = Counter()

    def filter(self, change: Change) -> Change | None:
        """The change without ignored paths, or None when nothing is left."""
        rules = [rule for rule in self._rules if rule.applies_to(change)]
        if change.action != "changed":
            covering = next((rule for rule in rules if not rule.steps), None)
            if covering is None:
                return change
            self._counts[id(covering)] += 1
            return None
        kept = tuple(path for path in change.paths if not self._is_ignored(path, rules))
        if not kept:
            return None
        return change if len(kept) == len(change.paths) else replace(change, paths=kept)

    def ignored(self) -> tuple[IgnoreCount, ...]:
        """The count of every rule that has not expired (a rule with count 0 may be superfluous), and of every
        expected difference that occurred."""
        rules = [
            IgnoreCount(r.location, r.table.reason, str(r.table.expires or ""), self._counts[id(r)])
            for r in self._rules
        ]
        expected = [
            IgnoreCount("expected", row.reason, "", self._counts[id(row)])
            for row in self._expected
            if self._counts[id(row)]
        ]
        return (*rules, *expected)

    def expired(self) -> tuple[str, ...]:
        """One text for each rule that has expired; expired rules are not applied."""
        return tuple(
            f"{rule.location} expired on {rule.table.expires}: {rule.table.reason}" for rule in self._expired
        )

    def _is_ignored(self, path: FieldDifference, rules: list[IgnoreRule]) -> bool:
        """Whether a path is ignored; counted for the first rule, or else the first expected difference."""
        covering: IgnoreRule | ExpectedDifference | None
        covering = next((rule for rule in rules if rule.covers(path)), None)
        covering = covering or next((row for row in self._expected if row.matches(path)), None)
        if covering is not None:
            self._counts[id(covering)] += 1
        return covering is not None

    def _is_expired(self, rule: IgnoreRule) -> bool:
        return rule.table.expires is not None and rule.table.expires < self._today
