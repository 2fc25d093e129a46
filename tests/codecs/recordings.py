"""Recorded answers of real services: where they lie, and the objects in them with their kind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHARED = Path(os.environ.get("ASSISTANTS_MIGRATE_SHARED") or Path(__file__).parents[3] / "shared")
FOLDER = SHARED / "real"
FAMILIES = ("openai_", "azure_", "aoai_", "classic_")
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

Recorded = tuple[str, str, dict[str, Any]]
"""Name of the recording, kind, body."""


def names() -> list[str]:
    """Recordings of the Assistants wire family."""
    files = sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []
    return [file.name for file in files if file.name.startswith(FAMILIES)]


def answer(name: str) -> dict[str, Any]:
    """What the service said."""
    body: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))["response_body"]
    return body


def objects() -> Iterator[Recorded]:
    """Every object of an estate in every recording; batches and errors are none."""
    for name in names():
        body = answer(name)
        for row in body.get("data", [body]):
            if row.get("object") in KIND_OF:
                yield name, KIND_OF[row["object"]], row
