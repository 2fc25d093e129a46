"""Answers of a service to requests that create objects, as they were recorded."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

DEFAULTS: dict[str, Body] = {
    "assistant": {
        "name": None,
        "description": None,
        "instructions": None,
        "tools": [],
        "top_p": 1.0,
        "temperature": 1.0,
        "tool_resources": {},
        "metadata": {},
        "response_format": "auto",
    },
    "thread": {"metadata": {}, "tool_resources": {"code_interpreter": {"file_ids": []}}},
    "message": {"assistant_id": None, "run_id": None, "attachments": [], "metadata": {}},
    "vector_store": {"name": None, "metadata": {}, "expires_after": None, "status": "completed"},
    "vector_store_file": {
        "status": "completed",
        "attributes": {},
        "chunking_strategy": {
            "type": "static",
            "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
        },
    },
}


def answered(kind: str, wire: Body) -> Body:
    """The object as a later GET shows it."""
    body = {"id": "new-1", "object": kind, "created_at": 9, **DEFAULTS[kind], **wire}
    if kind == "message":
        content = wire["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        body["content"] = [_read(part) for part in parts]
    if kind == "vector_store_file":
        body["id"] = body.pop("file_id")
        if body["chunking_strategy"] == {"type": "auto"}:
            body["chunking_strategy"] = DEFAULTS[kind]["chunking_strategy"]
    return body


def _read(part: Body) -> Body:
    if part["type"] != "text":
        return part
    return {"type": "text", "text": {"value": part["text"], "annotations": []}}
