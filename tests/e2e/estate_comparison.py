"""Compares a source and a target as the emulators store them. Shares no code with the program.

From two estates and the id map it makes one line for every difference that no loss of the plan announced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.e2e.running import World

Json = dict[str, Any]
Table = Mapping[str, Json]
STAMP = "migrated_from"
CHUNKS = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
SAID_BY_SILENCE: dict[str, Json] = {"attributes": {}, "chunking_strategy": CHUNKS}
SAME = {
    "assistant": ("name", "description", "instructions", "model", "temperature", "top_p", "response_format"),
    "file": ("bytes",),
    "vector_store": ("name", "expires_after"),
    "thread": (),
}


def refused_files(world: World) -> set[str]:
    """Source ids of the store files that the target's service failed to ingest though the source had them."""
    there, here = world.target.estate, world.here
    names = {
        there.files[entry["id"]]["filename"]
        for entry in there.vector_store_files.rows()
        if entry["status"] == "failed"
    }
    fine = {e["id"] for e in here.vector_store_files.rows() if e["status"] != "failed"}
    return {id_ for id_ in fine if here.files[id_]["filename"] in names}


class PlannedLosses:
    """The losses that the plan announced."""

    def __init__(self, losses: list[Json], connections: Mapping[str, str] | None = None) -> None:
        self.connections = connections or {}
        self.fields = {(row["kind"], row["id"], row["field"].split(".")[0]) for row in losses}
        self._rows = losses

    def __call__(self, kind: str, id_: str, field: str) -> bool:
        return (kind, id_, field) in self.fields

    def blocked(self, kind: str, id_: str) -> bool:
        """Whether the plan blocks the object."""
        return self.count(kind, id_, "", "blocked") > 0

    def count(self, kind: str, id_: str, field: str, grade: str = "lost") -> int:
        """Number of losses of a grade of a field; '' is any field."""
        rows = (r for r in self._rows if (r["kind"], r["id"], r["grade"]) == (kind, id_, grade))
        return sum(1 for row in rows if field in ("", row["field"].split(".")[0]))


def id_map(ids: list[Json]) -> dict[tuple[str, str], str]:
    """Kind and source id -> target id."""
    return {(row["kind"], row["source_id"]): row["target_id"] for row in ids}


def differences(
    world: World, ids: list[Json], losses: list[Json], connections: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Every difference between target and source that was not announced. `connections`: those with another
    name on the target."""
    here, there = world.here, world.target.estate
    new, told, type_ = id_map(ids), PlannedLosses(losses, connections or {}), world.types[0]
    yield from stored(world, ids, losses)
    yield from _objects("assistant", here.assistants, there.assistants, told, new, type_)
    yield from _objects("thread", here.threads, there.threads, told, new, type_)
    yield from _threads(world, new, told)


def stored(world: World, ids: list[Json], losses: list[Json]) -> Iterator[str]:
    """The same for files, their bytes, vector stores and their files."""
    here, there = world.here, world.target.estate
    new, told, type_ = id_map(ids), PlannedLosses(losses), world.types[0]
    yield from _objects("file", here.files, there.files, told, new, type_)
    yield from _objects("vector_store", here.vector_stores, there.vector_stores, told, new, type_)
    for id_, blob in here.content.items():
        if not told.blocked("file", id_) and blob.read() != there.content[new["file", id_]].read():
            yield f"file {id_}: other bytes"
    yield from _stores(world, new, told)


def _objects(
    kind: str, ours: Table, theirs: Table, told: PlannedLosses, new: Mapping[Any, str], type_: str
) -> Iterator[str]:
    moved = [id_ for id_ in ours if not told.blocked(kind, id_)]
    if len({new.get((kind, id_)) for id_ in moved}) != len(moved):
        yield f"{kind}: two objects became one, or one is missing in the id map"
    for id_, row in ours.items():
        other = theirs.get(new.get((kind, id_), ""))
        if (other is None) is not told.blocked(kind, id_):
            yield f"{kind} {id_} is {'not ' if other is None else ''}on the target"
        elif other is not None and other != row:  # the same where source and target share it
            yield from _object(kind, row, other, told, new, type_)


def _object(
    kind: str, row: Json, other: Json, told: PlannedLosses, new: Mapping[Any, str], type_: str
) -> Iterator[str]:
    id_ = row["id"]
    for field in SAME[kind]:
        one, two = (None if side.get(field) == "" else _plain(side.get(field)) for side in (row, other))
        if one != two and not told(kind, id_, field):
            yield f"{kind} {id_} {field}: {one!r} became {two!r}"
    if kind == "assistant" and not told(kind, id_, "tools"):
        tools, theirs = _plain(row["tools"], told.connections), _plain(other["tools"])
        if tools != theirs:
            yield f"assistant {id_} tools: {tools!r} became {theirs!r}"
    if kind == "assistant":
        yield from _resources(kind, row, other, told, new, set())
    if kind != "file" and not told(kind, id_, "metadata"):
        metadata = dict(other.get("metadata") or {})
        if metadata.pop(STAMP, "") != f"{type_}:{id_}":
            yield f"{kind} {id_} carries no stamp, or a false one"
        if metadata != (row.get("metadata") or {}):
            yield f"{kind} {id_} metadata: {row.get('metadata')} became {metadata}"


def _resources(
    kind: str, row: Json, other: Json, told: PlannedLosses, new: Mapping[Any, str], attached: set[str]
) -> Iterator[str]:
    """Compare `tool_resources`. A service may add the files that are attached to messages, and nothing
    else."""
    (files, stores), (found, theirs) = _named(row, new), _named(other, None)
    same = stores == theirs and set(files) <= set(found) <= {*files, *attached}
    if not same and not told(kind, row["id"], "tool_resources"):
        yield f"{kind} {row['id']} tool_resources: {files, stores} became {found, theirs}"


def _plain(value: Any, connections: Mapping[str, str] | None = None) -> Any:
    """Remove keys that mean nothing (null, anonymous authentication) or that only the service writes.
    Connections get their short name. The content of a schema belongs to the user and stays as it is."""
    if isinstance(value, dict):
        silent = [("security_scheme", {}), *((key, None) for key in value)]
        kept = {k: v for k, v in value.items() if (k, v) not in silent and k != "functions"}
        return {k: v if k in ("schema", "parameters") else _plain(v, connections) for k, v in kept.items()}
    if isinstance(value, str) and "/connections/" in value:
        short = value.rpartition("/")[2]
        return (connections or {}).get(short, short)
    return [_plain(v, connections) for v in value] if isinstance(value, list) else value


def _named(row: Json, new: Mapping[Any, str] | None) -> tuple[list[str], list[str]]:
    """The files and stores that an object refers to, by the ids of the target."""
    resources = row.get("tool_resources") or {}
    files = (resources.get("code_interpreter") or {}).get("file_ids") or []
    stores = (resources.get("file_search") or {}).get("vector_store_ids") or []
    if new is not None:
        files = [new.get(("file", id_), id_) for id_ in files]
        stores = [new.get(("vector_store", id_), id_) for id_ in stores]
    return sorted(files), sorted(stores)


def _stores(world: World, new: Mapping[Any, str], told: PlannedLosses) -> Iterator[str]:
    here, there = world.here, world.target.estate
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
                one, two = (side.get(field) or SAID_BY_SILENCE[field] for side in (entry, other or {}))
                if one != two and not told("vector_store_file", id_, field):
                    yield f"vector_store {store} file {id_} {field}: {one} became {two}"


def _threads(world: World, new: Mapping[Any, str], told: PlannedLosses) -> Iterator[str]:
    here, there = world.here, world.target.estate
    for thread in here.threads:
        ours = list(here.messages[thread].values())
        theirs = list(there.messages[new["thread", thread]].values())
        attached = {a["file_id"] for message in theirs for a in message.get("attachments") or []}
        row, other = here.threads[thread], there.threads[new["thread", thread]]
        yield from _resources("thread", row, other, told, new, attached)
        if len(ours) != len(theirs):
            yield f"thread {thread}: {len(ours)} messages became {len(theirs)}"
        for message, other in zip(ours, theirs, strict=False):
            yield from _message(message, other, told, new)


def _message(message: Json, other: Json, told: PlannedLosses, new: Mapping[Any, str]) -> Iterator[str]:
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
