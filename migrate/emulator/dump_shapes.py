"""Find the API objects in a JSON document of a dump: kind, parent, or why it is none.

Scripts save what they read in many shapes: an object, a list, the envelope of a listing, recorded exchanges,
an object that holds others under the name of their kind (`{"thread": .., "messages": [..]}`), a mapping of
ids.
Objects that do not say what they are are known by where they lie, or by the beginning of their id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from migrate.emulator.state import Json, moment

LINES = frozenset({".jsonl", ".ndjson", ".jsonlines"})
ENDINGS = LINES | {".json"}
MAX_FILE_BYTES = 512 << 20
# What systems leave in folders by themselves.
SPARED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".gitkeep", ".gitignore", ".gitattributes"})
# json.detect_encoding knows the marks, and encodings without one by where the zeros are.
DEEPEST = "it is nested too deeply"


@dataclass(frozen=True)
class Unread:
    """What could not be read: where in the file ('' for all of it), and why."""

    where: str
    reason: str


def documents(path: Path) -> Iterator[Any | Unread]:
    """Every JSON document of a file, in order."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            yield Unread("", f"larger than {MAX_FILE_BYTES >> 20} MB")
            return
        data = path.read_bytes()
        text = data.decode(json.detect_encoding(data)).lstrip("\ufeff")
    except OSError as error:
        yield Unread("", error.strerror or str(error))
        return
    except UnicodeDecodeError as error:
        yield Unread("", f"not JSON: byte {error.start} is not {error.encoding}")
        return
    if path.suffix.lower() in LINES:
        yield from _lines(text)
        return
    try:
        yield json.loads(text)
    except RecursionError:
        yield Unread("", DEEPEST)
    except ValueError as error:
        yield from _several(text, f"not JSON: {error}")


def _lines(text: str) -> Iterator[Any | Unread]:
    """One document a line. Only line feeds end a line: JSON text may hold the other separators."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except RecursionError:
                yield Unread(f"line {number}", DEEPEST)
            except ValueError as error:
                yield Unread(f"line {number}", f"not JSON: {error}")


def _several(text: str, why: str) -> Iterator[Any | Unread]:
    """Documents one after the other in one file, up to the first that is none. `why`: what is wrong with
    the file as one document."""
    decoder = json.JSONDecoder()
    place, found = 0, 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        try:
            document, place = decoder.raw_decode(text, place)
        except RecursionError:
            yield Unread("", DEEPEST)
            return
        except ValueError:
            where = f"line {text.count(chr(10), 0, place) + 1}" if found else ""
            yield Unread(where, f"{why}; what follows was not read" if found else why)
            return
        if not isinstance(document, (dict, list)):
            yield Unread("", why)
            return
        found += 1
        yield document
    if not found:
        yield Unread("", why)


LISTS = ("data", "value")  # what an envelope calls its rows
MORE = ("has_more", "nextLink", "@odata.nextLink", "next_page", "next_page_token")

# Names of kinds in plural, as keys, files and folders have them -> what an object of the kind calls itself.
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
# Kind -> what may lie within it -> the kind of that. Nothing else is looked for inside an object.
WITHIN: Mapping[str, Mapping[str, str]] = {
    "thread": {"messages": "thread.message", "runs": "thread.run"},
    "thread.run": {"steps": "thread.run.step", "run_steps": "thread.run.step"},
    "vector_store": {"files": "vector_store.file"},
    "conversation": {"items": "item"},
}
PARENT: Mapping[str, str] = {
    "thread.message": "thread_id", "thread.run": "thread_id", "thread.run.step": "run_id",
    "vector_store.file": "vector_store_id", "item": "conversation_id",
}  # fmt: skip
"""Kind -> the key that names its parent."""
GIVES = {"thread": "thread_id", "thread.run": "run_id", "vector_store": "vector_store_id",
         "conversation": "conversation_id"}  # fmt: skip
PREFIXES: Mapping[str, str] = {
    "asst_": "assistant", "thread_": "thread", "msg_": "thread.message", "run_": "thread.run",
    "step_": "thread.run.step", "file-": "file", "vs_": "vector_store", "conv_": "conversation",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """What is known of an object from where it lies: its kind, and the ids of what it lies in."""

    kind: str = ""
    parents: tuple[tuple[str, str], ...] = ()

    def inside(self, key: str, id_: str) -> Place:
        """A place within an object."""
        return replace(self, parents=(*self.parents, (key, id_)))


@dataclass(frozen=True)
class Found:
    """One object, complete with what its place tells."""

    row: Json
    kind: str


@dataclass(frozen=True)
class Unfinished:
    """The envelope of a listing: whether more rows follow that are not in it."""

    kind: str
    parent: str
    more: bool


@dataclass(frozen=True)
class NotTaken:
    """Something that is no object."""

    reason: str


Piece = Found | Unfinished | NotTaken


def pieces(document: Any, place: Place) -> Iterator[Piece]:
    """Every object in a document, and what is in it and is none."""
    if isinstance(document, list):
        for each in oldest_first(document):
            yield from pieces(each, place)
    elif not isinstance(document, dict):
        yield NotTaken(f"a bare {type(document).__name__}")
    elif "response_body" in document:
        yield from pieces(document["response_body"], place)
    elif rows := next((key for key in LISTS if isinstance(document.get(key), list)), ""):
        yield from _envelope(document, rows, place)
    elif _is_container(document):
        yield from _container(document, place)
    else:
        yield from _object(document, place)


def _envelope(document: Json, rows: str, place: Place) -> Iterator[Piece]:
    first = ("", "")
    for piece in pieces(document[rows], place):
        if isinstance(piece, Found) and not first[0]:
            first = (piece.kind, _parent(piece.row, piece.kind))
        yield piece
    yield Unfinished(*first, any(document.get(key) for key in MORE))


def _is_container(document: Json) -> bool:
    """Whether it is no object itself, and holds some under names of their kinds."""
    if isinstance(document.get("object"), str) and document["object"] != "list":
        return False
    held = [key for key, value in document.items() if key in PLURALS and isinstance(value, (list, dict))]
    held += [key for key, value in document.items() if key in SINGULARS and isinstance(value, dict)]
    own = [key for key in ("model", "role", "filename", "purpose", "status", "definition") if key in document]
    return bool(held) and not own


def _container(document: Json, place: Place) -> Iterator[Piece]:
    """`{"thread": {..}, "messages": [..]}`, or everything of an estate under the names of the kinds."""
    for key, parent in GIVES.items():
        inner = document.get(key.rpartition(".")[2])
        id_ = inner.get("id") if isinstance(inner, dict) else document.get(parent)
        if id_ is None and str(document.get("id", "")).startswith(_prefix(key)):
            id_ = document.get("id")
        if isinstance(id_, str):
            place = place.inside(parent, id_)
    own = _by_prefix(document.get("id"))
    if own in WITHIN:
        yield from _object(document, replace(place, kind=own))
        return
    for key, value in document.items():
        kind = PLURALS.get(key) or (SINGULARS.get(key, "") if isinstance(value, dict) else "")
        if kind and isinstance(value, (list, dict)):
            yield from _held(value, replace(place, kind=kind))
        elif "id" not in document and _holds_objects(value):
            yield NotTaken(f"no kind of an Assistants estate: the key {key!r}")


def _holds_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))


def _held(value: Any, place: Place) -> Iterator[Piece]:
    """What stands under the name of a kind: rows, an object, or a mapping from ids to either."""
    keyed = isinstance(value, dict) and not ({"id", "object", *LISTS} & value.keys()) and value
    if not keyed or not all(isinstance(inner, (list, dict)) for inner in value.values()):
        yield from pieces(value, place)
        return
    for id_, inner in value.items():
        parent = PARENT.get(place.kind)
        if parent and (isinstance(inner, list) or set(LISTS) & inner.keys()):
            yield from pieces(inner, place.inside(parent, id_))
        else:
            yield from pieces({"id": id_, **inner} if isinstance(inner, dict) else inner, place)


def _object(row: Json, place: Place) -> Iterator[Piece]:
    """One object and what lies within it."""
    kind = str(row.get("object") or "") or place.kind
    if not kind and "type" not in row:  # an item of a conversation has one, and the same prefixes
        kind = _by_prefix(row.get("id"))
    if "error" in row and not kind:
        yield NotTaken("an error answer")
        return
    inner = {key: of for key, of in WITHIN.get(kind, {}).items() if isinstance(row.get(key), (list, dict))}
    own = {key: value for key, value in row.items() if key not in inner}
    if not kind:
        yield NotTaken(f"no kind of an Assistants estate: {row.get('object')}")
        return
    yield Found(_completed(own, kind, place), kind)
    if inner and isinstance(row.get("id"), str):
        within = place.inside(GIVES[kind], row["id"])
        for key, of in inner.items():
            yield from _held(row[key], replace(within, kind=of))


def _completed(row: Json, kind: str, place: Place) -> Json:
    """The object with what its place says and it does not say itself."""
    known = dict(place.parents)
    wanted = {key: known[key] for key in _parents_of(kind) if key in known and not row.get(key)}
    if "object" in row or kind == "item":
        return {**row, **wanted}
    text = row.get("content") if kind == "thread.message" else None
    if isinstance(text, str):  # scripts save the words alone
        row = {**row, "content": [{"type": "text", "text": {"value": text, "annotations": []}}]}
    return {**row, "object": kind, **wanted}


def _parents_of(kind: str) -> tuple[str, ...]:
    return ("thread_id", "run_id") if kind == "thread.run.step" else (PARENT[kind],) if kind in PARENT else ()


def _parent(row: Json, kind: str) -> str:
    return str(row.get(PARENT.get(kind, ""), ""))


def _by_prefix(id_: Any) -> str:
    text = id_ if isinstance(id_, str) else ""
    return next((kind for prefix, kind in PREFIXES.items() if text.startswith(prefix)), "")


def _prefix(kind: str) -> str:
    return next((prefix for prefix, of in PREFIXES.items() if of == kind), "\0")


def oldest_first(rows: list[Any]) -> list[Any]:
    """A list whose seconds fall was read newest first."""
    seconds = [moment(row) if isinstance(row, dict) else None for row in rows]
    known = [each for each in seconds if isinstance(each, (int, float))]
    falls = known != sorted(known) and known == sorted(known, reverse=True)
    return rows[::-1] if falls else rows
