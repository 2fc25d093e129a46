"""Find the API objects in the JSON documents of a dump: their kind and parent, or why something is no object.

Scripts save what they read in many shapes: an object, a list, the envelope of a listing, recorded exchanges,
an object that contains others under the name of their kind (`{"thread": .., "messages": [..]}`), a mapping
from ids. An object without the key `object` is recognised by where it is, or by the prefix of its id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from migrate.emulator.state import Json, creation_time

JSON_LINES_SUFFIXES = frozenset({".jsonl", ".ndjson", ".jsonlines"})
JSON_SUFFIXES = JSON_LINES_SUFFIXES | {".json"}
# Operating systems and git create these files by themselves.
IGNORED_FILES = frozenset(".DS_Store Thumbs.db desktop.ini .gitkeep .gitignore .gitattributes".split())
MAX_FILE_BYTES = 512 << 20
TOO_DEEP = "it is nested too deeply"

ROWS_KEYS = ("data", "value")  # the key of the rows in an envelope
MORE_KEYS = ("has_more", "nextLink", "@odata.nextLink", "next_page", "next_page_token")
# Keys that only an object itself has, not a collection of other objects.
OWN_KEYS = frozenset({"model", "role", "filename", "purpose", "status", "definition"})

# The plural of a kind, as the name of a key, a file or a folder -> the kind: the value of `object`.
PLURALS: Mapping[str, str] = {
    "assistants": "assistant", "threads": "thread", "messages": "thread.message", "runs": "thread.run",
    "steps": "thread.run.step", "run_steps": "thread.run.step", "files": "file",
    "vector_stores": "vector_store", "vector_store_files": "vector_store.file", "agents": "agent",
    "agent_versions": "agent.version", "conversations": "conversation", "items": "item",
}  # fmt: skip
SINGULARS: Mapping[str, str] = {
    "assistant": "assistant", "thread": "thread", "message": "thread.message", "run": "thread.run",
    "file": "file", "vector_store": "vector_store", "agent": "agent", "conversation": "conversation",
}  # fmt: skip
PREFIXES: Mapping[str, str] = {
    "asst_": "assistant", "thread_": "thread", "msg_": "thread.message", "run_": "thread.run",
    "step_": "thread.run.step", "file-": "file", "vs_": "vector_store", "conv_": "conversation",
}  # fmt: skip
# Kind -> keys below which it contains children -> the kind of the children.
CHILDREN: Mapping[str, Mapping[str, str]] = {
    "thread": {"messages": "thread.message", "runs": "thread.run"},
    "thread.run": {"steps": "thread.run.step", "run_steps": "thread.run.step"},
    "vector_store": {"files": "vector_store.file"},
    "conversation": {"items": "item"},
}
# Kind -> the key with which its children refer to it, and the reverse: kind -> the key of its parent.
ID_KEYS: Mapping[str, str] = {
    "thread": "thread_id", "thread.run": "run_id", "vector_store": "vector_store_id",
    "conversation": "conversation_id",
}  # fmt: skip
PARENT_KEYS: Mapping[str, str] = {
    child: ID_KEYS[parent] for parent, children in CHILDREN.items() for child in children.values()
}


# -------------------------------------------------------------------------------------------- documents

_NON_SPACE = re.compile(r"\S")


@dataclass(frozen=True)
class UnreadableDocument:
    """A document that could not be read: its place in the file ('' for all of it), and why."""

    where: str
    reason: str


def read_documents(path: Path) -> Iterator[Any | UnreadableDocument]:
    """Every JSON document of a file, in order."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            yield UnreadableDocument("", f"larger than {MAX_FILE_BYTES >> 20} MB")
            return
        data = path.read_bytes()
        # detect_encoding knows byte order marks, and encodings without one by the positions of zero bytes.
        text = data.decode(json.detect_encoding(data)).lstrip("\ufeff")
    except OSError as error:
        yield UnreadableDocument("", error.strerror or str(error))
    except UnicodeDecodeError as error:
        yield UnreadableDocument("", f"not JSON: byte {error.start} is not {error.encoding}")
    else:
        is_lines = path.suffix.lower() in JSON_LINES_SUFFIXES
        yield from _parse_lines(text) if is_lines else _parse_text(text)


def _parse_lines(text: str) -> Iterator[Any | UnreadableDocument]:
    """One document for each line. Only line feeds end a line: JSON text may contain other line separators."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except RecursionError:
                yield UnreadableDocument(f"line {number}", TOO_DEEP)
            except ValueError as error:
                yield UnreadableDocument(f"line {number}", f"not JSON: {error}")


def _parse_text(text: str) -> Iterator[Any | UnreadableDocument]:
    """One document, or several objects and lists one after the other, up to the first that is not valid."""
    try:
        yield json.loads(text)
        return
    except RecursionError:
        yield UnreadableDocument("", TOO_DEEP)
        return
    except ValueError as error:
        reason = f"not JSON: {error}"
    decoder = json.JSONDecoder()
    offset, count = 0, 0
    while start := _NON_SPACE.search(text, offset):
        try:
            document, offset = decoder.raw_decode(text, start.start())
        except RecursionError:
            yield UnreadableDocument("", TOO_DEEP)
            return
        except ValueError:
            where = f"line {text.count(chr(10), 0, start.start()) + 1}" if count else ""
            yield UnreadableDocument(where, f"{reason}; what follows was not read" if count else reason)
            return
        if not isinstance(document, (dict, list)):
            yield UnreadableDocument("", reason)
            return
        count += 1
        yield document
    if not count:
        yield UnreadableDocument("", reason)


# ---------------------------------------------------------------------------------------------- objects


@dataclass(frozen=True)
class Location:
    """What the place of an object shows about it: its kind, and the ids of the objects that contain it."""

    kind: str = ""
    parent_ids: tuple[tuple[str, str], ...] = ()  # pairs of key and id, such as ("thread_id", "thread_1")

    def below(self, key: str, id_: str) -> Location:
        """A location inside an object."""
        return replace(self, parent_ids=(*self.parent_ids, (key, id_)))


@dataclass(frozen=True)
class SavedObject:
    """One object, completed with what its location shows."""

    row: Json
    kind: str


@dataclass(frozen=True)
class ListingEnd:
    """The end of a listing's envelope: whether the service had more rows than are in it."""

    kind: str
    parent_id: str
    has_more: bool


@dataclass(frozen=True)
class NotAnObject:
    """Something that is no API object, and why."""

    reason: str


Parsed = SavedObject | ListingEnd | NotAnObject


def parse_objects(document: Any, location: Location) -> Iterator[Parsed]:
    """Every object in a document, the ends of its listings, and everything else with the reason."""
    if isinstance(document, list):
        for each in _oldest_first(document):
            yield from parse_objects(each, location)
    elif not isinstance(document, dict):
        yield NotAnObject(f"only a {type(document).__name__}, not an object")
    elif "response_body" in document:
        yield from parse_objects(document["response_body"], location)
    elif rows := next((key for key in ROWS_KEYS if isinstance(document.get(key), list)), ""):
        yield from _parse_envelope(document, rows, location)
    elif _is_collection(document):
        yield from _parse_collection(document, location)
    else:
        yield from _parse_object(document, location)


def _parse_envelope(document: Json, rows: str, location: Location) -> Iterator[Parsed]:
    first = ("", "")
    for parsed in parse_objects(document[rows], location):
        if isinstance(parsed, SavedObject) and not first[0]:
            first = (parsed.kind, str(parsed.row.get(PARENT_KEYS.get(parsed.kind, ""), "")))
        yield parsed
    yield ListingEnd(*first, any(document.get(key) for key in MORE_KEYS))


def _is_collection(document: Json) -> bool:
    """Whether it is no object itself, but contains objects under the names of their kinds."""
    if isinstance(document.get("object"), str) and document["object"] != "list":
        return False
    has_objects = any(
        (key in PLURALS and isinstance(value, (list, dict))) or (key in SINGULARS and isinstance(value, dict))
        for key, value in document.items()
    )
    return has_objects and not OWN_KEYS & document.keys()


def _parse_collection(document: Json, location: Location) -> Iterator[Parsed]:
    """`{"thread": {..}, "messages": [..]}`, or everything of an estate under the names of the kinds."""
    for kind, id_key in ID_KEYS.items():
        inner = document.get(kind.rpartition(".")[2])
        id_ = inner.get("id") if isinstance(inner, dict) else document.get(id_key)
        if id_ is None and _kind_by_prefix(document.get("id")) == kind:
            id_ = document.get("id")
        if isinstance(id_, str):
            location = location.below(id_key, id_)
    own_kind = _kind_by_prefix(document.get("id"))
    if own_kind in CHILDREN:
        yield from _parse_object(document, replace(location, kind=own_kind))
        return
    for key, value in document.items():
        kind = PLURALS.get(key) or (SINGULARS.get(key, "") if isinstance(value, dict) else "")
        if kind and isinstance(value, (list, dict)):
            yield from _parse_members(value, replace(location, kind=kind))
        elif "id" not in document and _contains_objects(value):
            yield NotAnObject(f"not a known kind of object: the key {key!r}")


def _contains_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))


def _parse_members(value: Any, location: Location) -> Iterator[Parsed]:
    """The value under the name of a kind: rows, an object, or a mapping from ids to either."""
    is_mapping = isinstance(value, dict) and value and not {"id", "object", *ROWS_KEYS} & value.keys()
    if not is_mapping or not all(isinstance(inner, (list, dict)) for inner in value.values()):
        yield from parse_objects(value, location)
        return
    parent_key = PARENT_KEYS.get(location.kind)
    for id_, inner in value.items():
        if parent_key and (isinstance(inner, list) or set(ROWS_KEYS) & inner.keys()):
            yield from parse_objects(inner, location.below(parent_key, id_))
        else:
            yield from parse_objects({"id": id_, **inner} if isinstance(inner, dict) else inner, location)


def _parse_object(row: Json, location: Location) -> Iterator[Parsed]:
    """One object and its children."""
    kind = str(row.get("object") or "") or location.kind
    if not kind and "type" not in row:  # items of a conversation have a type, and the prefixes of other kinds
        kind = _kind_by_prefix(row.get("id"))
    if not kind:
        reason = f"not a known kind of object: {row.get('object')}"
        yield NotAnObject("an error answer" if "error" in row else reason)
        return
    children = {
        key: child for key, child in CHILDREN.get(kind, {}).items() if isinstance(row.get(key), (list, dict))
    }
    own = {key: value for key, value in row.items() if key not in children}
    yield SavedObject(_completed(own, kind, location), kind)
    if children and isinstance(row.get("id"), str):
        below = location.below(ID_KEYS[kind], row["id"])
        for key, child in children.items():
            yield from _parse_members(row[key], replace(below, kind=child))


def _completed(row: Json, kind: str, location: Location) -> Json:
    """The object with the ids of its parents and its `object`, where it does not have them itself."""
    known = dict(location.parent_ids)
    parent_keys = ("thread_id", "run_id") if kind == "thread.run.step" else (PARENT_KEYS.get(kind, ""),)
    parent_ids = {key: known[key] for key in parent_keys if key in known and not row.get(key)}
    if "object" in row or kind == "item":
        return {**row, **parent_ids}
    text = row.get("content") if kind == "thread.message" else None
    if isinstance(text, str):  # some scripts save only the text
        row = {**row, "content": [{"type": "text", "text": {"value": text, "annotations": []}}]}
    return {**row, "object": kind, **parent_ids}


def _kind_by_prefix(id_: Any) -> str:
    text = id_ if isinstance(id_, str) else ""
    return next((kind for prefix, kind in PREFIXES.items() if text.startswith(prefix)), "")


def _oldest_first(rows: list[Any]) -> list[Any]:
    """A list whose creation times only fall was read newest first, so it is reversed."""
    times = [creation_time(row) if isinstance(row, dict) else None for row in rows]
    known = [each for each in times if isinstance(each, (int, float))]
    is_newest_first = known != sorted(known) and known == sorted(known, reverse=True)
    return rows[::-1] if is_newest_first else rows
