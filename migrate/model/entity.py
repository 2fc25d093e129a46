"""One object of an estate in canonical form: what is compared, what the server made, what nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

# What `json.loads` gives: the wire is data, and data from a service has no type we could promise.
JSON: TypeAlias = Any

# Kind, parent's id ('' where the kind has none) and id: unique within one estate.
EntityKey: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True)
class Entity:
    """A decoded object.

    `fields` are what its owner decided (compared, written), `facts` what the server decided (dates,
    states, counters: kept and shown, never written), `extras` whatever no rule knows (compared within
    one generation, named as a loss when it cannot be written).
    """

    kind: str
    id: str
    parent: str = ""
    fields: Mapping[str, JSON] = field(default_factory=dict)
    facts: Mapping[str, JSON] = field(default_factory=dict)
    extras: Mapping[str, JSON] = field(default_factory=dict)
    derived_from: str = ""
    label: str = ""
    """What people call it where it has no name of its own."""

    @property
    def key(self) -> EntityKey:
        return (self.kind, self.parent, self.id)

    @property
    def name(self) -> str:
        """What people call it, or '' where it has no name."""
        return str(self.fields.get("name") or self.fields.get("filename") or self.label)

    def with_fields(self, **changed: JSON) -> Entity:
        """The same object with some fields replaced."""
        return Entity(
            self.kind,
            self.id,
            self.parent,
            {**self.fields, **changed},
            self.facts,
            self.extras,
            self.derived_from,
            self.label,
        )


# How the reason of a gap begins when the service said so, and was not merely silent.
NOT_FOUND_REASON = "no object of this id here"

# How the reason begins when a listing was read to its end, and what it lies in counts more.
COUNT_MISMATCH_REASON = "more are counted than listed"

# Kind -> states in which the service holds an object and yet will not use it.
UNUSABLE_STATES_BY_KIND: dict[str, frozenset[str]] = {
    "file": frozenset({"error", "deleted", "deleting"}),
    "vector_store": frozenset({"expired"}),
    "vector_store_file": frozenset({"failed", "cancelled"}),
}


def usability(entity: Entity) -> str:
    """The state that makes an object useless, or 'usable'. Temporary states count as usable."""
    status = str(entity.facts.get("status") or "")
    return status if status in UNUSABLE_STATES_BY_KIND.get(entity.kind, ()) else "usable"


def creation_time(body: Mapping[str, JSON], unknown: float) -> float:
    """Seconds since 1970; `unknown` where a body does not tell (items of conversations never do)."""
    value = body.get("created_at")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value:
        return float(value)
    return unknown


# Nothing can be continued behind this page: it came out of a listing that was turned round.
RESTART_FROM_FIRST_PAGE = "read it again from the start"
