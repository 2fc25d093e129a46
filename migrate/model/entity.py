"""One object of an estate in canonical form: compared fields, facts of the server, unknown keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

# What `json.loads` returns. Nothing guarantees the types in data from a service.
JSON: TypeAlias = Any

# Kind, parent's id ('' where the kind has none) and id: unique within one estate.
EntityKey: TypeAlias = tuple[str, str, str]

# Kind and id, of objects that have no parent.
ObjectKey: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Entity:
    """A decoded object.

    `fields`: set by its owner; compared and written. `facts`: set by the server (dates, states, counters);
    kept and shown, never written. `extras`: keys that no rule knows; compared within one generation, reported
    as a loss when they cannot be written. `derived_from`: the id of the object whose decoding created this
    one. `label`: shown where an object has no name of its own.
    """

    kind: str
    id: str
    parent: str = ""
    fields: Mapping[str, JSON] = field(default_factory=dict)
    facts: Mapping[str, JSON] = field(default_factory=dict)
    extras: Mapping[str, JSON] = field(default_factory=dict)
    derived_from: str = ""
    label: str = ""

    @property
    def key(self) -> EntityKey:
        return (self.kind, self.parent, self.id)

    @property
    def name(self) -> str:
        """The name that is shown for it, or '' where it has none."""
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


# How the reason of a gap begins when the service answered that the object does not exist.
NOT_FOUND_REASON = "no object of this id here"

# How the reason begins when a listing was read to its end and its parent counts more rows.
COUNT_MISMATCH_REASON = "more are counted than listed"

# Kind -> states in which the service has an object and does not use it.
UNUSABLE_STATES_BY_KIND: dict[str, frozenset[str]] = {
    "file": frozenset({"error", "deleted", "deleting"}),
    "vector_store": frozenset({"expired"}),
    "vector_store_file": frozenset({"failed", "cancelled"}),
}


def usability(entity: Entity) -> str:
    """The state that makes an object unusable, or 'usable'. Temporary states count as usable."""
    status = str(entity.facts.get("status") or "")
    return status if status in UNUSABLE_STATES_BY_KIND.get(entity.kind, ()) else "usable"


def creation_time(body: Mapping[str, JSON], unknown: float) -> float:
    """Seconds since 1970; `unknown` where a body has no time (items of conversations never have one)."""
    value = body.get("created_at")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value:
        return float(value)
    return unknown


# The cursor of a page behind which nothing can be continued: its listing was read in reverse order.
RESTART_FROM_FIRST_PAGE = "read it again from the start"
