"""A minimal Foundry project: how it answers after a request that created an object, as recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.codecs import service_answers

Body = dict[str, Any]

# Keys of a definition in the order of the answers; any other follows.
FIRST = ("kind", "model", "instructions", "temperature", "top_p", "tools", "text", "structured_inputs")


def agent(wire: Body, name: str = "made-agent") -> Body:
    """GET /agents/{name}: includes the newest version, with its definition as it was sent."""
    given = wire["definition"]
    order = [*(key for key in FIRST if key in given), *(key for key in given if key not in FIRST)]
    version = {
        "metadata": dict(wire.get("metadata") or {}),
        "object": "agent.version",
        "id": f"{name}:1",
        "name": name,
        "version": "1",
        "description": wire.get("description") or "",
        "created_at": 1782930592,
        "definition": {key: given[key] for key in order},
        "status": "active",
        "agent_guid": "00000000-0000-0000-0000-000000000000",
    }
    return {"object": "agent", "id": name, "name": name, "versions": {"latest": version}}


def conversation(wire: Body, _: str = "") -> Body:
    """GET /conversations/{id}: without its items."""
    return {
        "id": "conv_1",
        "object": "conversation",
        "created_at": 9,
        "metadata": dict(wire.get("metadata") or {}),
    }


def item(wire: Body, _: str = "") -> Body:
    """A row of GET /conversations/{id}/items."""
    body = {"type": wire["type"], "id": "msg_1", "status": "completed", **wire}
    if isinstance(wire.get("content"), str):
        body["content"] = [{"type": "input_text", "text": wire["content"]}]
    return body


def stored(kind: str) -> Callable[[Body, str], Body]:
    """Files and stores are answered as by other services, without the keys that were not sent."""

    def answer(wire: Body, _: str = "") -> Body:
        body = service_answers.answered(kind, wire)
        if "attributes" not in wire:
            body.pop("attributes", None)
        return body

    return answer


ANSWERS: dict[str, Callable[[Body, str], Body]] = {
    "assistant": agent,
    "thread": conversation,
    "message": item,
    "vector_store": stored("vector_store"),
    "vector_store_file": stored("vector_store_file"),
}


def answered(kind: str, wire: Body, name: str = "made-agent") -> Body:
    """The object as a later GET shows it. `name` is an agent's address."""
    return ANSWERS[kind](wire, name)
