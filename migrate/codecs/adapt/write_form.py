"""Holds what is to be written against the declared forms of a service, and tells what does not fit.

A key or a word that no description has is tried where the source is the same service, since it was read
there; the plan announces it. Anything else that does not fit is left out and told, or blocks the object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from migrate.codecs.adapt.context import Ledger, Target
from migrate.codecs.capabilities import Profile
from migrate.codecs.write_forms.rules import Form, Misfit
from migrate.model import JSON, Entity

TRIED = "is not known to this program: tried at apply"
SHOWN = 3
"""Misfits that one line names."""

Bodies = Callable[[str, Profile], Form]
Writer = Callable[[Entity], dict[str, JSON]]


def may_be_written(misfits: Iterable[Misfit], field: str, what: str, target: Target, ledger: Ledger) -> bool:
    """Whether a part can be sent as it is; if not it is told as lost, and left out by the caller."""
    found = list(misfits)
    native = target.source_type == target.profile.service
    wrong = [one for one in found if not one.unknown or not native]
    if wrong:
        ledger.lost(field, f"{what} cannot be written: {_named(wrong)}", "the archive has it")
    elif found:
        ledger.adapted(field, f"{what}: {_named(found)}; it {TRIED}", "if it is refused, take it out")
    return not wrong


def fit_values(fields: dict[str, Any], forms: Mapping[str, Form], target: Target, ledger: Ledger) -> None:
    """Leave out each field that does not have its form."""
    for name, form in forms.items():
        value = fields.get(name)
        if value is not None and not may_be_written(form(value, ""), name, name, target, ledger):
            fields[name] = None


def hold_against(entity: Entity, target: Target, ledger: Ledger, wire: Writer, bodies: Bodies) -> bool:
    """Whether the whole body fits, after every rule. What is wrong with it blocks the object; a message can
    be no hole in its thread, so the caller writes a line for it."""
    told = {loss.field.removeprefix("definition.").split(".")[0] for loss in ledger.losses}
    fits = True
    for misfit in bodies(entity.kind, target.profile)(wire(entity), ""):
        field = re.split(r"[.\[]", misfit.path.removeprefix("definition."))[0] or entity.kind
        if misfit.unknown and target.source_type == target.profile.service:
            if field not in told:
                ledger.adapted(field, f"{misfit}; it {TRIED}", "if it is refused, take it out")
        elif entity.kind == "message":
            ledger.lost("content", f"it cannot be written: {misfit}", "the archive has it whole")
            fits = False
        else:
            ledger.blocked(field, f"it cannot be written: {misfit}", "change it on the source")
            fits = False
        told.add(field)
    return fits


def _named(misfits: list[Misfit]) -> str:
    more = f" and {len(misfits) - SHOWN} more" if len(misfits) > SHOWN else ""
    return "; ".join(map(str, misfits[:SHOWN])) + more
