"""An empty estate that accepts assistants, threads and messages, as Azure OpenAI or as a Foundry project.

It checks only the limits that decide how many requests are needed. The emulator checks the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.estate import EPOCH, thread_id
from benchmarks.service.list_pages import Query, envelope, page

Body = dict[str, Any]
EMPTY_PAGE = envelope(b"", None, False)
MODELS = {"value": [{"type": "ModelDeployment", "name": "gpt-4o", "modelName": "gpt-4o"}]}


class TooManyMessages(Exception):
    """A request contains more messages than the API accepts."""


class WritableEstate:
    """The objects that were written, as JSON text. `first_messages_key`: the key of the messages in the
    request that creates a thread."""

    def __init__(self, project: bool) -> None:
        self.project = project
        self.first_messages_key, self.max_first_messages = ("items", 20) if project else ("messages", 32)
        self.assistants: dict[str, bytes] = {}
        self.threads: list[bytes] = []
        self.messages: list[list[bytes]] = []

    def answer(self, method: str, parts: list[str], query: Query, body: bytes) -> bytes | None:
        """The body of an answer; None is a 404."""
        body_in: Body = json.loads(body) if body else {}
        parts = [CLASSIC_NAMES.get(part, part) for part in parts]
        match method, parts:
            case "GET", ["files"] | ["vector_stores"] | ["threads", _, "runs"]:
                return EMPTY_PAGE
            case "GET", ["connections"]:
                return b'{"value":[]}'
            case "GET", ["deployments"]:
                return _json_bytes(MODELS)
            case "GET", ["assistants"]:
                return self._page(query, list(self.assistants.values()), list(self.assistants).__getitem__)
            case "GET", ["assistants", id_]:
                return self.assistants.get(id_)
            case "POST", ["assistants"]:
                return self._assistant(body_in)
            case "POST", ["assistants", name, "versions"]:
                return self._version(name, body_in)
            case "GET", ["threads"]:
                return self._page(query, self.threads, thread_id)
            case "POST", ["threads"]:
                return self._thread(body_in)
            case "GET", ["threads", id_]:
                return self.threads[int(id_[-16:])]
            case "GET", ["threads", id_, "messages"]:
                number = int(id_[-16:])
                return self._page(query, self.messages[number], lambda n: f"msg_{number:08}{n:016}")
            case "POST", ["threads", id_, "messages"]:
                return self._append(int(id_[-16:]), body_in)
        return None

    def _page(self, query: Query, rows: list[bytes], id_: Callable[[int], str]) -> bytes:
        return page(query, len(rows), lambda positions: b",".join(rows[n] for n in positions), id_)

    def _assistant(self, body_in: Body) -> bytes:
        id_ = f"asst_{len(self.assistants):024}"
        body = {"id": id_, "object": "assistant", "created_at": EPOCH, "tool_resources": {}, **body_in}
        self.assistants[id_] = _json_bytes(body)
        return self.assistants[id_]

    def _version(self, name: str, body_in: Body) -> bytes:
        version = {
            "metadata": body_in.get("metadata") or {},
            "object": "agent.version",
            "id": f"{name}:1",
            "name": name,
            "version": "1",
            "description": body_in.get("description") or "",
            "created_at": EPOCH,
            "definition": body_in["definition"],
        }
        agent = {"object": "agent", "id": name, "name": name, "versions": {"latest": version}}
        self.assistants[name] = _json_bytes(agent)
        return _json_bytes(version)

    def _thread(self, body_in: Body) -> bytes:
        number = len(self.threads)
        id_ = thread_id(number)
        first = body_in.get(self.first_messages_key) or []
        if len(first) > self.max_first_messages:
            raise TooManyMessages
        body: Body = {
            "id": id_,
            "object": "thread",
            "created_at": EPOCH,
            "metadata": body_in.get("metadata") or {},
        }
        if not self.project:
            body["tool_resources"] = body_in.get("tool_resources") or {}
        self.threads.append(_json_bytes(body))
        self.messages.append([])
        for each in first:
            self._add_message(number, each)
        return self.threads[number]

    def _append(self, number: int, body_in: Body) -> bytes:
        if not self.project:
            return self._add_message(number, body_in)
        if len(body_in["items"]) > self.max_first_messages:
            raise TooManyMessages
        rows = [self._add_message(number, each) for each in body_in["items"]]
        ids = tuple(json.loads(row)["id"] for row in (rows[0], rows[-1]))
        return envelope(b",".join(rows), (ids[0], ids[1]), False)

    def _add_message(self, number: int, body_in: Body) -> bytes:
        rows = self.messages[number]
        id_ = f"msg_{number:08}{len(rows):016}"
        if self.project:
            row = {"type": "message", "id": id_, "status": "completed", **body_in}
        else:
            content = body_in["content"]
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            row = {
                "id": id_,
                "object": "thread.message",
                "created_at": EPOCH + len(rows),
                "assistant_id": None,
                "thread_id": thread_id(number),
                "run_id": None,
                "role": body_in["role"],
                "content": [{"type": "text", "text": {"value": p["text"], "annotations": []}} for p in parts],
                "attachments": [],
                "metadata": body_in.get("metadata") or {},
            }
        rows.append(_json_bytes(row))
        return rows[-1]


# The name in a Foundry project -> the name in the Assistants API.
CLASSIC_NAMES = {"agents": "assistants", "conversations": "threads", "items": "messages"}


def _json_bytes(row: Body) -> bytes:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()
