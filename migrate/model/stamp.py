"""The metadata keys that this program writes: the origin of an object, and fields with no other place.

A key is recognized by its value, never by its name alone: `migrated_from` only with the value `TYPE:ID` and a
known type of service, and the keys that carry fields only next to such a value. Any other value under these
names belongs to the owner: it is kept, compared and written. Where an owner uses one of the names, this
program writes its keys under a second set of names, so that no value of an owner is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migrate.model.entity import JSON, Entity

OLDER_SERVICE_TYPES, NEWER_SERVICE_TYPES = (
    ("azure-openai", "openai", "foundry-classic"),
    ("foundry", "config"),
)
# The types in a stamp (a test compares them with the codecs). Ids of the newer types are names, which may
# contain blanks (recorded).
SERVICE_TYPES = (*OLDER_SERVICE_TYPES, *NEWER_SERVICE_TYPES)

STAMP_VALUE = re.compile(
    rf"(?:{'|'.join(OLDER_SERVICE_TYPES)}):\S+|(?:{'|'.join(NEWER_SERVICE_TYPES)}):\S(?:.*\S)?", re.DOTALL
)
# The form of a list of ids in one value.
ID_LIST = re.compile(r"[^\s,]+(?:,[^\s,]+)*")


@dataclass(frozen=True)
class StampKeys:
    """One set of keys. `name` carries the own name of an assistant, where names are addresses. `files` and
    `stores` carry those of a thread, where threads have no resources. A list that does not fit into one value
    continues under KEY_2 and so on."""

    stamp: str
    name: str
    files: str
    stores: str

    def contains(self, key: str) -> bool:
        """Whether a key has a name of this set."""
        return key == self.stamp or self.carrier(key) != ""

    def carrier(self, key: str) -> str:
        """The carrying key that a key is or continues; '' for any other key."""
        carriers = (self.name, self.files, self.stores)
        start, _, number = key.rpartition("_")
        if start in carriers and number.isdecimal():
            return start
        return key if key in carriers else ""

    def is_stamp_entry(self, key: str, value: JSON) -> bool:
        """Whether the value of a key was written by this program, given that there is a stamp next to it."""
        if key == self.stamp:
            return is_stamp(value)
        carrier = self.carrier(key)
        if carrier == self.name:
            return key == carrier and isinstance(value, str)
        return bool(carrier) and isinstance(value, str) and ID_LIST.fullmatch(value) is not None


DEFAULT_STAMP_KEYS = StampKeys("migrated_from", "migrated_name", "migrated_files", "migrated_vector_stores")
# The names that are used where an owner uses one of the default names.
FALLBACK_STAMP_KEYS = StampKeys(
    "assistants_migrate_from",
    "assistants_migrate_name",
    "assistants_migrate_files",
    "assistants_migrate_vector_stores",
)

STAMP = DEFAULT_STAMP_KEYS.stamp

# The key in which Microsoft's migration script records from which assistant an agent was created. The
# `migrated_from` of that script refers to no object.
ORIGINAL_ASSISTANT_KEY = "original_v1_id"


def is_stamp(value: JSON) -> bool:
    """Whether a value has the form of a stamp."""
    return isinstance(value, str) and STAMP_VALUE.fullmatch(value) is not None


def stamp_keys_in(metadata: JSON) -> StampKeys | None:
    """The set of keys that this program wrote in this metadata; None where it wrote none. The fallback set is
    tested first: it is written only where an owner uses the default names."""
    if not isinstance(metadata, Mapping):
        return None
    return next(
        (keys for keys in (FALLBACK_STAMP_KEYS, DEFAULT_STAMP_KEYS) if is_stamp(metadata.get(keys.stamp))),
        None,
    )


def unused_stamp_keys(metadata: Mapping[str, JSON]) -> StampKeys | None:
    """The set of keys that the owner does not use; None where both are in use."""
    return next(
        (keys for keys in (DEFAULT_STAMP_KEYS, FALLBACK_STAMP_KEYS) if not any(map(keys.contains, metadata))),
        None,
    )


def remove_stamp_keys(metadata: Mapping[str, JSON]) -> dict[str, JSON]:
    """The metadata without the keys of this program."""
    keys = stamp_keys_in(metadata)
    return {k: v for k, v in metadata.items() if keys is None or not keys.is_stamp_entry(k, v)}


def read_stamp(metadata: JSON) -> str:
    """The stamp in this metadata, or ''."""
    keys = stamp_keys_in(metadata)
    return str(metadata[keys.stamp]) if keys else ""


def stamp(entity: Entity) -> str:
    """`TYPE:ID` of the object from which this one was created, or ''."""
    return read_stamp(entity.fields.get("metadata"))


def stamped_name(metadata: JSON) -> str | None:
    """The own name of an assistant that its metadata carries; None where it carries none."""
    keys = stamp_keys_in(metadata)
    carried = metadata.get(keys.name) if keys else None
    return carried if isinstance(carried, str) else None


def stamped_resources(metadata: JSON) -> dict[str, JSON]:
    """The `tool_resources` that metadata carries for a thread: lists of ids in KEY, KEY_2 and so on."""
    keys = stamp_keys_in(metadata)
    if not keys:
        return {}
    files, stores = (list(_stamped_ids(metadata, keys, carrier)) for carrier in (keys.files, keys.stores))
    return {
        **({"code_interpreter": {"file_ids": files}} if files else {}),
        **({"file_search": {"vector_store_ids": stores}} if stores else {}),
    }


def _stamped_ids(metadata: Mapping[str, JSON], keys: StampKeys, carrier: str) -> Iterator[str]:
    for key, value in sorted(metadata.items()):
        if keys.carrier(key) == carrier and keys.is_stamp_entry(key, value):
            yield from value.split(",")


def original_assistant_id(entity: Entity) -> str:
    """The id of the assistant from which another tool created an agent, or ''."""
    metadata = entity.fields.get("metadata")
    id_ = metadata.get(ORIGINAL_ASSISTANT_KEY) if isinstance(metadata, Mapping) else None
    return id_ if isinstance(id_, str) else ""
