"""Makes an object fit its target, in canonical form, and tells every difference as a loss. Pure.

Adapting happens before writing and apart from it: what `adapt` returns is exactly what must read back,
so planning, writing and verifying share one truth. A rule that changed a field without telling is
caught here and told for it.
"""

from __future__ import annotations

from collections.abc import Callable

from migrate.codecs.adapt.assistant import adapt_assistant
from migrate.codecs.adapt.ledger import Ledger, Target
from migrate.codecs.adapt.message import adapt_message, adapt_thread
from migrate.codecs.adapt.stored import adapt_file, adapt_store, adapt_store_file
from migrate.model import Entity
from migrate.model.loss import Loss
from migrate.model.normal import normal

RULES: dict[str, Callable[[Entity, Target, Ledger], Entity]] = {
    "file": adapt_file,
    "vector_store": adapt_store,
    "vector_store_file": adapt_store_file,
    "assistant": adapt_assistant,
    "thread": adapt_thread,
    "message": adapt_message,
}


def adapt(entity: Entity, target: Target) -> tuple[Entity, list[Loss]]:
    """The object as the target will hold it (references still by source id), and what changed."""
    ledger = Ledger(entity)
    fitted = RULES[entity.kind](entity, target, ledger)
    unknown = normal(Entity(entity.kind, entity.id, extras=entity.extras))
    for name in entity.extras:
        if name in unknown:
            ledger.lost(name, "not known to this program, so it cannot be written", "kept in the archive")
    fitted = Entity(fitted.kind, fitted.id, fitted.parent, fitted.fields, fitted.facts)
    told = {loss.field.split(".")[0] for loss in ledger.losses} | {"bytes", "sha256"}
    before, after = normal(entity), normal(fitted)
    for name in sorted(set(before) | set(after)):
        if before.get(name) != after.get(name) and name not in told and name in entity.fields:
            ledger.lost(name, "changed on the way to the target by no rule that says why")
    return fitted, ledger.losses


__all__ = ["RULES", "Target", "adapt"]
