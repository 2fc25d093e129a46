"""Which JSON shapes a field may have before the rules look into it; any other is kept as unknown.

A service may answer with something that no documentation describes, and reading a snapshot must not stop
there: such a value becomes an `extra`, is compared as it is, and is reported as a loss when it cannot be
written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrate.model import JSON

Shape = Callable[[JSON], bool]


def is_text(value: JSON) -> bool:
    """Whether the value is a string."""
    return isinstance(value, str)


def list_shape(member: Shape) -> Shape:
    """A list whose members have a shape."""
    return lambda value: isinstance(value, list) and all(map(member, value))


def object_shape(**members: Shape) -> Shape:
    """An object; each named member is absent, null, or has its shape."""
    shapes = tuple(members.items())

    def has_shape(value: JSON) -> bool:
        if not isinstance(value, dict):
            return False
        for name, shape in shapes:  # a loop: this runs for each part of each message
            member = value.get(name)
            if member is not None and not shape(member):
                return False
        return True

    return has_shape


TEXT_SHAPE = object_shape(value=is_text, annotations=list_shape(object_shape()))
# One part of a message's content. A part of another shape is reported alone, not with the whole message.
PART_SHAPE = object_shape(
    type=is_text,
    text=lambda value: isinstance(value, str) or TEXT_SHAPE(value),
    image_file=object_shape(file_id=is_text),
    image_url=object_shape(),
)

# Field -> its shape. A field without a row may hold any value, because no rule looks into it.
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
    **dict.fromkeys(("name", "description", "instructions", "model"), is_text),
    **dict.fromkeys(("filename", "purpose", "role", "phase"), is_text),
    "metadata": object_shape(),
    "content": lambda value: isinstance(value, (str, list)),
    "attachments": list_shape(object_shape()),
    "attributes": object_shape(),
    "chunking_strategy": object_shape(type=is_text),
    "expires_after": object_shape(anchor=is_text),
}


def is_well_formed(name: str, value: JSON) -> bool:
    """Whether the rules for a field can handle this value."""
    shape = FIELD_SHAPES.get(name)
    return value is None or shape is None or shape(value)


def split_well_formed(fields: Mapping[str, JSON]) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """The fields that the rules can handle, and the others."""
    sound = {name: value for name, value in fields.items() if is_well_formed(name, value)}
    return sound, {name: value for name, value in fields.items() if name not in sound}
