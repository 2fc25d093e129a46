"""What every target asks of an assistant: texts within limits, a kind it can be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from migrate.codecs.adapt.context import Ledger, Target
from migrate.model import Entity


def only_prompt(entity: Entity, ledger: Ledger) -> bool:
    """Whether it is an agent that is made of a model and instructions; workflows and hosted ones are not."""
    kind = (entity.fields.get("definition") or {}).get("kind")
    if kind:
        reason = f"it is a {kind} agent, and only prompt agents can be recreated"
        ledger.blocked("definition", reason, "recreate it by hand; the archive has its definition")
    return not kind


def fit_texts(fields: dict[str, Any], names: Iterable[str], target: Target, ledger: Ledger) -> None:
    """Cut texts to the target's limits, each told."""
    for name in names:
        most = getattr(target.profile, f"{name}_max")
        text = fields.get(name)
        if isinstance(text, str) and len(text) > most:
            reason = f"{len(text):,} characters, the target takes {most:,}: cut"
            ledger.lost(name, reason, "the archive has all of it")
            fields[name] = text[:most]
