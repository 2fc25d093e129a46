"""The text of each file of a config directory, and the key of each object: a name that is used once.

Files contain the compared form of objects, so two services that spell a value differently give the same file.
No secret, no default value and no id is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from migrate.codecs.config_directory import assistant_file
from migrate.codecs.config_directory.parse import KIND_LABELS, is_valid_key
from migrate.codecs.config_directory.validate import unchecked_fields
from migrate.codecs.config_directory.yaml_text import format_yaml
from migrate.model import JSON, KINDS, Entity
from migrate.model.normalize import normalize_entity, normalize_written_fields
from migrate.model.secrets import VERBATIM_KEYS

# Hex digits of a hash in the keys of files with the same name.
HASH_DIGITS = 8


def keys_of_named_objects(
    entities: Iterable[Entity], taken: Collection[str] = ()
) -> dict[str, tuple[str, str]]:
    """Id of an assistant or vector store -> its key, and the reason where the key is the id.

    `taken`: names that refer to objects which no longer exist, so that no key may be one of them.
    """
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
        return row.id, "its name cannot be a key; this is its id on the service it came from"
    return row.name, ""


def keys_of_config_objects(entities: Iterable[Entity]) -> dict[str, tuple[str, str]]:
    """The same for objects that were read from a config directory: their keys stay."""
    rows = list(entities)
    reasons = keys_of_named_objects(rows)
    kept = "other files refer to it by this key"
    return {row.id: (row.id, "" if row.id == row.name else reasons[row.id][1] or kept) for row in rows}


def keys_of_files(files: Iterable[Entity], taken: Collection[str] = ()) -> dict[str, str]:
    """Id of a file -> its key: the name; where several files have it, with a hash, size or number."""
    rows = sorted(files, key=lambda row: row.id)
    uses = Counter(_base_key(row) for row in rows)
    used = {name for name, count in uses.items() if count == 1} | set(taken)
    keys: dict[str, str] = {}
    for row in rows:
        base = _base_key(row)
        if uses[base] == 1 and base not in taken:
            keys[row.id] = base
            continue
        mark = str(row.fields.get("sha256") or "")[:HASH_DIGITS] or str(row.fields.get("bytes") or 0)
        key, number = f"{base}@{mark}", 2
        while key in used:
            key, number = f"{base}@{mark}-{number}", number + 1
        used.add(key)
        keys[row.id] = key
    return keys


def _base_key(row: Entity) -> str:
    """The name as a key. Characters without UTF-8 form are escaped; templates get a prefix."""
    name = row.name.encode("utf-8", "backslashreplace").decode() or row.id
    return name if is_valid_key(name) else f"file {name}"


SCHEMA_COMMENT = "# yaml-language-server: $schema={}\n"


def assistant_text(entity: Entity, why_id: str = "", absent: Iterable[str] = ()) -> str:
    """The file of an assistant.

    `why_id`: the reason why the file needs an id line. `absent`: names in it of objects that do not exist.
    """
    front = _compared_fields(entity)
    instructions = front.pop("instructions", None) or ""
    # The instructions are checked as well: they may be too long, or contain half of a character pair.
    whole = _with_marks("assistant", entity, {**front, "instructions": instructions or None}, why_id, absent)
    del whole["instructions"]
    if not isinstance(instructions, str):
        whole, instructions = {**whole, "instructions": instructions}, ""
    return assistant_file.format_assistant_file(whole, instructions, _comments(why_id))


def vector_store_text(entity: Entity, files: Iterable[Entity], why_id: str, absent: Iterable[str]) -> str:
    """The file of a vector store: its settings, and its files by their keys."""
    value = _compared_fields(entity)
    rows: dict[str, JSON] = {}
    for row in sorted(files, key=lambda row: str(row.fields.get("file_id"))):
        settings = _compared_fields(row)
        rows[str(settings.pop("file_id", row.id))] = settings
    whole = _with_marks("vector_store", entity, {**value, "files": rows}, why_id, absent)
    if rows:
        whole["files"] = whole.pop("files")
    return _yaml("../schema/vector-store.json", whole, _comments(why_id))


def files_yaml_text(rows: Mapping[str, Entity], paths: Mapping[str, str], kept: Mapping[str, JSON]) -> str:
    """files.yaml: every file under its key.

    `paths`: key -> the place of its bytes in the directory. `kept`: entries that stay unchanged.
    """
    whole: dict[str, JSON] = {}
    for key in sorted({*rows, *kept}):
        if key not in rows:
            whole[key] = kept[key]
            continue
        file = rows[key]
        entry: dict[str, JSON] = {"name": file.fields.get("filename")}
        entry["purpose"] = file.fields.get("purpose")
        entry |= {
            name: file.fields[name] for name in ("bytes", "sha256") if file.fields.get(name) is not None
        }
        entry |= {"path": paths[key]} if key in paths else {}
        extras = _extras(file)
        entry |= {"extras": extras} if extras else {}
        unchecked, _ = unchecked_fields("file", entry)
        unchecked += ["bytes"] if "bytes" not in entry and "path" not in entry else []
        whole[key] = {**entry, "unchecked": unchecked} if unchecked else entry
    return _yaml("schema/files.json", whole, {})


def _compared_fields(entity: Entity) -> dict[str, Any]:
    """The compared form in the order of the kind's fields, with unknown fields under `extras`."""
    normalized = normalize_written_fields(entity)
    fields = {name: _in_order(normalized[name]) for name in KINDS[entity.kind].fields if name in normalized}
    extras = _extras(entity)
    return {**fields, "extras": extras} if extras else fields


# These keys come first in each mapping.
LEADING_KEYS = ("type", "name", "description")


def _in_order(value: JSON) -> JSON:
    """Keys in a fixed order, because a service may change its own. Exact values keep theirs."""
    if isinstance(value, Mapping):
        names = [name for name in LEADING_KEYS if name in value]
        names += sorted(value.keys() - set(names))
        return {name: value[name] if name in VERBATIM_KEYS else _in_order(value[name]) for name in names}
    return [_in_order(member) for member in value] if isinstance(value, list) else value


def _extras(entity: Entity) -> dict[str, JSON]:
    return normalize_entity(Entity(entity.kind, entity.id, extras=dict(sorted(entity.extras.items()))))


def _with_marks(
    kind: str, entity: Entity, value: Mapping[str, JSON], why_id: str, absent: Iterable[str]
) -> dict[str, JSON]:
    """The object with its id, the names of missing objects, and the unchecked fields, where it has any."""
    whole: dict[str, JSON] = {"id": entity.id, **value} if why_id else dict(value)
    not_here = sorted(set(absent))
    whole |= {"not_here": not_here} if not_here else {}
    fields, types = unchecked_fields(kind, whole)
    whole |= {"unchecked_tools": types} if types else {}
    whole |= {"unchecked": fields} if fields else {}
    return whole


def _comments(why_id: str) -> dict[str, str]:
    return {"id": why_id} if why_id else {}


def _yaml(schema: str, value: Mapping[str, JSON], comments: Mapping[str, str]) -> str:
    return SCHEMA_COMMENT.format(schema) + (format_yaml(value, comments) if value else "{}\n")
