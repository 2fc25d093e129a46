"""Which shapes a field may have before rules look into it; anything else is kept as unknown, whole.

A service that answers with something nobody has described must not stop a snapshot's reading: such a
value becomes an `extra`, is compared as it is, and is told as a loss when it cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable

from migrate.model import JSON

Shape = Callable[[JSON], bool]


def is_text(value: JSON) -> bool:
    """A string."""
    return isinstance(value, str)


def list_shape(member: Shape) -> Shape:
    """A list whose members have a shape."""
    return lambda value: isinstance(value, list) and all(map(member, value))


def object_shape(**members: Shape) -> Shape:
    """An object; the members named, where they are there, have their shapes."""

    shapes = tuple(members.items())

    def fits(value: JSON) -> bool:
        if not isinstance(value, dict):
            return False
        for name, shape in shapes:
            member = value.get(name)
            if member is not None and not shape(member):
                return False
        return True

    return fits


TEXT_SHAPE = object_shape(value=is_text, annotations=list_shape(object_shape()))
# One part of a message's content. An odd part is told alone, not the whole message with it.
PART_SHAPE = object_shape(
    type=is_text,
    text=lambda value: isinstance(value, str) or TEXT_SHAPE(value),
    image_file=object_shape(file_id=is_text),
    image_url=object_shape(),
)

# Field -> its shape. A field without a row may hold anything: no rule looks into it.
FIELD_SHAPES: dict[str, Shape] = {
    "tools": list_shape(
        object_shape(
            type=is_text,
            function=object_shape(),
            file_search=object_shape(ranking_options=object_shape(ranker=is_text)),
        )
    ),
    "tool_resources": object_shape(
        code_interpreter=object_shape(file_ids=list_shape(is_text)),
        file_search=object_shape(vector_store_ids=list_shape(is_text)),
    ),
    "name": is_text,
    "description": is_text,
    "instructions": is_text,
    "model": is_text,
    "filename": is_text,
    "purpose": is_text,
    "role": is_text,
    "phase": is_text,
    "metadata": object_shape(),
    "content": lambda value: isinstance(value, (str, list)),
    "attachments": list_shape(object_shape()),
    "attributes": object_shape(),
    "chunking_strategy": object_shape(type=is_text),
    "expires_after": object_shape(anchor=is_text),
}


def is_well_formed(name: str, value: JSON) -> bool:
    """Whether the rules for a field can be let loose on a value."""
    shape = FIELD_SHAPES.get(name)
    return value is None or shape is None or shape(value)
