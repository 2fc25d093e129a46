"""Which fields of an object a target has no place for: those are neither compared nor changed there.

That such a field is lost is told by `adapt`. Whatever a target shows in it all the same (written through
another API version, or through the other generation of one project) is not ours to take away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrate.codecs.capabilities import Profile
from migrate.model import JSON, Entity

Absent = Callable[[Profile, JSON], bool]
"""Whether a service has no place for a field; the value is the source's."""


def _a_schema(value: JSON) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "json_schema"


UNHELD: Mapping[tuple[str, str], Absent] = {
    ("vector_store", "description"): lambda profile, _: not profile.store_description,
    ("vector_store_file", "attributes"): lambda profile, _: profile.attributes == "none",
    ("vector_store_file", "chunking_strategy"): lambda profile, _: not profile.chunking,
    ("assistant", "reasoning_effort"): lambda profile, _: not profile.reasoning_effort,
    ("assistant", "definition"): lambda profile, _: not profile.definition,
    ("assistant", "response_format"): lambda profile, value: not profile.json_schema and _a_schema(value),
}
"""Kind and field -> when a service has no place for it."""


def unheld(entity: Entity, profile: Profile) -> frozenset[str]:
    """The fields of a source's object that the target has no place for."""
    return frozenset(
        name
        for (kind, name), absent in UNHELD.items()
        if kind == entity.kind and absent(profile, entity.fields.get(name))
    )
