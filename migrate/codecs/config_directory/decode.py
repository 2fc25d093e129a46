"""A body read from a config directory in, a canonical object out; writing to one is refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from migrate.codecs.field_types import well_formed
from migrate.errors import BadUsage
from migrate.model import JSON, KINDS, Entity
from migrate.model.file import ABSENT

EXTRAS = "extras"
"""The key of a body under which stands what no rule knows."""


def decode(
    kind: str, body: Mapping[str, JSON], parent: str = "", around: object | None = None
) -> list[Entity]:
    """The object in canonical form. A file has no bytes unless the archive has them."""
    given = {name: body[name] for name in KINDS[kind].fields if name in body}
    sound = {name: value for name, value in given.items() if well_formed(name, value)}
    extras = {name: value for name, value in given.items() if name not in sound}
    facts = {"bytes_from": ABSENT} if kind == "file" else {}
    return [Entity(kind, str(body["id"]), parent, sound, facts, {**extras, **(body.get(EXTRAS) or {})})]


def refused(*_: object, **__: object) -> NoReturn:
    """A config directory is written by `export` alone."""
    raise BadUsage(
        "a config directory is no target of a move",
        "it is a source of plans and a side of comparisons",
        "write one with: export ESTATE DIR",
    )
