"""Recorded answers of real services: their files, and the objects in them with their kind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHARED = Path(os.environ.get("ASSISTANTS_MIGRATE_SHARED") or Path(__file__).parents[3] / "shared")
FOLDER = SHARED / "real"
FAMILIES = ("openai_", "azure_", "aoai_", "classic_")
# Recordings of the OpenAI platform with items of conversations and responses, and no older object.
ITEMS = ("openai_items_", "openai_input_items_")
KIND_OF = {
    "assistant": "assistant",
    "thread": "thread",
    "thread.message": "message",
    "thread.run": "run",
    "thread.run.step": "run_step",
    "file": "file",
    "vector_store": "vector_store",
    "vector_store.file": "vector_store_file",
}
PROJECTS = ("agent_", "conv_", "vs_", "file_upload_", "foundry_")
# The type of an object in an answer: `object`, and `type` for the items of a conversation.
PROJECT_KIND_OF = {
    **KIND_OF,
    "agent": "assistant",
    "agent.version": "assistant",
    "conversation": "thread",
    "message": "message",
    "function_call": "message",
    "function_call_output": "message",
}

# Name of the recording, kind, body.
Recorded = tuple[str, str, dict[str, Any]]


def names() -> list[str]:
    """Recordings of services with the Assistants API."""
    files = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
    return [f.name for f in files if f.name.startswith(FAMILIES) and not f.name.startswith(ITEMS)]


def items() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every recorded item of the OpenAI platform that has an id, with the name of its recording."""
    files = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
    for file in (f for f in files if f.name.startswith(ITEMS)):
        document = json.loads(file.read_text(encoding="utf-8"))
        for value in _tables(document):
            if isinstance(value.get("id"), str) and "type" in value:
                yield file.name, value


def _tables(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _tables(inner)


def of_projects() -> list[str]:
    """Recordings of the new generation of a Foundry project: agents, conversations and what they use."""
    files = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
    return [file.name for file in files if file.name.startswith(PROJECTS)]


def exchanges(name: str) -> list[dict[str, Any]]:
    """The requests and answers of one recording."""
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return document if isinstance(document, list) else [document]


def of_project(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects in one answer of a project, each with its kind."""
    for row in body.get("data", [body]):
        kind = PROJECT_KIND_OF.get(row.get("object", row.get("type")))
        if kind:
            yield kind, row


def answer(name: str) -> dict[str, Any]:
    """The body of the answer."""
    body: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))["response_body"]
    return body


def objects() -> Iterator[Recorded]:
    """Every object of an estate in every recording; batches and errors are none."""
    for name in names():
        body = answer(name)
        for row in body.get("data", [body]):
            if row.get("object") in KIND_OF:
                yield name, KIND_OF[row["object"]], row
