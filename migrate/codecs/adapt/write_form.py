"""Holds what is to be written against the declared forms of a service, and tells what does not fit.

A key or a word that no description has is tried where the source is the same service, since it was read
there; the plan announces it. Anything else that does not fit is left out and told, or blocks the object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.capabilities import Capabilities
from migrate.codecs.write_forms.rules import Misfit, ValueForm
from migrate.model import JSON, Entity

UNKNOWN_TO_PROGRAM = "is not known to this program: tried at apply"
# Misfits that one line names.
MAX_MISFITS_SHOWN = 3

BodyForms = Callable[[str, Capabilities], ValueForm]
RequestEncoder = Callable[[Entity], dict[str, JSON]]


def check_form(
    misfits: Iterable[Misfit], field: str, what: str, target: Target, losses: LossCollector
) -> bool:
    """Whether a part can be sent as it is; if not it is told as lost, and left out by the caller."""
    found = list(misfits)
    native = target.source_type == target.capabilities.service
    wrong = [one for one in found if not one.unknown or not native]
    if wrong:
        losses.add_lost(field, f"{what} cannot be written: {_misfits_text(wrong)}", "the archive has it")
    elif found:
        losses.add_adapted(
            field, f"{what}: {_misfits_text(found)}; it {UNKNOWN_TO_PROGRAM}", "if it is refused, take it out"
        )
    return not wrong


def drop_misfit_values(
    fields: dict[str, Any], forms: Mapping[str, ValueForm], target: Target, losses: LossCollector
) -> None:
    """Leave out each field that does not have its form."""
    for name, form in forms.items():
        value = fields.get(name)
        if value is not None and not check_form(form(value, ""), name, name, target, losses):
            fields[name] = None


def check_request(
    entity: Entity, target: Target, losses: LossCollector, encoder: RequestEncoder, body_forms: BodyForms
) -> bool:
    """Whether the whole body fits, after every rule. What is wrong with it blocks the object; a message can
    be no hole in its thread, so the caller writes a line for it."""
    told = {loss.field.removeprefix("definition.").split(".")[0] for loss in losses.rows}
    fits = True
    for misfit in body_forms(entity.kind, target.capabilities)(encoder(entity), ""):
        field = re.split(r"[.\[]", misfit.path.removeprefix("definition."))[0] or entity.kind
        if misfit.unknown and target.source_type == target.capabilities.service:
            if field not in told:
                losses.add_adapted(
                    field, f"{misfit}; it {UNKNOWN_TO_PROGRAM}", "if it is refused, take it out"
                )
        elif entity.kind == "message":
            losses.add_lost("content", f"it cannot be written: {misfit}", "the archive has it whole")
            fits = False
        else:
            losses.add_blocked(field, f"it cannot be written: {misfit}", "change it on the source")
            fits = False
        told.add(field)
    return fits


def _misfits_text(misfits: list[Misfit]) -> str:
    more = f" and {len(misfits) - MAX_MISFITS_SHOWN} more" if len(misfits) > MAX_MISFITS_SHOWN else ""
    return "; ".join(map(str, misfits[:MAX_MISFITS_SHOWN])) + more
