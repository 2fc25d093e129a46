"""Check the request body against the declared forms of a service, and report what does not fit.

A key or word that no API description contains is sent where the source is the same service, because it was
read there, and the plan reports that. Anything else that does not fit is left out and reported, or blocks the
object.
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
IF_REFUSED = "if it is refused, take it out"
# How many misfits one line lists.
MAX_MISFITS_SHOWN = 3

BodyForms = Callable[[str, Capabilities], ValueForm]
RequestEncoder = Callable[[Entity], dict[str, JSON]]


def check_form(
    misfits: Iterable[Misfit], field: str, label: str, target: Target, losses: LossCollector
) -> bool:
    """Whether one part of a body can be sent. If not, it is reported, and the caller leaves it out."""
    misfits = list(misfits)
    native = target.source_type == target.capabilities.service
    wrong = [misfit for misfit in misfits if not (misfit.unknown and native)]
    if wrong:
        losses.add_lost(field, f"{label} cannot be written: {_misfits_text(wrong)}", "the archive has it")
    elif misfits:
        losses.add_adapted(field, f"{label}: {_misfits_text(misfits)}; it {UNKNOWN_TO_PROGRAM}", IF_REFUSED)
    return not wrong


def drop_misfit_values(
    fields: dict[str, Any], forms: Mapping[str, ValueForm], target: Target, losses: LossCollector
) -> None:
    """Set each field to None whose value does not have its form."""
    for name, form in forms.items():
        value = fields.get(name)
        if value is not None and not check_form(form(value, ""), name, name, target, losses):
            fields[name] = None


def check_request(
    entity: Entity, target: Target, losses: LossCollector, encoder: RequestEncoder, body_forms: BodyForms
) -> bool:
    """Whether the whole body fits after all rules were applied.

    A misfit blocks the object. A message is not blocked, because its thread would then have a hole: its
    content is reported as lost, and the caller writes a line of text in its place.
    """
    reported = {loss.field.removeprefix("definition.").split(".")[0] for loss in losses.rows}
    fits = True
    for misfit in body_forms(entity.kind, target.capabilities)(encoder(entity), ""):
        field = re.split(r"[.\[]", misfit.path.removeprefix("definition."))[0] or entity.kind
        if misfit.unknown and target.source_type == target.capabilities.service:
            if field not in reported:
                losses.add_adapted(field, f"{misfit}; it {UNKNOWN_TO_PROGRAM}", IF_REFUSED)
        else:
            fits = False
            if entity.kind == "message":
                losses.add_lost("content", f"it cannot be written: {misfit}", "the archive has it whole")
            else:
                losses.add_blocked(field, f"it cannot be written: {misfit}", "change it on the source")
        reported.add(field)
    return fits


def _misfits_text(misfits: list[Misfit]) -> str:
    more = f" and {len(misfits) - MAX_MISFITS_SHOWN} more" if len(misfits) > MAX_MISFITS_SHOWN else ""
    return "; ".join(map(str, misfits[:MAX_MISFITS_SHOWN])) + more
