"""Functions that create an object and a target, and adapt the one to the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from migrate.codecs import CODECS, Target, capabilities_for
from migrate.model import Entity
from migrate.model.loss import Loss

AZURE = Target(capabilities_for("azure-openai", "2025-03-01-preview"), source_type="azure-openai")
OLD_AZURE = Target(capabilities_for("azure-openai", "2024-05-01-preview"), source_type="azure-openai")
OPENAI = Target(capabilities_for("openai"), source_type="azure-openai")
CLASSIC = Target(capabilities_for("foundry-classic"), source_type="azure-openai")
FOUNDRY = Target(capabilities_for("foundry"), source_type="foundry-classic")
# From one project of the new generation to another.
NATIVE = Target(capabilities_for("foundry"), source_type="foundry")


def without(*ids: str, target: Target = AZURE) -> Target:
    """The same target, where these ids will have no counterpart."""
    return replace(target, has=lambda _kind, id_: id_ not in ids)


def assistant(**fields: Any) -> Entity:
    return Entity("assistant", "asst_1", fields={"name": "A", "model": "gpt-4o", "tools": [], **fields})


def message(*content: Any, **fields: Any) -> Entity:
    return Entity(
        "message",
        "msg_1",
        "thread_1",
        {"role": "user", "content": list(content), "attachments": [], **fields},
    )


def text(value: str, *annotations: Any) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": list(annotations)}}


def words(entity: Entity) -> list[str]:
    """The texts of a message's parts."""
    return [part["text"]["value"] for part in entity.fields["content"]]


def reported(losses: Iterable[Loss]) -> list[tuple[str, str]]:
    """Field and grade of each loss."""
    return [(loss.field, loss.grade) for loss in losses]


def adapted(entity: Entity, target: Target = AZURE) -> tuple[Entity, list[Loss]]:
    """The object as adapted by the rules of the target, and the losses."""
    return CODECS[target.capabilities.service].adapt(entity, target)


def fit(entity: Entity, target: Target = AZURE) -> tuple[Entity, list[tuple[str, str]]]:
    """The adapted object, and field and grade of each loss."""
    fitted, losses = adapted(entity, target)
    return fitted, reported(losses)


def reasons(entity: Entity, target: Target = AZURE) -> str:
    return "; ".join(loss.reason for loss in adapted(entity, target)[1])
