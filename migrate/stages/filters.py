"""Filter objects by `KIND:GLOB` rules, matched against names and ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from migrate.errors import BadUsage
from migrate.model import JSON, KINDS

NAME_FIELDS = ("id", "name", "filename")


@dataclass(frozen=True)
class ObjectFilter:
    """Included and excluded patterns. A kind without `include` rules is included whole. `fitted`: those that
    fitted something until now; threads may add to it."""

    include: tuple[tuple[str, str], ...] = ()
    exclude: tuple[tuple[str, str], ...] = ()
    matched_rules: set[tuple[str, str]] = field(default_factory=set, compare=False)

    @classmethod
    def parse(cls, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> ObjectFilter:
        """From the texts of the command line; raises `BadUsage` for an unknown kind."""
        return cls(tuple(map(_rule, include)), tuple(map(_rule, exclude)))

    @classmethod
    def for_kinds(cls, kinds: Collection[str]) -> ObjectFilter:
        """Whole kinds, and no others (empty: all)."""
        return cls(exclude=tuple((kind, "*") for kind in KINDS if kinds and kind not in kinds))

    def may_match(self, kind: str) -> bool:
        """Whether any object of a kind may be wanted."""
        return (kind, "*") not in self.exclude

    def matches(self, kind: str, body: Mapping[str, JSON]) -> bool:
        """Whether an object is wanted."""
        if not self.include and not self.exclude:
            return True
        return self.matches_names(kind, [str(body[key]) for key in NAME_FIELDS if body.get(key)])

    def matches_names(self, kind: str, names: Collection[str]) -> bool:
        """Whether an object of these names and ids is wanted: one that fits a rule is enough."""
        included = [rule for rule in self.include if rule[0] == kind]
        fits = self._fit(included, names)
        return not self._fit([r for r in self.exclude if r[0] == kind], names) and (fits or not included)

    def _fit(self, rules: list[tuple[str, str]], names: Collection[str]) -> bool:
        found = [rule for rule in rules if any(fnmatchcase(name, rule[1]) for name in names)]
        self.matched_rules.update(found)
        return bool(found)

    def unmatched_rules(self, unknown: Collection[str] = ()) -> list[str]:
        """The rules that fitted nothing, as they were written; not those for whole kinds, nor those of kinds
        of which it is `unknown`."""
        rules = dict.fromkeys((*self.include, *self.exclude))
        return [
            f"{kind}:{glob}"
            for kind, glob in rules
            if glob != "*" and kind not in unknown and (kind, glob) not in self.matched_rules
        ]


def _rule(text: str) -> tuple[str, str]:
    kind, _, glob = text.partition(":")
    if kind not in KINDS:
        raise BadUsage(f"{text!r} names no kind", f"kinds are {', '.join(KINDS)}", "write KIND:GLOB")
    return kind, glob or "*"


def must_be_kinds(names: Iterable[str]) -> None:
    """Raises `BadUsage` for a name that is no kind."""
    for name in names:
        if name not in KINDS:
            raise BadUsage(f"there is no kind {name!r}", todo=f"kinds are {', '.join(KINDS)}")
