"""References: find and replace the ids that an object refers to, at declared paths only.

A property of a function's schema may be called `file_id`, and a text may quote an id. Neither is a
reference, so nothing here searches for key names or for values that look like ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from migrate.model import KINDS
from migrate.model.entity import JSON, Entity, ObjectKey
from migrate.model.json_paths import replace_strings_at, strings_at, value_at

# Kind and old id -> new id, or None where there is none.
IdLookup = Callable[[str, str], str | None]

# Branch of `tool_resources` -> the key of the list of ids in it, and the kind of those ids.
TOOL_RESOURCE_LISTS: Mapping[str, tuple[str, str]] = {
    "code_interpreter": ("file_ids", "file"),
    "file_search": ("vector_store_ids", "vector_store"),
}


def tool_resource_ids(resources: JSON, branch: str) -> list[str]:
    """The ids in one branch of `tool_resources`: files of `code_interpreter` or stores of `file_search`.

    `resources` is the field's value; None and missing branches mean no ids.
    """
    ids = value_at(resources, branch, TOOL_RESOURCE_LISTS[branch][0])
    # A text stays the object that it is: an export puts expressions of Terraform, which are texts, there.
    return [id_ if isinstance(id_, str) else str(id_) for id_ in ids or ()]


def with_tool_resource_ids(resources: JSON, branch: str, ids: list[str]) -> dict[str, Any]:
    """`tool_resources` with the ids of one branch replaced; its other settings stay."""
    value = (resources or {}).get(branch) or {}
    return {**(resources or {}), branch: {**value, TOOL_RESOURCE_LISTS[branch][0]: ids}}


def references_of(entity: Entity) -> Iterator[tuple[str, str, str]]:
    """Every reference of an object: declared path, kind and id of the other object."""
    for ref in KINDS[entity.kind].refs:
        for id_ in strings_at(entity.fields, ref.path):
            if not is_template(id_):
                yield ref.path, ref.kind, id_


def named_keys(entity: Entity) -> set[ObjectKey]:
    """Kind and id of everything that an object refers to."""
    return {(kind, id_) for _, kind, id_ in references_of(entity)}


def remap_references(entity: Entity, lookup: IdLookup) -> Entity:
    """The object with every reference replaced; an id without a counterpart stays as it is."""

    def new_or_old(kind_name: str, old: str) -> str:
        return old if is_template(old) else lookup(kind_name, old) or old

    fields = replace_strings_at(entity.fields, KINDS[entity.kind].references, new_or_old)
    return entity if fields is entity.fields else entity.with_fields(**fields)


def is_template(id_: str) -> bool:
    """Whether an id is a template (`{{name}}`) that the new generation fills at run time (recorded)."""
    return id_.startswith("{{") and id_.endswith("}}")
