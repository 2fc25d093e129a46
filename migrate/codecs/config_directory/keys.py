"""Objects of an estate in, the key of each out: a name that no other has, and why where it is no name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from migrate.codecs.config_directory.parse import KIND_LABELS, is_valid_key
from migrate.model import Entity

HASH_DIGITS = 8
"""Hex digits of a hash that tell files of one name apart."""


def keys_of_named_objects(
    entities: Iterable[Entity], taken: Collection[str] = ()
) -> dict[str, tuple[str, str]]:
    """Id of an assistant or a store -> its key, and why that is its id where it is. `taken`: what no name
    may be, since it names something that is gone."""
    rows = list(entities)
    names = Counter(row.name for row in rows)
    ids = {row.id for row in rows} | set(taken)
    return {row.id: _key_and_reason(row, names[row.name], ids) for row in rows}


def _key_and_reason(row: Entity, uses: int, ids: Collection[str]) -> tuple[str, str]:
    if not row.name:
        return row.id, f"the {KIND_LABELS[row.kind]} has no name; this is its id on the service it came from"
    if uses > 1:
        return (
            row.id,
            f"{uses:,} {KIND_LABELS[row.kind]}s have this name; this is the id of one on its service",
        )
    if row.name in ids and row.name != row.id:
        return row.id, "its name is the id of another; this is its own"
    if not is_valid_key(row.name):
        return row.id, "its name cannot stand for it; this is its id on the service it came from"
    return row.name, ""


def keys_of_config_objects(entities: Iterable[Entity]) -> dict[str, tuple[str, str]]:
    """The same for objects that were read from a config directory: the key stays."""
    rows = list(entities)
    why = keys_of_named_objects(rows)
    kept = "other files know it by this key"
    return {row.id: (row.id, "" if row.id == row.name else why[row.id][1] or kept) for row in rows}


def keys_of_files(files: Iterable[Entity], taken: Collection[str] = ()) -> dict[str, str]:
    """Id of a file -> its key: its name; where several share one, with their hash, size or number."""
    rows = sorted(files, key=lambda row: row.id)
    uses = Counter(_base_key(row) for row in rows)
    used = {name for name, count in uses.items() if count == 1} | set(taken)
    chosen: dict[str, str] = {}
    for row in rows:
        base = _base_key(row)
        if uses[base] == 1 and base not in taken:
            chosen[row.id] = base
            continue
        mark = str(row.fields.get("sha256") or "")[:HASH_DIGITS] or str(row.fields.get("bytes") or 0)
        key, number = f"{base}@{mark}", 2
        while key in used:
            key, number = f"{base}@{mark}-{number}", number + 1
        used.add(key)
        chosen[row.id] = key
    return chosen


def _base_key(row: Entity) -> str:
    """The name as a key; what has no UTF-8 form, or stands for something at run time, is spelled out."""
    name = row.name.encode("utf-8", "backslashreplace").decode() or row.id
    return name if is_valid_key(name) else f"file {name}"
