"""Our own keys in an object's metadata: what it was made from, and fields that have no other place.

A key is ours by its value, never by its name: `migrated_from` only where it says `TYPE:ID` with a type of
service that there is, and the keys that carry fields only beside such a value. Whatever else stands under
these names is its owner's: kept, compared and written. Where an owner uses one of the names, ours are written
under the second set of names, so that nobody's value makes room for ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migrate.model.entity import JSON, Entity

OLDER, NEWER = ("azure-openai", "openai", "foundry-classic"), ("foundry", "config")
SERVICE_TYPES = (*OLDER, *NEWER)
"""What the type in a stamp can be (a test compares it with the codecs). Ids of the newer ones are names, in
which blanks occur (recorded)."""

VALUE = re.compile(rf"(?:{'|'.join(OLDER)}):\S+|(?:{'|'.join(NEWER)}):\S(?:.*\S)?", re.DOTALL)
IDS = re.compile(r"[^\s,]+(?:,[^\s,]+)*")
"""What a value of ours looks like: a stamp, and ids carried in one."""


@dataclass(frozen=True)
class Names:
    """One set of our keys. A carrier that does not fit into one value goes on as KEY_2 and so on."""

    stamp: str
    name: str
    """An assistant's own name, where names are addresses."""
    files: str
    stores: str
    """A thread's files and stores, where threads have no resources."""

    def holds(self, key: str) -> bool:
        """Whether a key has a name of this set."""
        return key == self.stamp or self.carrier(key) != ""

    def carrier(self, key: str) -> str:
        """The carrier that a key is, or goes on from; '' for any other key."""
        carriers = (self.name, self.files, self.stores)
        start, _, number = key.rpartition("_")
        if start in carriers and number.isdecimal():
            return start
        return key if key in carriers else ""

    def is_ours(self, key: str, value: JSON) -> bool:
        """Whether a key of this set has a value of ours; the stamp stands beside it."""
        if key == self.stamp:
            return is_stamp(value)
        carrier = self.carrier(key)
        if carrier == self.name:
            return key == carrier and isinstance(value, str)
        return bool(carrier) and isinstance(value, str) and IDS.fullmatch(value) is not None


FIRST = Names("migrated_from", "migrated_name", "migrated_files", "migrated_vector_stores")
SECOND = Names(
    "assistants_migrate_from",
    "assistants_migrate_name",
    "assistants_migrate_files",
    "assistants_migrate_vector_stores",
)
"""The names where an owner uses one of the first."""

STAMP = FIRST.stamp

MADE_FROM = "original_v1_id"
"""The key in which another tool of this work (a script of the service's maker) says from which assistant an
agent was made. Its own `migrated_from` names no object."""


def is_stamp(value: JSON) -> bool:
    """Whether a value has the form of our stamp."""
    return isinstance(value, str) and VALUE.fullmatch(value) is not None


def names_in(metadata: JSON) -> Names | None:
    """The set under which our keys stand in this metadata; None where nothing of it is ours. The second
    set is written only where the first is an owner's, so it decides."""
    if not isinstance(metadata, Mapping):
        return None
    return next((names for names in (SECOND, FIRST) if is_stamp(metadata.get(names.stamp))), None)


def names_free(metadata: Mapping[str, JSON]) -> Names | None:
    """The set under which our keys can be written beside an owner's; None where both are in use."""
    return next((names for names in (FIRST, SECOND) if not any(map(names.holds, metadata))), None)


def without_ours(metadata: Mapping[str, JSON]) -> dict[str, JSON]:
    """What of the metadata is its owner's."""
    names = names_in(metadata)
    return {k: v for k, v in metadata.items() if names is None or not names.is_ours(k, v)}


def stamp_in(metadata: JSON) -> str:
    """`TYPE:ID` of what an object was made from, or ''."""
    names = names_in(metadata)
    return str(metadata[names.stamp]) if names else ""


def name_in(metadata: JSON) -> str | None:
    """The name of its own that metadata carries for an assistant; None where it carries none."""
    names = names_in(metadata)
    carried = metadata.get(names.name) if names else None
    return carried if isinstance(carried, str) else None


def files_in(metadata: JSON) -> list[str]:
    """The ids of files that metadata carries for a thread, spread over KEY, KEY_2 and so on."""
    names = names_in(metadata)
    return list(_ids(metadata, names, names.files)) if names else []


def stores_in(metadata: JSON) -> list[str]:
    """The same of vector stores."""
    names = names_in(metadata)
    return list(_ids(metadata, names, names.stores)) if names else []


def _ids(metadata: Mapping[str, JSON], names: Names, carrier: str) -> Iterator[str]:
    for key, value in sorted(metadata.items()):
        if names.carrier(key) == carrier and names.is_ours(key, value):
            yield from value.split(",")


def made_from(entity: Entity) -> str:
    """The id of the assistant that another tool says an agent was made from, or ''."""
    metadata = entity.fields.get("metadata")
    said = metadata.get(MADE_FROM) if isinstance(metadata, Mapping) else None
    return said if isinstance(said, str) else ""
