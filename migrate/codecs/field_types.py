"""Which shapes a field may have before rules look into it; anything else is kept as unknown, whole.

A service that answers with something nobody has described must not stop a snapshot's reading: such a
value becomes an `extra`, is compared as it is, and is told as a loss when it cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable

from migrate.model import JSON

Shape = Callable[[JSON], bool]


def text(value: JSON) -> bool:
    """A string."""
    return isinstance(value, str)


def list_of(member: Shape) -> Shape:
    """A list whose members have a shape."""
    return lambda value: isinstance(value, list) and all(map(member, value))


def record(**members: Shape) -> Shape:
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


TEXT = record(value=text, annotations=list_of(record()))
PART = record(
    type=text,
    text=lambda value: isinstance(value, str) or TEXT(value),
    image_file=record(file_id=text),
    image_url=record(),
)
"""One part of a message's content. An odd part is told alone, not the whole message with it."""

SHAPES: dict[str, Shape] = {
    "tools": list_of(
        record(type=text, function=record(), file_search=record(ranking_options=record(ranker=text)))
    ),
    "tool_resources": record(
        code_interpreter=record(file_ids=list_of(text)), file_search=record(vector_store_ids=list_of(text))
    ),
    "name": text,
    "description": text,
    "instructions": text,
    "model": text,
    "filename": text,
    "purpose": text,
    "role": text,
    "phase": text,
    "metadata": record(),
    "content": lambda value: isinstance(value, (str, list)),
    "attachments": list_of(record()),
    "attributes": record(),
    "chunking_strategy": record(type=text),
    "expires_after": record(anchor=text),
}
"""Field -> its shape. A field without a row may hold anything: no rule looks into it."""


def well_formed(name: str, value: JSON) -> bool:
    """Whether the rules for a field can be let loose on a value."""
    shape = SHAPES.get(name)
    return value is None or shape is None or shape(value)
