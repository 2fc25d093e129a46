"""What a project's portal keeps in an agent's metadata beside the owner's keys (recorded): a logo, a
description, the settings of its voice. What was chosen there travels with the agent."""

from __future__ import annotations

from migrate.codecs.adapt.context import Ledger
from migrate.codecs.capabilities import METADATA_PAIRS
from migrate.model import Entity

CLOCK = "modified_at"
"""When the agent was saved there last: true of that place only."""
PORTAL = frozenset({"logo", "voiceLiveConfig", "description", CLOCK})
"""Metadata keys that the portal writes on agents: not compared, and never overwritten."""


def chosen(entity: Entity) -> dict[str, str]:
    """What somebody chose in the portal for an agent, of what it keeps there."""
    kept = entity.facts.get("portal") or {}
    return {k: v for k, v in kept.items() if k != CLOCK and isinstance(v, str) and v}


def that_fits(entity: Entity, pairs: int) -> dict[str, str]:
    """What of it fits beside `pairs` keys of metadata."""
    return dict(list(chosen(entity).items())[: max(0, METADATA_PAIRS - pairs)])


def tell_what_stays(entity: Entity, kept: dict[str, str], service: str, ledger: Ledger) -> None:
    """Tell what of it does not arrive. `kept`: what does."""
    left = [key for key in chosen(entity) if key not in kept]
    if left:
        why = "metadata has no room for" if kept or service == "foundry" else f"{service} has no portal for"
        ledger.lost("metadata", f"{why} what the portal keeps there: {', '.join(left)}", "the archive has it")
