"""Filter objects by `KIND:GLOB` rules, matched against names and ids."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from migrate.errors import BadUsage
from migrate.model import JSON, KINDS
from migrate.model.entity import ObjectKey
from migrate.model.selection import SELECTABLE_KINDS

NAME_FIELDS = ("id", "name", "filename")


@dataclass(frozen=True)
class ObjectFilter:
    """Included and excluded (kind, pattern) rules. Without `include` rules for a kind, all of it is included.
    `only`: (kind, id) of the only objects that pass, among the kinds that can be selected; None: no such
    limit. `matched_rules`: the rules that matched an object until now; several threads may add to it."""

    include: tuple[tuple[str, str], ...] = ()
    exclude: tuple[tuple[str, str], ...] = ()
    only: Container[ObjectKey] | None = None
    matched_rules: set[tuple[str, str]] = field(default_factory=set, compare=False)

    @classmethod
    def parse(cls, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> ObjectFilter:
        """From KIND:GLOB texts of the command line. Raises `BadUsage` for an unknown kind."""
        return cls(tuple(map(_rule, include)), tuple(map(_rule, exclude)))

    @classmethod
    def for_kinds(cls, kinds: Collection[str]) -> ObjectFilter:
        """All objects of these kinds and no others (empty: all kinds)."""
        return cls(exclude=tuple((kind, "*") for kind in KINDS if kinds and kind not in kinds))

    @property
    def is_whole(self) -> bool:
        """Whether every object passes."""
        return not self.include and not self.exclude and self.only is None

    def limited_to(self, only: Container[ObjectKey]) -> ObjectFilter:
        """The rules about kinds that a selection does not have, and of other kinds only these objects."""
        include, exclude = (
            tuple(rule for rule in rules if rule[0] not in SELECTABLE_KINDS)
            for rules in (self.include, self.exclude)
        )
        return ObjectFilter(include, exclude, only=only)

    def may_match(self, kind: str) -> bool:
        """Whether any object of a kind may pass."""
        return (kind, "*") not in self.exclude

    def matches(self, kind: str, body: Mapping[str, JSON]) -> bool:
        """Whether an object passes."""
        if self.only is not None and kind in SELECTABLE_KINDS:
            return (kind, str(body.get("id"))) in self.only
        if not self.include and not self.exclude:
            return True
        return self.matches_names(kind, names_in(body))

    def matches_names(self, kind: str, names: Collection[str]) -> bool:
        """Whether an object with these names and ids passes: one that matches a rule is enough."""
        is_included = self.includes(kind, names) or all(of != kind for of, _ in self.include)
        return not self.excludes(kind, names) and is_included

    def includes(self, kind: str, names: Collection[str]) -> bool:
        """Whether an `include` rule matches an object with these names and ids."""
        return self._matches_any(self.include, kind, names)

    def excludes(self, kind: str, names: Collection[str]) -> bool:
        """Whether an `exclude` rule matches an object with these names and ids."""
        return self._matches_any(self.exclude, kind, names)

    def _matches_any(self, rules: Iterable[tuple[str, str]], kind: str, names: Collection[str]) -> bool:
        matched = [r for r in rules if r[0] == kind and any(fnmatchcase(name, r[1]) for name in names)]
        self.matched_rules.update(matched)
        return bool(matched)

    def unmatched_rules(self, unknown: Collection[str] = ()) -> list[str]:
        """The rules that matched nothing, as they were written. Without rules for all of a kind, and without
        those of kinds for which it is `unknown`."""
        rules = dict.fromkeys((*self.include, *self.exclude))
        return [
            f"{kind}:{glob}"
            for kind, glob in rules
            if glob != "*" and kind not in unknown and (kind, glob) not in self.matched_rules
        ]


def names_in(body: Mapping[str, JSON]) -> list[str]:
    """The id and the names in a body, against which rules are matched."""
    return [str(body[key]) for key in NAME_FIELDS if body.get(key)]


def _rule(text: str) -> tuple[str, str]:
    kind, _, glob = text.partition(":")
    if kind not in KINDS:
        raise BadUsage(f"{text!r} is not a kind", f"kinds are {', '.join(KINDS)}", "write KIND:GLOB")
    return kind, glob or "*"


def must_be_kinds(names: Iterable[str]) -> None:
    """Raises `BadUsage` for a name that is not a kind."""
    for name in names:
        if name not in KINDS:
            raise BadUsage(f"there is no kind {name!r}", todo=f"kinds are {', '.join(KINDS)}")
