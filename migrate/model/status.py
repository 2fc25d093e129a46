"""Whether an object that is there can be used: states that make it as good as absent."""

from __future__ import annotations

from migrate.model.entity import Entity

NOT_THERE = "no object of this id here"
"""How the reason of a gap begins when the service said so, and was not merely silent."""

COUNTED = "more are counted than listed"
"""How the reason begins when a listing was read to its end, and what it lies in counts more."""

USELESS: dict[str, frozenset[str]] = {
    "file": frozenset({"error", "deleted", "deleting"}),
    "vector_store": frozenset({"expired"}),
    "vector_store_file": frozenset({"failed", "cancelled"}),
}
"""Kind -> states in which the service holds an object and yet will not use it."""


def condition(entity: Entity) -> str:
    """The state that makes an object useless, or 'usable'. Passing states are not told apart."""
    status = str(entity.facts.get("status") or "")
    return status if status in USELESS.get(entity.kind, ()) else "usable"
