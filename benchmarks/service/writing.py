"""An empty estate that takes assistants, threads and messages, as Azure OpenAI and as a Foundry project.

It checks nothing but the limits that decide how many requests are needed; the emulator is for the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.estate import EPOCH, thread_id
from benchmarks.service.listing import Query, envelope, page

Body = dict[str, Any]
NONE = envelope(b"", None, False)
MODELS = {"value": [{"type": "ModelDeployment", "name": "gpt-4o", "modelName": "gpt-4o"}]}


class TooMany(Exception):
    """A request holds more than the API takes."""


class Kept:
    """What was written, as JSON text. `opening` is the key of a thread's first messages."""

    def __init__(self, project: bool) -> None:
        self.project = project
        self.opening, self.most_opening = ("items", 20) if project else ("messages", 32)
        self.assistants: dict[str, bytes] = {}
        self.threads: list[bytes] = []
        self.talks: list[list[bytes]] = []

    def answer(self, method: str, parts: list[str], query: Query, body: bytes) -> bytes | None:
        """The body of an answer; None is a 404."""
        given: Body = json.loads(body) if body else {}
        parts = [WORDS.get(part, part) for part in parts]
        match method, parts:
            case "GET", ["files"] | ["vector_stores"] | ["threads", _, "runs"]:
                return NONE
            case "GET", ["connections"]:
                return b'{"value":[]}'
            case "GET", ["deployments"]:
                return _text(MODELS)
            case "GET", ["assistants"]:
                return self._page(query, list(self.assistants.values()), list(self.assistants).__getitem__)
            case "GET", ["assistants", id_]:
                return self.assistants.get(id_)
            case "POST", ["assistants"]:
                return self._assistant(given)
            case "POST", ["assistants", name, "versions"]:
                return self._version(name, given)
            case "GET", ["threads"]:
                return self._page(query, self.threads, thread_id)
            case "POST", ["threads"]:
                return self._thread(given)
            case "GET", ["threads", id_]:
                return self.threads[int(id_[-16:])]
            case "GET", ["threads", id_, "messages"]:
                number = int(id_[-16:])
                return self._page(query, self.talks[number], lambda n: f"msg_{number:08}{n:016}")
            case "POST", ["threads", id_, "messages"]:
                return self._append(int(id_[-16:]), given)
        return None

    def _page(self, query: Query, rows: list[bytes], id_: Callable[[int], str]) -> bytes:
        return page(query, len(rows), lambda wanted: b",".join(rows[n] for n in wanted), id_)

    def _assistant(self, given: Body) -> bytes:
        id_ = f"asst_{len(self.assistants):024}"
        body = {"id": id_, "object": "assistant", "created_at": EPOCH, "tool_resources": {}, **given}
        self.assistants[id_] = _text(body)
        return self.assistants[id_]

    def _version(self, name: str, given: Body) -> bytes:
        version = {
            "metadata": given.get("metadata") or {},
            "object": "agent.version",
            "id": f"{name}:1",
            "name": name,
            "version": "1",
            "description": given.get("description") or "",
            "created_at": EPOCH,
            "definition": given["definition"],
        }
        agent = {"object": "agent", "id": name, "name": name, "versions": {"latest": version}}
        self.assistants[name] = _text(agent)
        return _text(version)

    def _thread(self, given: Body) -> bytes:
        number = len(self.threads)
        id_ = thread_id(number)
        first = given.get(self.opening) or []
        if len(first) > self.most_opening:
            raise TooMany
        body: Body = {
            "id": id_,
            "object": "thread",
            "created_at": EPOCH,
            "metadata": given.get("metadata") or {},
        }
        if not self.project:
            body["tool_resources"] = given.get("tool_resources") or {}
        self.threads.append(_text(body))
        self.talks.append([])
        for each in first:
            self._say(number, each)
        return self.threads[number]

    def _append(self, number: int, given: Body) -> bytes:
        if not self.project:
            return self._say(number, given)
        if len(given["items"]) > self.most_opening:
            raise TooMany
        rows = [self._say(number, each) for each in given["items"]]
        ids = tuple(json.loads(row)["id"] for row in (rows[0], rows[-1]))
        return envelope(b",".join(rows), (ids[0], ids[1]), False)

    def _say(self, number: int, given: Body) -> bytes:
        talk = self.talks[number]
        id_ = f"msg_{number:08}{len(talk):016}"
        if self.project:
            row = {"type": "message", "id": id_, "status": "completed", **given}
        else:
            content = given["content"]
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            row = {
                "id": id_,
                "object": "thread.message",
                "created_at": EPOCH + len(talk),
                "assistant_id": None,
                "thread_id": thread_id(number),
                "run_id": None,
                "role": given["role"],
                "content": [{"type": "text", "text": {"value": p["text"], "annotations": []}} for p in parts],
                "attachments": [],
                "metadata": given.get("metadata") or {},
            }
        talk.append(_text(row))
        return talk[-1]


# What a project calls what the older generation called otherwise.
WORDS = {"agents": "assistants", "conversations": "threads", "items": "messages"}


def _text(row: Body) -> bytes:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()
