"""References: find and replace the ids an object names, by declared path only.

A property of a function's schema may be called `file_id` and text may quote one; neither is a
reference, so nothing here ever looks at a key's name or at a value's shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from migrate.model.entity import Entity
from migrate.model.json_paths import replace_strings_at, strings_at
from migrate.model.kinds import Kind

# Kind and old id -> new id, or None where there is none.
IdLookup = Callable[[str, str], str | None]


def references_of(kind: Kind, entity: Entity) -> Iterator[tuple[str, str, str]]:
    """Every reference of an object: declared path, kind meant, id."""
    for ref in kind.refs:
        for found in strings_at(entity.fields, ref.path):
            if not is_template(found):
                yield ref.path, ref.kind, found


def remap_references(kind: Kind, entity: Entity, lookup: IdLookup) -> Entity:
    """The object with every reference replaced; an id without a counterpart stays as it is."""

    def new_or_old(of: str, old: str) -> str:
        return old if is_template(old) else lookup(of, old) or old

    fields = replace_strings_at(entity.fields, kind.references, new_or_old)
    return entity if fields is entity.fields else entity.with_fields(**fields)


def is_template(id_: str) -> bool:
    """Whether the new generation puts something in this place at run time (`{{name}}`, recorded)."""
    return id_.startswith("{{") and id_.endswith("}}")
