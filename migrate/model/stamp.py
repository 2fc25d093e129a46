"""The metadata keys that this program writes: the origin of an object, and fields with no other place.

A key counts as written by this program by its value, never by its name: `migrated_from` only where it says
`TYPE:ID` with a type of service that there is, and the keys that carry fields only beside such a value.
Whatever else stands under these names is its owner's: kept, compared and written. Where an owner uses one of
the names, ours are written under the second set of names, so that nobody's value makes room for ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migrate.model.entity import JSON, Entity

OLDER_SERVICE_TYPES, NEWER_SERVICE_TYPES = (
    ("azure-openai", "openai", "foundry-classic"),
    ("foundry", "config"),
)
# What the type in a stamp can be (a test compares it with the codecs). Ids of the newer ones are names, in
# which blanks occur (recorded).
SERVICE_TYPES = (*OLDER_SERVICE_TYPES, *NEWER_SERVICE_TYPES)

STAMP_VALUE = re.compile(
    rf"(?:{'|'.join(OLDER_SERVICE_TYPES)}):\S+|(?:{'|'.join(NEWER_SERVICE_TYPES)}):\S(?:.*\S)?", re.DOTALL
)
# The form of a stamp, and of a list of ids in one value.
ID_LIST = re.compile(r"[^\s,]+(?:,[^\s,]+)*")


@dataclass(frozen=True)
class StampKeys:
    """One set of our keys. A carrier that does not fit into one value goes on as KEY_2 and so on."""

    stamp: str
    name: str
    """An assistant's own name, where names are addresses."""
    files: str
    stores: str
    """A thread's files and stores, where threads have no resources."""

    def contains(self, key: str) -> bool:
        """Whether a key has a name of this set."""
        return key == self.stamp or self.carrier(key) != ""

    def carrier(self, key: str) -> str:
        """The carrier that a key is, or goes on from; '' for any other key."""
        carriers = (self.name, self.files, self.stores)
        start, _, number = key.rpartition("_")
        if start in carriers and number.isdecimal():
            return start
        return key if key in carriers else ""

    def is_stamp_entry(self, key: str, value: JSON) -> bool:
        """Whether a key of this set has a value of ours; the stamp stands beside it."""
        if key == self.stamp:
            return is_stamp(value)
        carrier = self.carrier(key)
        if carrier == self.name:
            return key == carrier and isinstance(value, str)
        return bool(carrier) and isinstance(value, str) and ID_LIST.fullmatch(value) is not None


DEFAULT_STAMP_KEYS = StampKeys("migrated_from", "migrated_name", "migrated_files", "migrated_vector_stores")
# The names where an owner uses one of the first.
FALLBACK_STAMP_KEYS = StampKeys(
    "assistants_migrate_from",
    "assistants_migrate_name",
    "assistants_migrate_files",
    "assistants_migrate_vector_stores",
)

STAMP = DEFAULT_STAMP_KEYS.stamp

# The key in which another tool of this work (a script of the service's maker) says from which assistant an
# agent was made. Its own `migrated_from` names no object.
ORIGINAL_ASSISTANT_KEY = "original_v1_id"


def is_stamp(value: JSON) -> bool:
    """Whether a value has the form of our stamp."""
    return isinstance(value, str) and STAMP_VALUE.fullmatch(value) is not None


def stamp_keys_in(metadata: JSON) -> StampKeys | None:
    """The set under which our keys stand in this metadata; None where nothing of it is ours. The second
    set is written only where the first is an owner's, so it decides."""
    if not isinstance(metadata, Mapping):
        return None
    return next(
        (keys for keys in (FALLBACK_STAMP_KEYS, DEFAULT_STAMP_KEYS) if is_stamp(metadata.get(keys.stamp))),
        None,
    )


def unused_stamp_keys(metadata: Mapping[str, JSON]) -> StampKeys | None:
    """The set under which our keys can be written beside an owner's; None where both are in use."""
    return next(
        (keys for keys in (DEFAULT_STAMP_KEYS, FALLBACK_STAMP_KEYS) if not any(map(keys.contains, metadata))),
        None,
    )


def remove_stamp_keys(metadata: Mapping[str, JSON]) -> dict[str, JSON]:
    """What of the metadata is its owner's."""
    keys = stamp_keys_in(metadata)
    return {k: v for k, v in metadata.items() if keys is None or not keys.is_stamp_entry(k, v)}


def read_stamp(metadata: JSON) -> str:
    """`TYPE:ID` of what an object was made from, or ''."""
    keys = stamp_keys_in(metadata)
    return str(metadata[keys.stamp]) if keys else ""


def stamped_name(metadata: JSON) -> str | None:
    """The name of its own that metadata carries for an assistant; None where it carries none."""
    keys = stamp_keys_in(metadata)
    carried = metadata.get(keys.name) if keys else None
    return carried if isinstance(carried, str) else None


def stamped_file_ids(metadata: JSON) -> list[str]:
    """The ids of files that metadata carries for a thread, spread over KEY, KEY_2 and so on."""
    keys = stamp_keys_in(metadata)
    return list(_stamped_ids(metadata, keys, keys.files)) if keys else []


def stamped_vector_store_ids(metadata: JSON) -> list[str]:
    """The same of vector stores."""
    keys = stamp_keys_in(metadata)
    return list(_stamped_ids(metadata, keys, keys.stores)) if keys else []


def _stamped_ids(metadata: Mapping[str, JSON], keys: StampKeys, carrier: str) -> Iterator[str]:
    for key, value in sorted(metadata.items()):
        if keys.carrier(key) == carrier and keys.is_stamp_entry(key, value):
            yield from value.split(",")


def original_assistant_id(entity: Entity) -> str:
    """The id of the assistant that another tool says an agent was made from, or ''."""
    metadata = entity.fields.get("metadata")
    said = metadata.get(ORIGINAL_ASSISTANT_KEY) if isinstance(metadata, Mapping) else None
    return said if isinstance(said, str) else ""
