"""An object of a config directory and its counterpart in; whether nothing is to be done out.

What a service holds already in just these words needs no rule about what could be written to it: a workflow,
a secret known by its fingerprint, a reference that leads nowhere are left as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrate.codecs.adapt.models import model_there
from migrate.model import KINDS, Entity
from migrate.model.connections import moved_apart, renamed, short
from migrate.model.normalize import written_form
from migrate.model.object_diff import differing
from migrate.model.references import remap

Lookup = Callable[[str, str], "str | None"]


def is_as_read(
    entity: Entity, there: Entity, models: Mapping[str, str], links: Mapping[str, str], lookup: Lookup
) -> bool:
    """Whether the target holds an object exactly as the files say it. `lookup`: key -> id there."""
    wanted = entity
    if entity.kind == "assistant":
        fields = dict(renamed(entity.fields, lambda old: links.get(old) or links.get(short(old)) or old))
        if isinstance(fields.get("model"), str):
            fields["model"] = model_there(fields["model"], models, links)
        wanted = entity.with_fields(**fields)
        if moved_apart(wanted.fields, there.fields):
            return False
    return not differing(written_form(remap(KINDS[entity.kind], wanted, lookup)), written_form(there))
