"""Reads a folder of recorded answers: the objects in them, each with its kind and parent.

A recording is a JSON document: one exchange, a list of them (`response_body` or `response` is what the
service answered), or a table of items or tools. A recording without an object of an estate is listed with its
type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Family = Literal["assistants", "project"]

OLD = {
    "assistant": "assistant",
    "thread": "thread",
    "thread.message": "message",
    "thread.run": "run",
    "thread.run.step": "run_step",
}
NEW = {"agent": "assistant", "agent.version": "assistant", "conversation": "thread"}
# Value of `object` -> kind. Files and stores exist in both generations: the address decides.
EITHER = {"file": "file", "vector_store": "vector_store", "vector_store.file": "vector_store_file"}
# Types of the items of a conversation.
ITEM = re.compile(
    r"message|reasoning|compaction|\w+_(call|output|request|response|list_tools)|mcp_list_tools"
)
PROJECT_PATH = re.compile(r"/(conversations|agents|openai/v1|openai/files|openai/vector_stores)\b")
CONVERSATION = re.compile(r"/conversations/(\w+)")
PARENT = {
    "message": "thread_id",
    "run": "thread_id",
    "run_step": "thread_id",
    "vector_store_file": "vector_store_id",
}


@dataclass(frozen=True)
class Recorded:
    """One object as a service returned it, and its recording."""

    family: Family
    kind: str
    parent: str
    body: dict[str, Any]
    source: str


@dataclass(frozen=True)
class OtherContent:
    """Something in a recording that is no object of an estate: an error, a deletion receipt, something
    unknown."""

    what: str
    source: str


def read(folder: Path) -> Iterator[Recorded | OtherContent]:
    """Everything in the folder's JSON files, by name."""
    for file in sorted(folder.rglob("*.json")):
        name = file.relative_to(folder).as_posix()
        try:
            document = json.loads(file.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            yield OtherContent(f"no JSON: {error}", name)
            continue
        for path, body in _answers(document):
            yield from _objects(path, body, name)


def _answers(document: Any) -> Iterator[tuple[str, Any]]:
    """Address and body of each answer. Tables of tools and of items get the form of a listing."""
    for exchange in document if isinstance(document, list) else [document]:
        if not isinstance(exchange, dict):
            continue
        path = str(exchange.get("path") or exchange.get("uri") or "")
        for key in ("response_body", "response"):
            if key in exchange:
                yield path, exchange[key]
        for number, row in enumerate(exchange.get("rows", ())):
            definition = {"kind": "prompt", "model": "gpt-4o", "tools": [row["tool_json"]]}
            name = f"recorded-tool-{number}"
            yield (
                "/agents",
                {"object": "agent.version", "name": name, "version": "1", "definition": definition},
            )
        for type_, rows in exchange.get("types", {}).items():
            place = re.sub(r"\W+", "_", type_)
            yield f"/conversations/conv_{place}/items", {"data": [row["item"] for row in rows]}


def _objects(path: str, body: Any, name: str) -> Iterator[Recorded | OtherContent]:
    if not isinstance(body, dict):
        yield OtherContent("no object" if body else "empty", name)
        return
    if "error" in body and not body.get("object"):
        yield OtherContent("an error", name)
        return
    listed = body.get("data") if isinstance(body.get("data"), list) else None
    rows = (
        listed if listed is not None else body.get("output") if body.get("object") == "response" else [body]
    )
    for row in rows or ():
        yield (
            _object(path, row, name)
            if isinstance(row, dict)
            else OtherContent("a row that is no object", name)
        )


def _object(path: str, row: dict[str, Any], name: str) -> Recorded | OtherContent:
    calls_itself = str(row.get("object") or row.get("type") or "")
    if calls_itself in OLD:
        kind = OLD[calls_itself]
        return Recorded("assistants", kind, str(row.get(PARENT.get(kind, ""), "")), row, name)
    if calls_itself in NEW:
        return Recorded("project", NEW[calls_itself], "", _whole_agent(row), name)
    if calls_itself in EITHER:
        kind = EITHER[calls_itself]
        family: Family = "project" if PROJECT_PATH.search(path) else "assistants"
        return Recorded(family, kind, str(row.get(PARENT.get(kind, ""), "")), row, name)
    if ITEM.fullmatch(calls_itself):
        found = CONVERSATION.search(path)
        place = found[1] if found else re.sub(r"\W+", "_", f"conv_{name.removesuffix('.json')}")
        return Recorded("project", "message", place, row, name)
    return OtherContent(calls_itself or "without a name of its kind", name)


def _whole_agent(row: dict[str, Any]) -> dict[str, Any]:
    """A version as the listing of agents would show it."""
    if row["object"] != "agent.version":
        return row
    return {"object": "agent", "id": row["name"], "name": row["name"], "versions": {"latest": row}}
