"""Which fields of an object a target has no place for: those are neither compared nor changed there.

That such a field is lost is told by `adapt`. Whatever a target shows in it all the same (written through
another API version, or through the other generation of one project) is not ours to take away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrate.codecs.capabilities import Capabilities
from migrate.model import JSON, Entity

UnsupportedTest = Callable[[Capabilities, JSON], bool]
"""Whether a service has no place for a field; the value is the source's."""


def _is_json_schema(value: JSON) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "json_schema"


UNSUPPORTED_FIELDS: Mapping[tuple[str, str], UnsupportedTest] = {
    ("vector_store", "description"): lambda capabilities, _: not capabilities.store_description,
    ("vector_store_file", "attributes"): lambda capabilities, _: capabilities.attributes == "none",
    ("vector_store_file", "chunking_strategy"): lambda capabilities, _: not capabilities.chunking,
    ("assistant", "reasoning_effort"): lambda capabilities, _: not capabilities.reasoning_effort,
    ("assistant", "definition"): lambda capabilities, _: not capabilities.definition,
    ("assistant", "response_format"): lambda capabilities, value: (
        not capabilities.json_schema and _is_json_schema(value)
    ),
}
"""Kind and field -> when a service has no place for it."""


def unsupported_fields_of(entity: Entity, capabilities: Capabilities) -> frozenset[str]:
    """The fields of a source's object that the target has no place for."""
    return frozenset(
        name
        for (kind, name), absent in UNSUPPORTED_FIELDS.items()
        if kind == entity.kind and absent(capabilities, entity.fields.get(name))
    )
