"""Objects under their keys in, the text of each file out. No secret, no default, no id is written.

What is written is the compared form, so what two services spell differently makes no difference in git.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrate.codecs.config_directory import assistant_file
from migrate.codecs.config_directory.validate import unchecked_fields
from migrate.codecs.config_directory.yaml_writer import format_yaml
from migrate.model import JSON, KINDS, Entity
from migrate.model.normalize import normalize_entity
from migrate.model.secrets import VERBATIM_KEYS

SCHEMA_COMMENT = "# yaml-language-server: $schema={}\n"


def assistant_text(entity: Entity, why_id: str = "", absent: Iterable[str] = ()) -> str:
    """An assistant's file. `why_id`: why it needs an id line; `absent`: what it names and nobody has."""
    front = _compared_fields(entity)
    instructions = front.pop("instructions", None) or ""
    # The instructions are checked too, though they stand below: too long, or with half a character pair.
    whole = _with_marks("assistant", entity, {**front, "instructions": instructions or None}, why_id, absent)
    del whole["instructions"]
    odd = not isinstance(instructions, str)
    if odd:
        whole = {**whole, "instructions": instructions}
    return assistant_file.format_assistant_file(whole, "" if odd else instructions, _comments(why_id))


def vector_store_text(
    entity: Entity, files: Iterable[Entity], why_id: str = "", absent: Iterable[str] = ()
) -> str:
    """A vector store's file: its settings, and the files in it by their keys."""
    value = _compared_fields(entity)
    rows: dict[str, JSON] = {}
    for row in sorted(files, key=lambda row: str(row.fields.get("file_id"))):
        said = _compared_fields(row)
        rows[str(said.pop("file_id", row.id))] = said
    whole = _with_marks("vector_store", entity, {**value, "files": rows}, why_id, absent)
    if rows:
        whole["files"] = whole.pop("files")
    return _yaml("../schema/vector-store.json", whole, _comments(why_id))


def files_yaml_text(rows: Mapping[str, Entity], paths: Mapping[str, str], kept: Mapping[str, JSON]) -> str:
    """files.yaml: every file under its key. `paths`: where bytes lie in the directory; `kept`: entries that
    stay as they are."""
    whole: dict[str, JSON] = {}
    for key in sorted({*rows, *kept}):
        if key not in rows:
            whole[key] = kept[key]
            continue
        file = rows[key]
        name = file.fields.get("filename")
        given: dict[str, JSON] = {"name": name}
        given["purpose"] = file.fields.get("purpose")
        given |= {f: file.fields[f] for f in ("bytes", "sha256") if file.fields.get(f) is not None}
        given |= {"path": paths[key]} if key in paths else {}
        extras = _extras(file)
        given |= {"extras": extras} if extras else {}
        loose, _ = unchecked_fields("file", given)
        loose += ["bytes"] if "bytes" not in given and "path" not in given else []
        whole[key] = {**given, "unchecked": loose} if loose else given
    return _yaml("schema/files.json", whole, {})


def _compared_fields(entity: Entity) -> dict[str, Any]:
    """The compared form, in the order of the kind's fields, with what no rule knows apart."""
    plain = normalize_entity(Entity(entity.kind, entity.id, entity.parent, entity.fields))
    said = {name: _in_order(plain[name]) for name in KINDS[entity.kind].fields if name in plain}
    extras = _extras(entity)
    return {**said, "extras": extras} if extras else said


LEADING_KEYS = ("type", "name", "description")
"""Keys that say what something is."""


def _in_order(value: JSON) -> JSON:
    """Keys in an order of ours, since a service may change its own; what is exact stays as it was written."""
    if isinstance(value, Mapping):
        names = [name for name in LEADING_KEYS if name in value]
        names += sorted(value.keys() - set(names))
        return {name: value[name] if name in VERBATIM_KEYS else _in_order(value[name]) for name in names}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def _extras(entity: Entity) -> dict[str, JSON]:
    return normalize_entity(Entity(entity.kind, entity.id, extras=dict(sorted(entity.extras.items()))))


def _with_marks(
    kind: str, entity: Entity, value: Mapping[str, JSON], why_id: str, absent: Iterable[str]
) -> dict[str, JSON]:
    """The object with what a reader must know: its id, what is not there, what is not checked."""
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
