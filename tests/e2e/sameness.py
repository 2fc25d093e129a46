"""Compares a source and a target as the emulators hold them. Shares no code with what it examines.

Two estates and the id map go in; one line for every difference that no loss of the plan announced comes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.e2e.running import World

Json = dict[str, Any]
STAMP = "migrated_from"
SAME = {
    "assistant": ("name", "description", "instructions", "model", "temperature", "top_p", "response_format"),
    "file": ("bytes",),
    "vector_store": ("name", "expires_after"),
    "thread": (),
}


def refused_files(world: World) -> set[str]:
    """Source ids of the store files that the target's service failed to ingest though the source had them."""
    there, here = world.target.estate, world.source.estate
    names = {
        there.files[entry["id"]]["filename"]
        for entry in there.vector_store_files.rows()
        if entry["status"] == "failed"
    }
    fine = {e["id"] for e in here.vector_store_files.rows() if e["status"] != "failed"}
    return {id_ for id_ in fine if here.files[id_]["filename"] in names}


class Announced:
    """What the plan said would be different."""

    def __init__(self, losses: list[Json]) -> None:
        self.fields = {(row["kind"], row["id"], row["field"].split(".")[0]) for row in losses}

    def __call__(self, kind: str, id_: str, field: str) -> bool:
        return (kind, id_, field) in self.fields


def differences(world: World, ids: list[Json], losses: list[Json]) -> Iterator[str]:
    """Everything on the target that is not as on the source, unless it was announced."""
    here, there = world.source.estate, world.target.estate
    new = {(row["kind"], row["source_id"]): row["target_id"] for row in ids}
    told = Announced(losses)
    for kind, ours, theirs in (
        ("file", here.files, there.files),
        ("vector_store", here.vector_stores, there.vector_stores),
        ("assistant", here.assistants, there.assistants),
        ("thread", here.threads, there.threads),
    ):
        if len({new.get((kind, id_)) for id_ in ours}) != len(ours):
            yield f"{kind}: two objects became one, or one is missing in the id map"
        for id_, row in ours.items():
            other = theirs.get(new.get((kind, id_), ""))
            if other is None:
                yield f"{kind} {id_} is not on the target"
                continue
            yield from _object(kind, row, other, told, new)
    for id_, blob in here.content.items():
        if blob.read() != there.content[new["file", id_]].read():
            yield f"file {id_}: other bytes"
    yield from _stores(world, new, told)
    yield from _threads(world, new, told)


def _object(kind: str, row: Json, other: Json, told: Announced, new: Mapping[Any, str]) -> Iterator[str]:
    id_ = row["id"]
    for field in SAME[kind]:
        one, two = (None if side.get(field) == "" else _plain(side.get(field)) for side in (row, other))
        if one != two and not told(kind, id_, field):
            yield f"{kind} {id_} {field}: {one!r} became {two!r}"
    if (
        kind == "assistant"
        and _plain(row["tools"]) != _plain(other["tools"])
        and not told(kind, id_, "tools")
    ):
        yield f"assistant {id_} tools: {row['tools']!r} became {other['tools']!r}"
    if kind in ("assistant", "thread") and not told(kind, id_, "tool_resources"):
        wanted, found = _named(row, new), _named(other, None)
        if wanted != found:
            yield f"{kind} {id_} tool_resources: {wanted} became {found}"
    if kind != "file" and not told(kind, id_, "metadata"):
        metadata = dict(other.get("metadata") or {})
        if metadata.pop(STAMP, "").rpartition(":")[2] != id_:
            yield f"{kind} {id_} carries no stamp, or a false one"
        if metadata != (row.get("metadata") or {}):
            yield f"{kind} {id_} metadata: {row.get('metadata')} became {metadata}"


def _plain(value: Any) -> Any:
    """Without keys that say nothing (null); what stands inside a schema is the user's and stays as it is."""
    if isinstance(value, dict):
        kept = {key: inner for key, inner in value.items() if inner is not None}
        return {k: v if k in ("schema", "parameters") else _plain(v) for k, v in kept.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _named(row: Json, new: Mapping[Any, str] | None) -> tuple[list[str], list[str]]:
    """The files and stores that an object refers to, by the ids of the target."""
    resources = row.get("tool_resources") or {}
    files = (resources.get("code_interpreter") or {}).get("file_ids") or []
    stores = (resources.get("file_search") or {}).get("vector_store_ids") or []
    if new is not None:
        files = [new.get(("file", id_), id_) for id_ in files]
        stores = [new.get(("vector_store", id_), id_) for id_ in stores]
    return sorted(files), sorted(stores)


def _stores(world: World, new: Mapping[Any, str], told: Announced) -> Iterator[str]:
    here, there = world.source.estate, world.target.estate
    for store in here.vector_stores:
        ours, theirs = here.vector_store_files[store], there.vector_store_files[new["vector_store", store]]
        if {new.get(("file", id_)) for id_ in ours} != set(theirs):
            lost = [id_ for id_ in ours if new.get(("file", id_)) not in theirs]
            if [id_ for id_ in lost if not told("vector_store_file", id_, "file_id")] or len(theirs) > len(
                ours
            ):
                yield f"vector_store {store} holds other files"
        for id_, entry in ours.items():
            other = theirs.get(new.get(("file", id_), ""))
            for field in ("attributes", "chunking_strategy") if other else ():
                one, two = entry.get(field) or {}, (other or {}).get(field) or {}
                if one != two and not told("vector_store_file", id_, field):
                    yield f"vector_store {store} file {id_} {field}: {one} became {two}"


def _threads(world: World, new: Mapping[Any, str], told: Announced) -> Iterator[str]:
    here, there = world.source.estate, world.target.estate
    for thread in here.threads:
        ours = list(here.messages[thread].values())
        theirs = list(there.messages[new["thread", thread]].values())
        if len(ours) != len(theirs):
            yield f"thread {thread}: {len(ours)} messages became {len(theirs)}"
        for message, other in zip(ours, theirs, strict=False):
            yield from _message(message, other, told, new)


def _message(message: Json, other: Json, told: Announced, new: Mapping[Any, str]) -> Iterator[str]:
    where = f"message {message['id']}"
    if message["role"] != other["role"]:
        yield f"{where}: role {message['role']} became {other['role']}"
    wanted, found = list(_said(message, new)), list(_said(other, None))
    if not told("message", message["id"], "content"):
        if wanted != found:
            yield f"{where}: {wanted} became {found}"
    elif [text for text in _texts(message) if text and text not in _texts(other)]:
        yield f"{where}: a text is not on the target any more"
    files = sorted(new.get(("file", a["file_id"]), a["file_id"]) for a in message.get("attachments") or [])
    present = sorted(a["file_id"] for a in other.get("attachments") or [])
    if files != present and not told("message", message["id"], "attachments"):
        yield f"{where}: attachments {files} became {present}"


def _said(message: Json, new: Mapping[Any, str] | None) -> Iterator[tuple[str, str]]:
    """The parts of a message in order; pictures by the id of the target."""
    for part in message["content"]:
        type_, value = part["type"], part[part["type"]]
        if type_ == "text":
            yield type_, value["value"]
        elif type_ == "image_file":
            id_ = value["file_id"]
            yield type_, new.get(("file", id_), id_) if new is not None else id_
        else:
            yield type_, value["url"] if isinstance(value, dict) else value


def _texts(message: Json) -> list[str]:
    return [text for type_, text in _said(message, {}) if type_ in ("text", "refusal")]
